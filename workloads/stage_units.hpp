// The passes of a stage, cut where they go from one part of the model to the next: what data-parallel ranks gather
// before and reduce after.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"
#include "workloads/part_state.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

// The parts of the model that a virtual stage holds, in the order in which they run forward: part 0 is the embedding,
// on the first one; parts 1 .. layers are its layers, perhaps none; part layers + 1 is the head, on the last one.
struct StageShape {
  StageShape(const TrainingJob& of_job, std::int64_t virtual_stage)
      : job(of_job), first_layer(of_job.first_layer(virtual_stage)), layers(of_job.layers_of(virtual_stage)),
        is_first(virtual_stage == 0), is_last(virtual_stage == of_job.chunks().virtual_stages() - 1) {}

  const TrainingJob& job;
  std::int64_t first_layer;
  std::int64_t layers;
  bool is_first;
  bool is_last;

  [[nodiscard]] std::int64_t head() const { return layers + 1; }
  [[nodiscard]] std::int64_t first_part() const { return is_first ? 0 : 1; }
  [[nodiscard]] std::int64_t last_part() const { return is_last ? head() : layers; }
  [[nodiscard]] bool is_layer(std::int64_t part) const { return part != 0 && part != head(); }
  // The part's layer, counted over the model; -1: none.
  [[nodiscard]] std::int64_t layer_of(std::int64_t part) const { return is_layer(part) ? first_layer + part - 1 : -1; }
  [[nodiscard]] LayerKind kind_of(std::int64_t part) const { return job.model.kind_of(layer_of(part)); }
};

[[nodiscard]] PartParameters part_parameters(const StageShape& stage, std::int64_t part);

// A stage of the pipeline: a virtual stage for each of its chunks.
struct PipelineStage {
  PipelineStage(const TrainingJob& of_job, std::int64_t stage);

  const TrainingJob& job;
  std::int64_t index;
  std::vector<StageShape> chunks;

  // Those whose optimizer is here: all, or of two copies of the model the chunk of the first (owned_parameters()).
  [[nodiscard]] std::span<const StageShape> owned() const;
  [[nodiscard]] bool owns_first() const; // the embedding
  [[nodiscard]] bool owns_last() const;  // the head
};

// One part's turn in a pass. A layer that is recomputed runs again before its backward; one that is recomputed together
// with later ones does so in a turn of its own.
struct Unit {
  enum class Runs : std::uint8_t { Forward, Again, AgainAndBackward, Backward, BackwardWeight };
  Runs runs = Runs::Forward;
  std::int64_t part = 0;
  std::int32_t micro_batch = 0;
  std::uint8_t chunk = 0;        // of its stage
  bool leaves_weights = false;   // of a backward: its weights' gradients have a turn of their own
  bool is_recomputed = false;    // whether the part as a whole is: it runs again
  bool keeps_input = false;      // of a part that is recomputed: its input is kept for that
  bool closes_pass = false;      // the last of its pass
  bool runs_with_next = false;   // its pass runs together with the next one
  bool in_first_forward = false; // of its chunk
  bool in_last_backward = false; // of its chunk: the last that completes its gradients
  bool head_is_last = false;     // of embedding and head: the latter's turn completes the gradients of both

  [[nodiscard]] bool runs_backward() const { return runs == Runs::AgainAndBackward || runs == Runs::Backward; }
  [[nodiscard]] bool runs_again() const { return runs == Runs::Again || runs == Runs::AgainAndBackward; }
  [[nodiscard]] bool completes_gradients() const {
    return runs == Runs::BackwardWeight || (runs_backward() && !leaves_weights);
  }
  // Whether no earlier turn has used the weights that are still at hand. Weights' gradients do not need the weights.
  [[nodiscard]] bool begins_use() const {
    return runs != Runs::BackwardWeight && (runs != Runs::Backward || !is_recomputed);
  }
};

// Parameters whose gradients are complete after the turn, which completes some.
[[nodiscard]] RankParameters completed_by(const StageShape& stage, const Unit& unit);

// Of one pass of a virtual stage, of micro-batch 0.
[[nodiscard]] std::vector<Unit> units_of_pass(const StageShape& stage, schedulers::PassKind kind);
// Of all passes of a stage. A backward of weights without any has no turn.
[[nodiscard]] std::vector<Unit> units_of(const PipelineStage& stage, std::span<const schedulers::PipelinePass> passes);

} // namespace moesim::workloads
