#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/summary.hpp"
#include "simulator/base/check.hpp"
#include "simulator/base/format.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/pool/process_pool.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/memory_advice.hpp"

namespace moesim::cli {
namespace {

struct RunOptions {
  std::vector<std::string> scenarios;
  std::string output;
  std::vector<std::string> assignments;
  bool json = false;
  bool strict = false;
};

struct Report {
  std::string text;
  bool fits = true;
};

// Simulates one scenario in this process and writes its result file.
Report simulate(const std::string& file, const scenario::Scenario& scenario, const RunOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  record::RunRecord run;
  {
    ProgressBar bar("simulating");
    run = run::simulate(scenario, [&](std::size_t done, std::size_t total) { bar.show(done, total); });
  }
  analysis::Summary summary = analysis::summarize(run);
  if (!summary.fits)
    for (const scenario::MemoryAdvice& advice : scenario::memory_advice(file, options.assignments))
      summary.memory_advice.push_back({advice.assignments, advice.peak.value()});
  run.summary_json = analysis::to_json(summary);
  if (!options.output.empty())
    record::write(run, options.output);
  const std::chrono::duration<double> wall_time = std::chrono::steady_clock::now() - began;

  if (options.json) {
    auto json = nlohmann::ordered_json::parse(run.summary_json);
    json["wall_time_s"] = wall_time.count();
    for (const scenario::Adaptation& adaptation : scenario.adaptations)
      json["adaptations"].push_back(describe(adaptation));
    return {json.dump(2), summary.fits};
  }
  const auto colour = stdout_is_terminal() ? analysis::Colour::On : analysis::Colour::Off;
  std::string text;
  for (const scenario::Adaptation& adaptation : scenario.adaptations)
    text += fmt::format("adapted: {}\n", describe(adaptation));
  text += analysis::to_text(summary, colour);
  text += fmt::format("simulated {} tasks in {:.2f} s of wall time\n",
                      format_count(static_cast<std::int64_t>(run.tasks.size())), wall_time.count());
  if (!options.output.empty())
    text += fmt::format("wrote {}\n", options.output);
  return {text, summary.fits};
}

// All scenarios are read before the first one runs, so that every mistake is reported at once.
std::vector<scenario::Scenario> load_all(const RunOptions& options) {
  Problems problems;
  std::vector<scenario::Scenario> scenarios;
  for (const std::string& file : options.scenarios) {
    try {
      scenarios.push_back(scenario::load(file, options.assignments));
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  problems.throw_if_any();
  for (const scenario::Scenario& scenario : scenarios)
    warn(scenario.warnings);
  return scenarios;
}

// The same in a process of its own: SimGrid runs one simulation per process.
Report simulate_apart(const std::string& file, const scenario::Scenario& scenario, const RunOptions& options) {
  constexpr char out_of_memory = 'm';
  const std::array<pool::Work, 1> work{[&] {
    try {
      const Report report = simulate(file, scenario, options);
      return (report.fits ? 'y' : 'n') + report.text;
    } catch (const std::bad_alloc&) {
      return std::string(1, out_of_memory);
    }
  }};
  const pool::Outcome outcome = pool::run_all(work, {.error_stream = pool::ErrorStream::Shared}).front();
  if (outcome.ending != pool::Ending::Done)
    throw InternalError(outcome.reason);
  if (outcome.value.front() == out_of_memory)
    throw std::bad_alloc();
  return {outcome.value.substr(1), outcome.value.front() == 'y'};
}

int run(const RunOptions& options) {
  if (!options.output.empty() && options.scenarios.size() > 1)
    throw CLI::ValidationError("-o", "one result file holds one scenario; run them one by one");
  const std::vector<scenario::Scenario> scenarios = load_all(options);
  if (!options.output.empty())
    record::check_writable(options.output);
  bool all_fit = true;
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < scenarios.size(); ++at) {
    const auto work = scenarios.size() == 1 ? simulate : simulate_apart;
    const Report report = work(options.scenarios[at], scenarios[at], options);
    all_fit = all_fit && report.fits;
    texts.push_back(report.text);
  }
  if (options.json && texts.size() > 1)
    fmt::print("[{}]\n", fmt::join(texts, ",\n"));
  else
    fmt::print("{}{}", fmt::join(texts, "\n"), options.json ? "\n" : "");
  return options.strict && !all_fit ? 1 : 0;
}

} // namespace

void add_run(CLI::App& app, int& status) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Simulate scenarios and print their summaries");
  command->add_option("scenario", options->scenarios, "Scenario files (YAML)")->required();
  command->add_option("-o,--output", options->output, "Write everything that happened to this result file (HDF5)");
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "Print JSON instead of text");
  command->add_flag("--strict", options->strict, "Exit with status 1 when the model does not fit into memory");
  command->callback([options, &status] { status = run(*options); });
}

} // namespace moesim::cli
