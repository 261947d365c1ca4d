// What the data-parallel ranks of a stage send each other, and when: gradients are reduced after backward passes, and
// parameters gathered, around the turns of the stage's parts. All of it is on one stream, in order of issue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workloads/part_state.hpp"
#include "workloads/stage_units.hpp"
#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

// What the collectives of a rank are about, as nccl-tests counts their size: gathered parameters, summed gradients, as
// many bytes as these have when they are sent.
[[nodiscard]] RankBytes gathered_bytes(const Training& training, const RankParameters& parameters);
[[nodiscard]] RankBytes reduced_bytes(const Training& training, const RankParameters& parameters);

// The kernel that copies a part's parameters out of what was gathered of those that other ranks have, before the turn
// that waits for them; moves nothing where they are used as they were gathered.
[[nodiscard]] Operator copy_gathered(const TrainingJob& job, const RankParameters& parameters);

// Of the parameters whose gradients wait to be reduced beside the backward, those that are now: a full bucket, or,
// after the last part, what is left.
[[nodiscard]] RankParameters full_buckets(const TrainingJob& job, const RankParameters& waiting, bool is_last);

// The kernel between a gradient and what is sent of it: it reads the one and writes the other. `gradients` have the
// bytes that they have uncompressed; requires that there is a compression.
[[nodiscard]] Operator compress_gradients(const Training& training, Bytes gradients);

class DataParallel {
public:
  // All must outlive this; `units` are the stage's, in order.
  DataParallel(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer, std::span<const Unit> units)
      : stage_(stage), tables_(tables), writer_(writer), units_(units),
        turn_gathers_(static_cast<std::size_t>(stage.job.training.prefetch) + 1) {}

  void begin(); // before the first unit
  void before(std::size_t unit);
  void after(std::size_t unit);
  void finish_gradients(); // what comes next has the sum of all gradients
  void after_optimizer_step();

private:
  using Indices = std::vector<StageWriter::Index>;
  // Collectives under way, and the parameters whose gradients they sum.
  struct Reductions {
    Indices steps;
    RankParameters parameters;
  };

  [[nodiscard]] const Training& training() const { return stage_.job.training; }
  [[nodiscard]] const StageShape& shape_of(const Unit& unit) const { return stage_.chunks[unit.chunk]; }
  [[nodiscard]] Occasion occasion_of(const Unit& unit) const {
    return {unit.micro_batch, shape_of(unit).layer_of(unit.part), unit.chunk};
  }
  [[nodiscard]] Indices& gathered_for_turn(std::size_t unit) { return turn_gathers_[unit % turn_gathers_.size()]; }
  void gather_for_turn(std::size_t unit);
  void gather_ahead(std::size_t next);
  void copy_out(const Unit& unit);
  void reduce_after_turn(std::size_t unit);
  void reduce_bucket(const RankParameters& added, const Occasion& occasion, bool is_last);
  Indices gather(const RankParameters& parameters, const RankBytes& memory, const Occasion& occasion);
  Reductions reduce(const RankParameters& parameters, const Occasion& occasion);
  void add(const Reductions& more);
  void finish(Reductions& reductions); // what comes next has their sums
  void compress(const RankParameters& parameters);
  void decompress(const RankParameters& parameters);
  void over_replicas(const Segment& segment, graph::Phase phase, const Occasion& occasion, Indices& added);

  const PipelineStage& stage_;
  ProgramTables& tables_;
  StageWriter& writer_;
  std::span<const Unit> units_;
  std::vector<std::vector<Indices>> gathered_ahead_; // by chunk and part, what its first forward waits for
  std::vector<Indices> turn_gathers_;                // of this unit and those after it that are fetched ahead
  std::size_t fetched_ = 0;                          // units, the first ones, that have been gathered for
  RankParameters bucket_;                            // whose gradients are complete, and not yet reduced
  Reductions reductions_;                            // that nothing waits for yet, but for ...
  Reductions latest_reductions_;                     // ... those of the latest unit, when gradients are sharded
};

} // namespace moesim::workloads
