// What the data-parallel ranks of a stage send each other, and when: gradients are reduced after backward passes, and
// parameters gathered, around the turns of the stage's parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workloads/rank_parameters.hpp"
#include "workloads/stage_units.hpp"
#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

class DataParallel {
public:
  // All must outlive this; `units` are the stage's, in order.
  DataParallel(const StageShape& stage, ProgramTables& tables, StageWriter& writer, std::span<const Unit> units)
      : stage_(stage), tables_(tables), writer_(writer), units_(units) {}

  void begin(); // before the first unit
  void before(std::size_t unit);
  void after(std::size_t unit);
  void finish_gradients(); // what comes next has the sum of all gradients
  void after_optimizer_step();

private:
  using Indices = std::vector<StageWriter::Index>;

  [[nodiscard]] const Training& training() const { return stage_.job.training; }
  Indices gather(const RankParameters& parameters, std::int64_t layer);
  Indices reduce(const RankParameters& parameters, std::int64_t layer);
  void over_replicas(const char* name, graph::Kind kind, graph::Dimension over, graph::Phase phase, double bytes,
                     std::int64_t layer, Indices& added);

  const StageShape& stage_;
  ProgramTables& tables_;
  StageWriter& writer_;
  std::span<const Unit> units_;
  Indices reductions_;            // what the optimizer waits for
  std::vector<Indices> gathered_; // by part, what its first forward waits for
};

} // namespace moesim::workloads
