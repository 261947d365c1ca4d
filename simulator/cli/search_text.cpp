#include "simulator/cli/search_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "analysis/time_budget.hpp"
#include "simulator/base/format.hpp"

namespace moesim::cli {
namespace {

using search::Found;
using search::Measurement;

std::string counted(std::size_t count) {
  return format_count(static_cast<std::int64_t>(count));
}

// Where the time goes, with its name.
std::vector<std::pair<std::string, Seconds>> parts_of(const Measurement& measurement) {
  std::vector<std::pair<std::string, Seconds>> parts{{"compute", measurement.compute}};
  for (std::size_t at = 0; at < measurement.exposed.size(); ++at)
    parts.emplace_back(fmt::format("exposed {}", analysis::dimensions[at]), measurement.exposed[at]);
  parts.emplace_back("bubble", measurement.bubble);
  return parts;
}

// "tp 8, pp 4, ep 16, dp 16": degrees above 1.
std::string sizes_text(const workloads::ParallelSizes& sizes, std::int64_t vpp) {
  std::vector<std::string> words;
  for (const auto& [name, size] :
       {std::pair("tp", sizes.tp), std::pair("cp", sizes.cp), std::pair("pp", sizes.pp), std::pair("vpp", vpp),
        std::pair("ep", sizes.ep), std::pair("etp", sizes.etp), std::pair("dp", sizes.dp)})
    if (size > 1)
      words.push_back(fmt::format("{} {}", name, size));
  return words.empty() ? "no parallelism" : fmt::format("{}", fmt::join(words, ", "));
}

// "tp 8, pp 4, dp 16; batch 128 of 2; 1f1b; recompute none; zero-1; overlap {pp: true}"
std::string candidate_text(const search::Space& space, const Found& found) {
  const search::Layout& layout = space.layout_of(found.candidate);
  const search::Variant& variant = space.variant_of(found.candidate);
  const search::Axes& axes = space.axes();
  const std::string layout_text =
      fmt::format("{}; batch {} in micro-batches of {}", sizes_text(layout.sizes, variant.vpp), layout.batch_size,
                  layout.micro_batch_size);
  if (!space.subject().scenario.is_training())
    return fmt::format("{}; overlap {{two_batch: {}}}", layout_text, axes.two_batch[variant.overlap]);
  return fmt::format("{}; {}; recompute {}; {}; overlap {}", layout_text, axes.schedule[variant.schedule],
                     axes.recompute[variant.recompute].text, axes.sharding[variant.sharding].text,
                     axes.overlap[variant.overlap].text);
}

// "12.3 ms, 4,580,998 tokens/s"
std::string speed_text(const Measurement& measurement) {
  if (!measurement.ttft)
    return fmt::format("{}, {} tokens/s", format_seconds(measurement.time),
                       format_count(static_cast<std::int64_t>(measurement.tokens_per_s)));
  return fmt::format("{}, {} output tokens/s, TTFT {}{}", format_seconds(measurement.time),
                     format_count(static_cast<std::int64_t>(measurement.output_tokens_per_s)),
                     format_seconds(*measurement.ttft),
                     measurement.tpot ? ", TPOT " + format_seconds(*measurement.tpot) : "");
}

// "compute 40.1 %, exposed ep 12.0 %, bubble 5.0 %; 1.2 GiB": what there is of it.
std::string shares_text(const Measurement& measurement) {
  std::vector<std::string> words;
  for (const auto& [name, time] : parts_of(measurement))
    if (const double share = 100 * (time / measurement.time); share >= 0.05)
      words.push_back(fmt::format("{} {:.1f} %", name, share));
  return fmt::format("{}; {}", fmt::join(words, ", "), format_bytes(measurement.memory));
}

// By what a candidate is most behind the best one, for each sequence of the batch.
std::string loss_text(const search::Space& space, const Found& best, const Found& found) {
  const auto best_parts = parts_of(best.measurement);
  const auto parts = parts_of(found.measurement);
  const auto batch_ratio = static_cast<double>(space.layout_of(found.candidate).batch_size) /
                           static_cast<double>(space.layout_of(best.candidate).batch_size);
  std::size_t worst = 0;
  Seconds most;
  for (std::size_t at = 0; at < parts.size(); ++at)
    if (const Seconds more = parts[at].second - best_parts[at].second * batch_ratio; more > most) {
      most = more;
      worst = at;
    }
  return most > Seconds() ? fmt::format("; loses {} by {}", format_seconds(most), parts[worst].first) : "";
}

std::string counts_text(const search::Counts& counts) {
  const std::vector<std::pair<std::string_view, std::size_t>> lines{
      {"candidates", counts.candidates},
      {"  cannot win, by layout", counts.slow_layouts},
      {"  cannot win, by themselves", counts.too_slow},
      {"  do not fit", counts.too_large},
      {"  too large to simulate", counts.refused},
      {"  failed", counts.failed},
      {"  simulated", counts.simulated},
  };
  std::string text;
  for (const auto& [name, count] : lines)
    if (count > 0 || name == "candidates" || name == "  simulated")
      text += fmt::format("{:<28}{:>14}\n", name, counted(count));
  return text;
}

std::string given_text(const Measurement& as_given, const SearchReport& report) {
  if (!as_given.fits)
    return fmt::format("the scenario as it is does not fit: {}\n", format_bytes(as_given.memory));
  return fmt::format("the scenario as it is: {}{}\n    {}\n", speed_text(as_given),
                     report.result.ranking.empty()
                         ? ""
                         : fmt::format(", {:.2f} x the time of the first",
                                       as_given.time / report.result.ranking.front().measurement.time),
                     shares_text(as_given));
}

nlohmann::json to_json(const Measurement& measurement) {
  if (!measurement.fits)
    return {{"fits", false}, {"peak_memory_bytes", measurement.memory.value()}};
  nlohmann::json json{{"fits", true},
                      {"iteration_time_s", measurement.time.value()},
                      {"tokens_per_s", measurement.tokens_per_s},
                      {"peak_memory_bytes", measurement.memory.value()}};
  for (const auto& [name, time] : parts_of(measurement)) {
    std::string key = name + "_s";
    std::ranges::replace(key, ' ', '_');
    json[key] = time.value();
  }
  if (measurement.ttft) {
    json["ttft_s"] = measurement.ttft->value();
    json["tpot_s"] = measurement.tpot ? nlohmann::json(measurement.tpot->value()) : nlohmann::json();
    json["output_tokens_per_s"] = measurement.output_tokens_per_s;
  }
  return json;
}

} // namespace

std::string search_text(const SearchReport& report) {
  const search::Space& space = report.space;
  std::string text = fmt::format("{}: the best {} {} GPUs by {}\n\n", space.subject().scenario.name,
                                 space.subject().scenario.is_training() ? "training on" : "inference on",
                                 format_count(space.subject().gpus),
                                 report.options.objective == search::Objective::Throughput ? "throughput" : "latency");
  for (std::size_t at = 0; at < report.result.ranking.size(); ++at) {
    const Found& found = report.result.ranking[at];
    text += fmt::format("{:>2}  {}\n    {}\n    {}{}\n", at + 1, speed_text(found.measurement),
                        candidate_text(space, found), shares_text(found.measurement),
                        at == 0 ? "" : loss_text(space, report.result.ranking.front(), found));
  }
  if (report.result.ranking.empty())
    text += report.result.counts.candidates == 0 ? "no candidate is valid\n" : "no candidate fits\n";
  text += "\n";
  if (report.as_given)
    text += given_text(*report.as_given, report);
  text += counts_text(report.result.counts);
  text += fmt::format("searched in {}\n", format_seconds(report.wall_time));
  if (!report.result.ranking.empty()) {
    text += fmt::format("\nmoesim run {}", space.subject().file.string());
    for (const std::string& assignment : space.assignments(report.result.ranking.front().candidate))
      text += fmt::format(" \\\n  --set '{}'", assignment);
    text += "\n";
  }
  return text;
}

std::string search_json(const SearchReport& report) {
  const search::Counts& counts = report.result.counts;
  nlohmann::json ranking = nlohmann::json::array();
  for (const Found& found : report.result.ranking) {
    ranking.push_back(to_json(found.measurement));
    ranking.back()["assignments"] = report.space.assignments(found.candidate);
  }
  const nlohmann::json json{
      {"objective", report.options.objective == search::Objective::Throughput ? "throughput" : "latency"},
      {"gpus", report.space.subject().gpus},
      {"layouts", counts.layouts},
      {"candidates", counts.candidates},
      {"pruned",
       {{"cannot_win_by_layout", counts.slow_layouts},
        {"cannot_win", counts.too_slow},
        {"does_not_fit", counts.too_large},
        {"too_large_to_simulate", counts.refused}}},
      {"failed", counts.failed},
      {"simulated", counts.simulated},
      {"ranking", ranking},
      {"as_given", report.as_given ? to_json(*report.as_given) : nlohmann::json()},
      {"wall_time_s", report.wall_time.value()}};
  return json.dump(2) + "\n";
}

} // namespace moesim::cli
