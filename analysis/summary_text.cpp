// What `moesim run` prints for people.
#include "analysis/summary.hpp"

#include "simulator/base/format.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesim::analysis {
namespace {

constexpr std::size_t bar_width = 40;  // characters
constexpr double least_share = 0.0005; // of the iteration; what takes less is not worth a line

// In the order of BubbleCause.
constexpr std::array<std::string_view, bubble_cause_count> short_causes{"warm-up", "neighbour", "stages",
                                                                        "ranks",   "cool-down", "optimizer"};
constexpr std::array<std::string_view, bubble_cause_count> reasons{
    "it waits for its first micro-batch", "it waits for its turn in the pipeline", "it waits for slower stages",
    "it waits for slower GPUs",           "it has done its passes before others",  "others still run their optimizer"};

struct Share {
  std::string name;
  double seconds = 0;
  int colour = 0; // of the terminal's 256
};

// Colours are near those of the pictures (svg_style.hpp), so that tp is orange everywhere.
std::vector<Share> shares_of(const TimeBudget& time) {
  constexpr std::array<int, 5> colours{166, 175, 214, 227, 74};
  std::vector<Share> shares{{"compute", time.compute, 32}};
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    shares.push_back({fmt::format("exposed {}", dimensions[i]), time.exposed[i], colours[i]});
  for (std::size_t i = 0; i < bubble_cause_count; ++i)
    shares.push_back({fmt::format("bubble, {}", short_causes[i]), time.bubbles[i], 245});
  return shares;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i)
    result += text;
  return result;
}

// Each bar starts where the one above it ends: together they are one bar of the whole iteration.
std::string time_lines(const TimeBudget& time, Colour colour) {
  std::string text = "\nwhere the time of an average GPU goes\n";
  double before = 0;
  const auto column = [&](double seconds) {
    return static_cast<std::size_t>(std::lround(seconds / time.makespan * static_cast<double>(bar_width)));
  };
  for (const Share& share : shares_of(time)) {
    if (share.seconds < least_share * time.makespan)
      continue;
    const std::size_t first = column(before);
    before += share.seconds;
    std::string bar = repeated("█", std::max<std::size_t>(column(before) - first, 0));
    if (bar.empty())
      bar = "▏";
    if (colour == Colour::On)
      bar = fmt::format("\033[38;5;{}m{}\033[0m", share.colour, bar);
    text += fmt::format("  {:<18}{:>6.1f} % {:>10}  {}{}\n", share.name, 100 * share.seconds / time.makespan,
                        format_seconds(Seconds(share.seconds)), repeated(" ", first), bar);
  }
  return text;
}

// Each change by itself.
std::string advice_lines(const Summary& summary) {
  if (summary.memory_advice.empty())
    return {};
  std::string text = "what would help, each by itself (an estimate)\n";
  for (const MemoryAdvice& advice : summary.memory_advice) {
    std::string settings;
    for (const std::string& assignment : advice.assignments)
      settings += assignment.find(' ') == std::string::npos ? " --set " + assignment : " --set '" + assignment + "'";
    const double saved = summary.peak_memory_bytes - advice.peak_memory_bytes;
    const bool fits = advice.peak_memory_bytes <= summary.memory_capacity_bytes;
    text += fmt::format("  {:>10}, {} less, {}:{}\n", format_bytes(Bytes(advice.peak_memory_bytes)),
                        format_bytes(Bytes(saved)), fits ? "fits" : "does not fit either", settings);
  }
  return text;
}

// ", in layer 3 of micro-batch 5"
std::string peak_moment(const Summary& summary) {
  return summary.peak_memory_layer < 0 ? ""
                                       : fmt::format(", in layer {} of micro-batch {}", summary.peak_memory_layer,
                                                     summary.peak_memory_micro_batch);
}

std::string memory_lines(const Summary& summary) {
  if (summary.peak_memory.empty())
    return {};
  std::string text =
      fmt::format("\nmemory of the fullest GPU (rank {}): {} of {}", summary.peak_memory_rank,
                  format_bytes(Bytes(summary.peak_memory_bytes)), format_bytes(Bytes(summary.memory_capacity_bytes)));
  if (summary.fits)
    text += fmt::format(" ({:.0f} %)\n", 100 * summary.peak_memory_bytes / summary.memory_capacity_bytes);
  else
    text += fmt::format(", does not fit: {} too much{}\n",
                        format_bytes(Bytes(summary.peak_memory_bytes - summary.memory_capacity_bytes)),
                        peak_moment(summary));
  for (const MemoryShare& share : summary.peak_memory)
    if (share.bytes > 0)
      text += fmt::format("  {:<18}{:>6.1f} % {:>10}\n", share.category, 100 * share.bytes / summary.peak_memory_bytes,
                          format_bytes(Bytes(share.bytes)));
  return text + advice_lines(summary);
}

std::string stage_line(const Summary& summary) {
  const std::vector<TimeBudget>& stages = summary.stages;
  if (stages.size() < 2)
    return {};
  double mean = 0;
  for (const TimeBudget& stage : stages)
    mean += stage.compute / static_cast<double>(stages.size());
  const double longest = stages[summary.slowest_stage].compute;
  return fmt::format("\nslowest stage: {} of 0..{}, computes {} ({:+.1f} % against the mean)\n", summary.slowest_stage,
                     stages.size() - 1, format_seconds(Seconds(longest)), mean > 0 ? 100 * (longest / mean - 1) : 0.0);
}

