#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "simulator/cli/commands.hpp"
#include "simulator/cli/quantity_option.hpp"
#include "simulator/cli/search_text.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/pool/process_pool.hpp"

namespace moesim::cli {
namespace {

struct SearchOptions {
  std::string scenario;
  std::vector<std::string> assignments;
  std::int64_t gpus = 0;
  std::string objective = "throughput";
  std::vector<std::string> limits;
  std::vector<std::string> axes;
  std::size_t top = 10;
  std::size_t workers = 0;
  bool json = false;
};

search::Options search_options(const SearchOptions& options, const platforms::Gpu& gpu) {
  search::Options result;
  result.objective = options.objective == "latency" ? search::Objective::Latency : search::Objective::Throughput;
  result.memory_limit = gpu.usable_memory();
  for (const std::string& limit : options.limits) {
    constexpr std::string_view name = "memory=";
    if (!limit.starts_with(name))
      throw CLI::ValidationError("--limit",
                                 fmt::format("'{}' is no limit; expected memory=SIZE, such as memory=64GiB", limit));
    result.memory_limit = size_option("--limit", limit.substr(name.size()));
  }
  result.top = options.top;
  result.workers = options.workers > 0 ? options.workers : pool::processor_count();
  return result;
}

// The scenario as its file has it, if it is one of as many GPUs.
std::optional<search::Measurement> as_given(const search::Subject& subject, Bytes memory_limit) {
  if (subject.scenario.job().sizes.world() != subject.gpus)
    return {};
  const pool::Work work = [&] { return search::measure(subject.file, subject.assignments, memory_limit); };
  const pool::Outcome outcome = pool::run_all({&work, 1}).front();
  if (outcome.ending != pool::Ending::Done)
    return {};
  return search::read_measurement(outcome.value);
}

int run_search(const SearchOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  search::Subject subject = search::load_subject(options.scenario, options.assignments, options.gpus);
  warn(subject.scenario.warnings);
  search::Axes axes = search::axes_of(subject, options.axes);
  const search::Options how = search_options(options, subject.scenario.cluster.gpu);
  const search::Space space(std::move(subject), std::move(axes));
  search::Result result;
  {
    ProgressBar bar("searching");
    result = search::search(
        space, how, [&](std::string_view what, std::size_t done, std::size_t total) { bar.show(done, total, what); });
  }
  const auto given = as_given(space.subject(), how.memory_limit);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
  const SearchReport report{space, how, result, given, Seconds(elapsed.count())};
  fmt::print("{}", options.json ? search_json(report) : search_text(report));
  return result.ranking.empty() || result.counts.failed > 0 ? 1 : 0;
}

} // namespace

void add_search(CLI::App& app, int& status) {
  const auto options = std::make_shared<SearchOptions>();
  CLI::App* command = app.add_subcommand("search", "Find the best layout and settings of a scenario");
  command->add_option("scenario", options->scenario, "Scenario file (YAML)")->required();
  command->add_option("--gpus", options->gpus, "GPUs that every candidate uses (default: those of the scenario)")
      ->check(CLI::Range(std::int64_t{1}, scenario::most_ranks));
  command
      ->add_option("--objective", options->objective,
                   "throughput: most tokens a second (of inference: output tokens); latency: shortest iteration, or "
                   "time until the batch is answered")
      ->check(CLI::IsMember({"throughput", "latency"}));
  command->add_option("--limit", options->limits, "memory=SIZE: what a GPU may use (default: what it has)")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--axis", options->axes,
                   "Search only these values of an axis: NAME=VALUE,VALUE (tp, cp, pp, vpp, ep, etp, dp, "
                   "micro_batch_size, schedule, recompute, sharding, overlap, global_batch_size; of inference "
                   "two_batch, batch_size)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--top", options->top, "Candidates to find and print")->check(CLI::Range(1, 1000));
  command->add_option("-j,--jobs", options->workers, "Processes at a time (default: the processors)")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &status] { status = run_search(*options); });
}

} // namespace moesim::cli
