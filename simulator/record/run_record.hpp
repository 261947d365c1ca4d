// What one simulated run did: the value between execution and analysis, and the schema of the result file
// (simulator/record/README.md describes the file; result_file.hpp writes and reads it).
//
// Everything is columnar: the i-th element of each column of a table is one row. Integer columns that stand for a word
// index the word list beside them. Nothing here depends on the machine, the time of day, paths or process counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moesim::record {

// One row per rank per task; a collective is one row on every member. Sorted by rank, then start, then stream.
// When ranks are folded, only the representative of each class has rows.
struct TaskTable {
  std::vector<double> start;             // s
  std::vector<double> end;               // s
  std::vector<std::uint32_t> rank;       // global rank
  std::vector<std::uint8_t> stream;      // index into `streams`
  std::vector<std::uint8_t> kind;        // index into `kinds`
  std::vector<std::uint16_t> name;       // index into `names`
  std::vector<std::int16_t> layer;       // -1: no layer
  std::vector<std::int32_t> micro_batch; // -1: no micro-batch
  std::vector<std::uint8_t> chunk;       // virtual pipeline chunk
  std::vector<std::uint8_t> phase;       // index into `phases`
  std::vector<std::uint32_t> task;       // of the task graph: the rows of one collective or transfer share it
  std::vector<double> bytes; // bytes: compute: device memory traffic; communication: size as nccl-tests counts it
  std::vector<double> flops; // FLOP, matrix products only

  std::vector<std::string> streams; // compute, tp, cp, ep, dp, pp-send-next, pp-send-prev, pp-recv-next, pp-recv-prev
  std::vector<std::string>
      kinds; // compute, all-reduce, all-gather, reduce-scatter, all-to-all, send-recv, ring-exchange
  std::vector<std::string> names;  // "attention", "experts", "dispatch", ...
  std::vector<std::string> phases; // forward, backward, backward-weight, gradients, optimizer, ...

  [[nodiscard]] std::size_t size() const { return start.size(); }

  bool operator==(const TaskTable&) const = default;
};

// What each task of the graph waits for: a task starts at the moment when the last of these ends, or at 0.
struct Dependencies {
  std::vector<std::uint32_t> first;  // per task, and one at the end: where its list begins in `before`
  std::vector<std::uint32_t> before; // tasks; of one task ascending

  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t task) const {
    return std::span(before).subspan(first[task], first[task + 1] - first[task]);
  }
  bool operator==(const Dependencies&) const = default;
};

// Where each rank sits, and which rank's rows describe it. One row per rank of the job.
struct RankTable {
  std::vector<std::uint32_t> node;
  std::vector<std::uint32_t> tp, cp, dp, pp, etp, ep, edp; // coordinates in the layout
  std::vector<std::uint32_t> representative; // the rank whose rows in TaskTable and MemorySeries stand for it
  [[nodiscard]] std::size_t size() const { return node.size(); }

  bool operator==(const RankTable&) const = default;
};

// Device memory after each change, per rank: sorted by rank, then time. Categories that do not change are in every row.
struct MemorySeries {
  std::vector<double> time; // s
  std::vector<std::uint32_t> rank;
  std::vector<std::string> categories;    // weights, gradients, optimizer, activations, ...
  std::vector<std::vector<double>> bytes; // [category][row], bytes

  bool operator==(const MemorySeries&) const = default;
};

// Bytes that crossed each link, in `bins` equal slices of time that start at 0. One row per link of the ranks that have
// rows in TaskTable.
struct LinkLoad {
  std::vector<std::string> names; // as `moesim dump platform` prints them
  std::vector<double> capacity;   // bytes/s
  double bin_width = 0;           // s
  std::size_t bins = 0;
  std::vector<double> bytes;              // [row * bins + bin]
  std::vector<std::uint32_t> row_of_link; // of every link of the job, in the order of `moesim dump platform`

  bool operator==(const LinkLoad&) const = default;
};

// What tells ranks apart: with the attributes up to this one, so many classes are simulated. Empty when every rank is
// simulated whether it differs or not.
struct Symmetry {
  std::vector<std::string> attributes; // "pipeline stage", "GPU speed", ...
  std::vector<std::uint32_t> classes;

  bool operator==(const Symmetry&) const = default;
};

// Tokens whose backward ended on stage 0 (training), or that were sampled (inference), as a rate over equal slices of
// time.
struct Throughput {
  std::vector<double> time; // s, end of the slice
  std::vector<double> tokens_per_s;

  bool operator==(const Throughput&) const = default;
};

// Token-to-expert assignments of one iteration.
struct ExpertLoad {
  std::vector<std::int32_t> layers; // model layer of each row
  std::size_t experts = 0;
  std::vector<double> tokens;  // [row * experts + expert], as the router has them
  std::vector<double> dropped; // of these: beyond an expert's capacity

  // What the experts of each rank compute in each layer and micro-batch, padding included. A rank of a row is one of an
  // expert-parallel group, and the groups follow each other; where all groups are alike, there is one.
  std::vector<std::int32_t> rank_layer;
  std::vector<std::int32_t> rank_micro_batch; // -1: every one
  std::vector<std::int32_t> rank_step;        // 0: training, or the prefill; 1: each decode step
  std::size_t ranks = 0;
  std::vector<double> rank_tokens; // [row * ranks + rank]

  double moved = 0; // copies of the iteration that balancing sent elsewhere

  bool operator==(const ExpertLoad&) const = default;
};

// The figures of the run that no table holds.
struct RunFigures {
  std::string name;              // of the scenario
  std::string scenario_text;     // as the user wrote it
  std::string resolved_scenario; // with every default
  std::uint64_t seed = 0;
  double makespan = 0; // s: the end of the last task
  double tokens_per_iteration = 0;
  double model_flops = 0;        // FLOP of one iteration over all GPUs, Megatron's formula; of inference, forward only
  double hardware_flops = 0;     // with what is computed again
  double peak_flops_per_gpu = 0; // FLOP/s at the precision of the run
  double memory_capacity = 0;    // bytes of one GPU that a job's tensors can have
  double total_parameters = 0;
  double active_parameters = 0;
  double routed_tokens = 0; // token-to-expert assignments of one iteration
  double computed_tokens = 0;
  double dropped_tokens = 0;
  // Of inference; nothing in training.
  double output_tokens = 0;
  double ttft = 0;     // s: until a sequence's first token, mean
  double tpot = 0;     // s: from one token of a sequence to the next, mean; 0 with one token
  double kv_cache = 0; // bytes on the fullest rank at the end

  bool operator==(const RunFigures&) const = default;
};

struct RunRecord {
  RunFigures figures;
  RankTable ranks;
  Symmetry symmetry;
  TaskTable tasks;
  Dependencies dependencies;
  MemorySeries memory;
  LinkLoad links;
  Throughput throughput;
  ExpertLoad experts;
  std::string summary_json; // what `run --json` prints, less wall time

  bool operator==(const RunRecord&) const = default;
};

// The rows [first, last) of `tasks` that describe `rank` (through its representative).
struct RowRange {
  std::size_t first = 0;
  std::size_t last = 0;
};
[[nodiscard]] RowRange rows_of(const RunRecord& run, std::uint32_t rank);

} // namespace moesim::record
