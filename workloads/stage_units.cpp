#include "workloads/stage_units.hpp"

#include <algorithm>
#include <array>
#include <map>
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

  std::vector<Unit> cut(PassKind kind) {
    if (kind == PassKind::Forward)
      forward();
    else if (kind == PassKind::BackwardWeight)
      backward_weight();
    else
      backward(kind == PassKind::BackwardInput);
    if (!units_.empty())
      units_.back().closes_pass = true;
    return std::move(units_);
  }

private:
  void forward() {
    for (std::int64_t part = stage_.first_part(); part <= stage_.last_part(); ++part)
      add(part, Runs::Forward);
  }

  // The embedding has no input whose gradient somebody waits for: its turn is not split.
  void backward(bool leaves_weights) {
    for (std::int64_t part = stage_.last_part(); part >= stage_.first_part(); --part) {
      const bool runs_again = is_recomputed(part) && is_last_of_chunk(part);
      for (std::int64_t before = chunk_start(part); runs_again && before < part; ++before)
        add(before, Runs::Again);
      add(part, runs_again ? Runs::AgainAndBackward : Runs::Backward);
      units_.back().leaves_weights = leaves_weights && part > 0;
    }
  }

  void backward_weight() {
    for (std::int64_t part = stage_.last_part(); part > 0; --part)
      add(part, Runs::BackwardWeight);
  }

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

// The passes of one chunk that tell its turns apart.
struct ChunkPasses {
  const PipelinePass* first_forward = nullptr;
  const PipelinePass* last_input = nullptr;  // gives the last gradient of the input
  const PipelinePass* last_weight = nullptr; // gives the last gradients of weights
  std::array<std::vector<Unit>, 4> units;    // by kind of pass, as they come up
};

std::vector<ChunkPasses> chunk_passes(const PipelineStage& stage, std::span<const PipelinePass> passes) {
  std::vector<ChunkPasses> chunks(stage.chunks.size());
  for (const PipelinePass& pass : passes) {
    const auto index = static_cast<std::size_t>(pass.chunk);
    ChunkPasses& chunk = chunks[index];
    std::vector<Unit>& units = chunk.units[static_cast<std::size_t>(pass.kind)];
    if (units.empty())
      units = units_of_pass(stage.chunks[index], pass.kind);
    if (pass.kind == PassKind::Forward && chunk.first_forward == nullptr)
      chunk.first_forward = &pass;
    if (pass.kind == PassKind::Backward || pass.kind == PassKind::BackwardInput)
      chunk.last_input = &pass;
    if (pass.kind == PassKind::Backward || pass.kind == PassKind::BackwardWeight)
      chunk.last_weight = &pass;
  }
  return chunks;
}

// The weights' turn of the head may come after that of the embedding, to whose table it may add: of the micro-batch,
// or, where gradients are reduced once, of the iteration.
void mark_later_heads(const PipelineStage& stage, std::vector<Unit>& units) {
  const bool reduces_each = stage.job.training.shards_gradients();
  std::map<std::int32_t, Unit*> embeddings; // by micro-batch, their turns so far
  for (Unit& unit : units) {
    if (!unit.completes_gradients() || !(reduces_each || unit.in_last_backward))
      continue;
    const std::int32_t micro_batch = reduces_each ? unit.micro_batch : 0;
    if (unit.part == 0)
      embeddings[micro_batch] = &unit;
    else if (unit.part == stage.chunks[unit.chunk].head() && embeddings.contains(micro_batch))
      unit.head_is_last = embeddings[micro_batch]->head_is_last = true;
  }
}

} // namespace

PartParameters part_parameters(const StageShape& stage, std::int64_t part) {
  if (part == 0)
    return embedding_part(stage.job);
  return part == stage.head() ? head_part(stage.job) : layer_part(stage.job, stage.kind_of(part));
}

RankParameters completed_by(const StageShape& stage, const Unit& unit) {
  const PartParameters part = part_parameters(stage, unit.part);
  return unit.head_is_last ? part.begun : part.completed;
}

PipelineStage::PipelineStage(const TrainingJob& of_job, std::int64_t stage) : job(of_job), index(stage) {
  const schedulers::Chunks all = job.chunks();
  for (std::int64_t chunk = 0; chunk < all.chunks; ++chunk)
    chunks.emplace_back(job, all.virtual_stage({stage, chunk}));
}

std::span<const StageShape> PipelineStage::owned() const {
  return std::span(chunks).first(job.has_two_copies() ? 1 : chunks.size());
}

bool PipelineStage::owns_first() const {
  return std::ranges::any_of(owned(), &StageShape::is_first);
}

bool PipelineStage::owns_last() const {
  return std::ranges::any_of(owned(), &StageShape::is_last);
}

std::vector<Unit> units_of_pass(const StageShape& stage, PassKind kind) {
  std::vector<Unit> units = Cutter(stage).cut(kind);
  MOESIM_CHECK(!units.empty() || kind == PassKind::BackwardWeight, "every virtual stage holds a part of the model");
  return units;
}

std::vector<Unit> units_of(const PipelineStage& stage, std::span<const PipelinePass> passes) {
  const std::vector<ChunkPasses> chunks = chunk_passes(stage, passes);
  std::vector<Unit> units;
  for (const PipelinePass& pass : passes) {
    const ChunkPasses& chunk = chunks[static_cast<std::size_t>(pass.chunk)];
    for (Unit unit : chunk.units[static_cast<std::size_t>(pass.kind)]) {
      unit.micro_batch = pass.micro_batch;
      unit.chunk = static_cast<std::uint8_t>(pass.chunk);
      unit.runs_with_next = pass.with_next;
      unit.in_first_forward = &pass == chunk.first_forward;
      // The embedding's turn is never split.
      unit.in_last_backward = &pass == (unit.part == 0 ? chunk.last_input : chunk.last_weight);
      units.push_back(unit);
    }
  }
  mark_later_heads(stage, units);
  return units;
}

} // namespace moesim::workloads
