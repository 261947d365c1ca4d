// How long an iteration (or a batch of inference) takes at least, in microseconds of computing instead of seconds of
// simulating: for a search that need not simulate what cannot be the best.
//
// The bound is the critical path through some ranks of the job with every communication on idle links, hence never more
// than the simulated time, under every executor (training_bound.hpp has the argument), and equal to it where ranks are
// alike and links are not shared. Memory is another question: workloads/stage_memory.hpp.
#pragma once

#include <string_view>

#include "platforms/cluster.hpp"
#include "simulator/screen/communication_times.hpp"
#include "simulator/screen/inference_bound.hpp"
#include "simulator/screen/part_times.hpp"
#include "simulator/screen/rank_chains.hpp"
#include "simulator/screen/training_bound.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::screen {

// Bounds candidate layouts of a model on a cluster. Keeps what candidates share, so that a search wants one screen for
// all (each of its threads its own); another model than the last job's is allowed, and starts with nothing kept. The
// result does not depend on what was asked before.
class Screen {
public:
  // `cluster` must outlive this. The order is that of the ranks, of all jobs; the options say how they communicate.
  // What launches cost the host may hide behind the GPU, and is left out.
  explicit Screen(const platforms::Cluster& cluster, std::string_view rank_order = workloads::default_rank_order,
                  const cost::NetworkOptions& options = {})
      : options_(options), communication_(cluster, options_), chains_(cluster, communication_, rank_order),
        parts_(cluster, communication_, chains_), training_(cluster, communication_, chains_, parts_),
        inference_(communication_, chains_, parts_) {}
  Screen(const Screen&) = delete; // its parts refer to each other
  Screen& operator=(const Screen&) = delete;
  ~Screen() = default;

  // Each requires a job that scenario::load() accepts on the cluster.
  [[nodiscard]] Seconds lower_bound(const workloads::TrainingJob& job);
  [[nodiscard]] Seconds lower_bound(const workloads::InferenceJob& job);

  // Of every job of the same model, degrees of parallelism but vpp, batch and micro-batch, whatever its schedule,
  // recomputation, sharding and overlap are; all of them may be set in `job`, and mean nothing. Less tight by far.
  [[nodiscard]] Seconds layout_bound(const workloads::TrainingJob& job);

  // What a search for an order of passes wants to know; of a job whose schedule has one chunk a stage.
  [[nodiscard]] StageCosts pass_costs(const workloads::TrainingJob& job);

private:
  cost::NetworkOptions options_;
  CommunicationTimes communication_;
  RankChains chains_;
  PartTimesTable parts_;
  TrainingBound training_;
  InferenceBound inference_;
};

} // namespace moesim::screen
