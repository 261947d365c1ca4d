#include "workloads/stage_units.hpp"

#include <algorithm>
#include <utility>

#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using schedulers::PassKind;
using schedulers::PipelinePass;
using Runs = Unit::Runs;

class Cutter {
public:
  explicit Cutter(const StageShape& stage) : stage_(stage), recompute_(stage.job.training.recompute) {}

  void forward() {
    for (std::int64_t part = stage_.first_part(); part <= stage_.last_part(); ++part)
      add(part, Runs::Forward);
  }

  void backward() {
    for (std::int64_t part = stage_.last_part(); part >= stage_.first_part(); --part) {
      const bool runs_again = is_recomputed(part) && is_last_of_chunk(part);
      for (std::int64_t before = chunk_start(part); runs_again && before < part; ++before)
        add(before, Runs::Again);
      add(part, runs_again ? Runs::AgainAndBackward : Runs::Backward);
    }
  }

  std::vector<Unit> take() {
    MOESIM_CHECK(!units_.empty(), "every stage holds a part of the model");
    units_.front().opens_pass = units_.back().closes_pass = true;
    return std::exchange(units_, {});
  }

private:
  // The layers that are recomputed together with the part begin with this one.
  [[nodiscard]] std::int64_t chunk_start(std::int64_t part) const {
    return recompute_.method == Recompute::Method::Uniform
               ? (part - 1) / recompute_.num_layers * recompute_.num_layers + 1
               : part;
  }
  [[nodiscard]] bool is_last_of_chunk(std::int64_t part) const {
    return part == stage_.layers || chunk_start(part + 1) == part + 1;
  }
  [[nodiscard]] bool is_recomputed(std::int64_t part) const {
    return recompute_.is_full() && stage_.is_layer(part) &&
           (recompute_.method == Recompute::Method::Uniform || part <= recompute_.num_layers);
  }

  void add(std::int64_t part, Runs runs) {
    units_.push_back({.runs = runs,
                      .part = part,
                      .is_recomputed = is_recomputed(part),
                      .keeps_input = is_recomputed(part) && chunk_start(part) == part});
  }

  const StageShape& stage_;
  const Recompute& recompute_;
  std::vector<Unit> units_;
};

} // namespace

PartParameters part_parameters(const StageShape& stage, std::int64_t part) {
  if (part == 0)
    return embedding_part(stage.job);
  return part == stage.head() ? head_part(stage.job) : layer_part(stage.job, stage.kind_of(part));
}

std::vector<Unit> units_of(const StageShape& stage, std::span<const PipelinePass> passes) {
  const auto last_backward = std::ranges::find(passes.rbegin(), passes.rend(), PassKind::Backward, &PipelinePass::kind);
  std::vector<Unit> units;
  Cutter cutter(stage);
  for (const PipelinePass& pass : passes) {
    if (pass.kind == PassKind::Forward)
      cutter.forward();
    else
      cutter.backward();
    for (Unit unit : cutter.take()) {
      unit.micro_batch = pass.micro_batch;
      unit.in_last_backward = &pass == &*last_backward;
      units.push_back(unit);
    }
  }
  return units;
}

} // namespace moesim::workloads
