// The figures of a run that people ask for first; what `moesim run` prints. The names are those of its JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/expert_balance.hpp"
#include "analysis/time_budget.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct MemoryShare {
  std::string category;
  double bytes = 0;
};

struct InferenceFigures {
  double ttft_s = 0;            // until a sequence's first token, mean over sequences
  std::optional<double> tpot_s; // from one token to the next; none with one output token
  double output_tokens_per_s = 0;
  double kv_cache_bytes = 0; // of the fullest rank at the end
};

// What to change when the model does not fit, and what it would need then.
struct MemoryAdvice {
  std::vector<std::string> assignments; // as `--set` takes them
  double peak_memory_bytes = 0;
};

struct Summary {
  std::string name;
  double iteration_time_s = 0;
  double tokens_per_s = 0;
  double tokens_per_s_per_gpu = 0;
  double model_tflops_per_gpu = 0; // model FLOPs (no recompute), TFLOP/s
  double mfu = 0;
  double hfu = 0; // with what is computed again
  double bubble_fraction = 0;
  double exposed_communication_fraction = 0;
  double peak_memory_bytes = 0;
  double memory_capacity_bytes = 0;
  bool fits = true;
  std::int64_t world_size = 0;
  std::int64_t simulated_ranks = 0;
  record::Symmetry symmetry;            // what tells the simulated ranks apart
  std::int64_t tasks = 0;               // rows of the task table, folded ranks expanded
  std::optional<ExpertFigures> experts; // when the model has any
  std::optional<InferenceFigures> inference;

  TimeBudget time;                // of an average rank
  std::vector<TimeBudget> stages; // of an average rank of each
  std::uint32_t peak_memory_rank = 0;
  std::int32_t peak_memory_layer = -1;       // that this rank computes then; -1: none
  std::int32_t peak_memory_micro_batch = -1; // likewise
  std::vector<MemoryShare> peak_memory;      // of that rank at its peak
  std::vector<MemoryAdvice> memory_advice;   // filled in by who knows the scenario; the most effective first
  std::uint32_t slowest_stage = 0;           // computes longest
};

[[nodiscard]] Summary summarize(const record::RunRecord& run);

// One JSON object, as `run --json` prints it less wall_time_s.
[[nodiscard]] std::string to_json(const Summary& summary);

enum class Colour : std::uint8_t { Off, On };
// For people: several lines, each ended by a newline.
[[nodiscard]] std::string to_text(const Summary& summary, Colour colour);

} // namespace moesim::analysis
