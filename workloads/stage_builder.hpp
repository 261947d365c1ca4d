// Writes what one stage of the pipeline does in an iteration: its passes in their order, transfers to and from its
// neighbours, and what data-parallel ranks and the optimizer do around them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "workloads/arrivals.hpp"
#include "workloads/data_parallel.hpp"
#include "workloads/stage_parts.hpp"
#include "workloads/stage_units.hpp"
#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

class StageBuilder {
public:
  // All must outlive this; `order` is that of all stages.
  StageBuilder(const TrainingJob& job, ProgramTables& tables, const StageParts& parts,
               const schedulers::PipelineOrder& order, std::int64_t stage);

  [[nodiscard]] graph::Program build();

private:
  using Index = StageWriter::Index;
  using Steps = std::vector<SegmentStep>;

  // Some turns of a part in a row: [first, last) of units_.
  struct Turns {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  // A pass that runs together with another: the turns that are left, and how far the first of them has come.
  struct Side {
    Turns turns;
    std::vector<SegmentStep> steps{}; // of the first turn
    std::size_t next = 0;             // of the steps
    std::vector<Index> beside{};      // what the step after the next waits for, ...
    std::vector<Index> running{};     // ... and what the side's next step does: an all-to-all of experts
    [[nodiscard]] bool has_turns() const { return turns.first < turns.last; }
  };
  // The steps of a turn, for a layer or none.
  struct Play {
    const Steps* steps = nullptr;
    std::int64_t layer = -1;
  };

  [[nodiscard]] const TrainingJob& job() const { return stage_.job; }
  [[nodiscard]] const StageShape& shape_of(const Unit& unit) const { return stage_.chunks[unit.chunk]; }
  [[nodiscard]] Turns pass_at(std::size_t first) const;
  void move_experts();
  void run_passes();
  void run(Turns pass);
  void run_together(Turns a, Turns b);
  void run_to_all_to_all(Side& side);
  void begin_turn(Side& side);
  void finish_iteration();

  void receive(const Unit& opening);
  void post(const Arrival& arrival);
  void send(std::span<const Unit> closing);

  // What a unit runs, in order.
  [[nodiscard]] std::vector<Play> plays(const Unit& unit) const;
  void add_layer(const Unit& unit, const LayerSteps& layer, std::int64_t number, std::vector<Play>& plays) const;
  void add_head(const Unit& unit, std::vector<Play>& plays) const;
  [[nodiscard]] bool recomputes_modules() const;

  ProgramTables& tables_;
  const StageParts& parts_;
  PipelineStage stage_;
  schedulers::Chunks chunks_;
  std::vector<Unit> units_;
  StageWriter writer_;
  DataParallel data_parallel_;
  Arrivals arrivals_;
  std::map<std::tuple<bool, std::int64_t, std::int32_t>, Index> posted_; // receives that no pass has used yet
  std::vector<Index> end_of_pass_;                                       // of the latest, less its sends
};

} // namespace moesim::workloads
