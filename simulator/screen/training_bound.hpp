// The bound of a training iteration: the critical path through one rank of each stage, with every communication on idle
// links. Those ranks' tasks, and the edges between them, are a part of the job's task graph, which no executor runs
// faster than its critical path: so whatever the schedule, the sharding and the overlap are, the bound holds. What it
// leaves out is that links are shared, and that ranks wait for others that are slower than they are.
#pragma once

#include <array>
#include <vector>

#include "simulator/screen/chunk_order.hpp"
#include "simulator/screen/part_times.hpp"
#include "simulator/screen/pass_order.hpp"
#include "simulator/screen/rank_chains.hpp"
#include "simulator/screen/stage_clock.hpp"
#include "simulator/screen/turn_lists.hpp"

namespace moesim::screen {

// Of costs of parts, behind those of layers.
inline constexpr std::size_t embedding_index = layer_kind_count;
inline constexpr std::size_t head_index = layer_kind_count + 1;
[[nodiscard]] inline std::size_t index_of_part(const workloads::StageShape& stage, std::int64_t part) {
  if (part == 0)
    return embedding_index;
  return part == stage.head() ? head_index : index_of(stage.kind_of(part));
}

// One micro-batch in a chunk of a stage.
struct ChunkTimes {
  Seconds forward, backward;
  Seconds weight; // of the backward: may come later
};

// What the passes of each stage take for one micro-batch on idle links, and a transfer to a neighbour at most.
struct StageCosts {
  std::vector<schedulers::PassCosts> stages; // s
  Seconds transfer;
};

class TrainingBound {
public:
  // All must outlive this. set_model() of the parts comes before of().
  TrainingBound(const platforms::Cluster& cluster, CommunicationTimes& communication, RankChains& chains,
                PartTimesTable& parts)
      : cluster_(cluster), communication_(communication), chains_(chains), parts_(parts) {}

  [[nodiscard]] Seconds of(const workloads::TrainingJob& job);
  [[nodiscard]] Seconds of_layout(const workloads::TrainingJob& job); // layout_bound.cpp
  [[nodiscard]] StageCosts costs_of(const workloads::TrainingJob& job);

private:
  // Of one part of the model, on the ranks of a place.
  struct PartCosts {
    PartTimes::Passes passes;
    Seconds again; // of a layer: its forward, when it is recomputed
    Seconds gather, reduce;
    Seconds copy;                        // out of what was gathered
    workloads::RankParameters completed; // whose gradients are reduced in buckets
  };
  // Of all: layers by index_of() their kind, then embedding and head.
  struct PlaceCosts {
    PlaceId place = 0;
    std::array<PartCosts, layer_kind_count + 2> parts;
    Seconds modules_again; // in the head's backward
  };
  struct Stage {
    StageClock clock;
    std::vector<Pass> passes;
    Seconds to_next, to_previous; // transfers of a micro-batch
    Seconds sent_next, sent_previous;
  };

  void cost_parts(const workloads::TrainingJob& job, PlaceId place);
  [[nodiscard]] BusyTimes least_busy(const workloads::TrainingJob& job, PlaceId place);
  [[nodiscard]] Seconds least_replica_traffic(const workloads::TrainingJob& job, const Place& place);
  [[nodiscard]] Seconds gather_time(const workloads::Training& training, const workloads::RankParameters& parameters,
                                    const Place& place);
  [[nodiscard]] Seconds reduce_time(const workloads::Training& training, const workloads::RankParameters& parameters,
                                    const Place& place);
  [[nodiscard]] const PlaceCosts& costs_at(const workloads::TrainingJob& job, PlaceId place);
  void fill_turns(const workloads::StageShape& shape, const PlaceCosts& costs, Stage& stage);
  void fill_buckets(const workloads::StageShape& shape, const PlaceCosts& costs,
                    const std::vector<workloads::Unit>& units, std::vector<Turn>& turns);
  [[nodiscard]] Seconds along(const workloads::TrainingJob& job, const RankChain& chain);
  void run_passes(const workloads::TrainingJob& job, const std::vector<OrderedPass>& order);
  void exchange_embedding_gradients(const workloads::TrainingJob& job, const RankChain& chain);
  // Any schedule's (schedule_bound.cpp).
  [[nodiscard]] Seconds along_work(const workloads::TrainingJob& job, const RankChain& chain);
  [[nodiscard]] ChunkTimes chunk_times(const workloads::StageShape& shape, const PlaceCosts& costs, bool hides);
  [[nodiscard]] std::vector<ChunkTimes> times_of_chunks(const workloads::TrainingJob& job, const RankChain& chain);
  // When each stage has run its passes, in their order; requires that the job's sizes decide it.
  [[nodiscard]] std::vector<Seconds> ends_of_passes(const workloads::TrainingJob& job, const RankChain& chain,
                                                    const std::vector<ChunkTimes>& times);
  void start_clocks_at(const std::vector<Seconds>& ends, const workloads::Training& training);
  [[nodiscard]] Seconds finish(const workloads::TrainingJob& job, const RankChain& chain);

  const platforms::Cluster& cluster_;
  CommunicationTimes& communication_;
  RankChains& chains_;
  PartTimesTable& parts_;
  PassOrders orders_;
  ChunkOrders chunk_orders_;
  TurnListTable turn_lists_;
  // Of the candidate at hand.
  PartTimesTable::Shape shape_ = 0;
  std::vector<PlaceCosts> costs_;
  std::vector<Stage> stages_;
  std::vector<Seconds> activations_, gradients_;      // when they arrive, by slot
  std::vector<workloads::RankParameters> parameters_; // of each stage
};

} // namespace moesim::screen