// "idlest stage: 0, 39.33 ms, 78 % of it because it waits for slower stages"
std::string idle_line(const Summary& summary) {
  if (summary.stages.size() < 2)
    return {};
  const auto idle = [](const TimeBudget& stage) { return stage.bubble(); };
  const auto idlest = std::ranges::max_element(summary.stages, {}, idle);
  if (idlest->bubble() < least_share * idlest->makespan)
    return {};
  const auto most = std::ranges::max_element(idlest->bubbles);
  return fmt::format("idlest stage: {}, {}, {:.0f} % of it because {}\n", idlest - summary.stages.begin(),
                     format_seconds(Seconds(idlest->bubble())), 100 * *most / idlest->bubble(),
                     reasons[static_cast<std::size_t>(most - idlest->bubbles.begin())]);
}

// "4 ways to behave: 2 by pipeline stage, 4 by GPU speed"; nothing where every rank was simulated without asking.
std::string symmetry_line(const Summary& summary) {
  std::vector<std::string> splits;
  for (std::size_t at = 0; at < summary.symmetry.attributes.size(); ++at)
    splits.push_back(fmt::format("{} by {}", summary.symmetry.classes[at], summary.symmetry.attributes[at]));
  if (splits.empty())
    return summary.simulated_ranks < summary.world_size ? "  symmetry          all GPUs behave alike\n" : "";
  return fmt::format("  symmetry          {} ways to behave: {}\n", format_count(summary.simulated_ranks),
                     fmt::join(splits, ", "));
}

std::string inference_lines(const InferenceFigures& inference) {
  std::string text =
      fmt::format("  first token       {} after the start (TTFT)", format_seconds(Seconds(inference.ttft_s)));
  if (inference.tpot_s)
    text += fmt::format(", then one every {} (TPOT)", format_seconds(Seconds(*inference.tpot_s)));
  return text + fmt::format("\n  output            {} tokens/s; KV cache {} on the fullest GPU\n",
                            format_count(std::llround(inference.output_tokens_per_s)),
                            format_bytes(Bytes(inference.kv_cache_bytes)));
}

std::string expert_lines(const ExpertFigures& experts) {
  const auto count = [](double tokens) { return format_count(std::llround(tokens)); };
  std::string text =
      fmt::format("experts: the busiest gets {:.2f} x the mean; {} token copies routed, {} computed, {} dropped\n",
                  experts.load_max_over_mean, count(experts.routed_tokens), count(experts.computed_tokens),
                  count(experts.dropped_tokens));
  constexpr double rounding = 1e-6;
  if (experts.load_cv < rounding && experts.dropped_tokens == 0)
    return text;
  text += fmt::format("  load of ranks     the busiest {:.2f} x the mean of its group, cv {:.2f} (of experts {:.2f})\n",
                      experts.rank_load_max_over_mean, experts.rank_load_cv, experts.load_cv);
  text += fmt::format("  imbalance         {} of an average GPU's time, waiting for the slowest experts of its group\n",
                      format_seconds(Seconds(experts.imbalance_s)));
  text += fmt::format("  a layer's experts {} (median), {} (99th percentile), forward\n",
                      format_seconds(Seconds(experts.latency_p50_s)), format_seconds(Seconds(experts.latency_p99_s)));
  if (experts.dropped_tokens > 0)
    text += fmt::format("  dropped           {:.1f} % of the copies\n",
                        100 * experts.dropped_tokens / experts.routed_tokens);
  if (experts.moved_tokens > 0 || experts.moved_bytes > 0)
    text += fmt::format("  moved             {} token copies, {} of experts\n", count(experts.moved_tokens),
                        format_bytes(Bytes(experts.moved_bytes)));
  return text;
}

} // namespace

std::string to_text(const Summary& summary, Colour colour) {
  const auto count = [](double number) { return format_count(std::llround(number)); };
  std::string text = summary.name.empty() ? std::string() : summary.name + "\n";
  text += fmt::format("  iteration time    {}\n", format_seconds(Seconds(summary.iteration_time_s)));
  text += fmt::format("  throughput        {} tokens/s, {} per GPU\n", count(summary.tokens_per_s),
                      count(summary.tokens_per_s_per_gpu));
  if (summary.inference)
    text += inference_lines(*summary.inference);
  text += fmt::format("  model FLOP/s      {:.1f} TFLOP/s per GPU, MFU {:.1f} %", summary.model_tflops_per_gpu,
                      100 * summary.mfu);
  if (summary.hfu > summary.mfu) // something is computed again
    text += fmt::format(", HFU {:.1f} %", 100 * summary.hfu);
  text += '\n';
  text += fmt::format("  size              {} GPUs ({} simulated), {} tasks\n", format_count(summary.world_size),
                      format_count(summary.simulated_ranks), format_count(summary.tasks));
  text += symmetry_line(summary);
  if (summary.time.makespan > 0)
    text += time_lines(summary.time, colour);
  text += memory_lines(summary);
  text += stage_line(summary) + idle_line(summary);
  if (summary.experts)
    text += expert_lines(*summary.experts);
  return text;
}

} // namespace moesim::analysis
