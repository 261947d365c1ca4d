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

// The parts of the model that a stage holds, in the order in which they run forward: part 0 is the embedding, on the
// first stage; parts 1 .. layers are its layers, perhaps none; part layers + 1 is the head, on the last stage.
struct StageShape {
  StageShape(const TrainingJob& of_job, std::int64_t stage)
      : job(of_job), index(stage), first_layer(of_job.first_layer(stage)), layers(of_job.layers_of(stage)),
        is_first(stage == 0), is_last(stage == of_job.sizes.pp - 1) {}

  const TrainingJob& job;
  std::int64_t index;
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

// One part's turn in a pass. A layer that is recomputed runs again before its backward; one that is recomputed together
// with later ones does so in a turn of its own.
struct Unit {
  enum class Runs : std::uint8_t { Forward, Again, AgainAndBackward, Backward };
  Runs runs = Runs::Forward;
  std::int64_t part = 0;
  std::int32_t micro_batch = 0;
  bool is_recomputed = false; // whether the part as a whole is: it runs again
  bool keeps_input = false;   // of a part that is recomputed: its input is kept for that
  bool opens_pass = false;    // the first of its pass ...
  bool closes_pass = false;   // ... and the last
  bool in_last_backward = false;

  [[nodiscard]] bool runs_backward() const { return runs == Runs::AgainAndBackward || runs == Runs::Backward; }
  // Whether no earlier turn has used the weights that are still at hand.
  [[nodiscard]] bool begins_use() const { return runs != Runs::Backward || !is_recomputed; }
};

[[nodiscard]] std::vector<Unit> units_of(const StageShape& stage, std::span<const schedulers::PipelinePass> passes);

} // namespace moesim::workloads
