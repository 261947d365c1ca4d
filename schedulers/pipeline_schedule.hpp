// A pipeline schedule is data: for each stage, the order in which it runs the passes of its micro-batches. Pure
// functions, one file per schedule, found by name through the registry below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schedulers/chunk_placement.hpp"

namespace moesim::schedulers {

// Backward is the whole of it. Schedules that split it run what gives the gradient of the input first, which the stage
// before waits for, and what gives the gradient of the weights later (Zero Bubble, arXiv 2401.10241: B and W; in
// DualPipe's table B is the whole backward).
enum class PassKind : std::uint8_t { Forward, Backward, BackwardInput, BackwardWeight };

// One run of a chunk of a stage over one micro-batch.
struct PipelinePass {
  PassKind kind = PassKind::Forward;
  std::int32_t micro_batch = 0;
  std::int32_t chunk = 0;
  bool with_next = false; // runs together with the next pass of the order, a forward with a backward (F&B)
  bool operator==(const PipelinePass&) const = default;
};

// What the passes of a stage take for one micro-batch, over all its chunks, in any unit of time.
struct PassCosts {
  double forward = 1;
  double backward_input = 1;
  double backward_weight = 1;
  [[nodiscard]] double backward() const { return backward_input + backward_weight; }
};

struct ScheduleShape {
  std::int64_t stages = 1;
  std::int64_t micro_batches = 1;
  std::int64_t chunks = 1; // of each stage
  // Forwards run together with backwards of other micro-batches, to hide what they send (1F1B and its interleaved form:
  // Megatron Core, overlap_moe_expert_parallel_comm).
  bool fuses_passes = false;
  // For schedules that are searched for: costs of each stage (empty: all 1), what a transfer takes from one stage to
  // another, and how many micro-batches' activations a stage may hold (0: as many as 1F1B holds, the stages).
  std::vector<PassCosts> costs{};
  double transfer = 0;
  std::int64_t max_in_flight = 0;
};

// The passes of each stage, in the order in which it runs them.
using PipelineOrder = std::vector<std::vector<PipelinePass>>;

struct PipelineSchedule {
  std::string_view name;
  std::string_view description; // one line, with its source
  // Its formula where it holds (the schedule's header says where), for `p` stages, `m` micro-batches, `v` chunks, and
  // the whole stage's F, B (of the input) and W.
  std::string_view bubble;
  ChunkPlacement placement = ChunkPlacement::Loop;
  std::int64_t chunks = 1; // of each stage; 0: as many as wanted, at least 2
  bool can_fuse = false;   // ScheduleShape::fuses_passes; DualPipe always does
  // Requires refusal() to be empty.
  PipelineOrder (*order)(const ScheduleShape& shape);
  // Why it cannot do a shape with the right number of chunks, and what would do; empty: it can.
  std::string (*refusal)(const ScheduleShape& shape);
};

// All schedules, by name.
[[nodiscard]] const std::vector<PipelineSchedule>& schedules();
[[nodiscard]] std::vector<std::string_view> schedule_names();
// Requires `name` to be one of schedule_names().
[[nodiscard]] const PipelineSchedule& find_schedule(std::string_view name);

// Why the schedule cannot do the shape, chunks included; empty: it can.
[[nodiscard]] std::string refusal(const PipelineSchedule& schedule, const ScheduleShape& shape);

// What a pass of the kind takes on the stage, by shape.costs; a chunk takes its share.
[[nodiscard]] double duration(const ScheduleShape& shape, const Chunks& chunks, std::size_t stage, PassKind kind);

// Index behind the last of the passes that run together with passes[first].
[[nodiscard]] std::size_t end_together(std::span<const PipelinePass> passes, std::size_t first);

// One line per stage with its passes in order: F forward, B backward (whole, or of the input where W follows), W
// backward of the weights, and the micro-batch; a chunk after a dot, and & between passes that run together:
// "stage 0: F0 F1 B0 B1", "stage 1: F0.1 F2.0&B0.1 W0.1".
[[nodiscard]] std::string describe(const PipelinePass& pass, bool has_chunks);
[[nodiscard]] std::string describe(const PipelineOrder& order);

} // namespace moesim::schedulers
