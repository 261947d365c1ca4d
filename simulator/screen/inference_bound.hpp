// The bound of a batch of inference, by the same argument as that of training (training_bound.hpp). Here the stages'
// programs repeat themselves step after step, so that the longest of a few paths stands for the critical one.
#pragma once

#include <vector>

#include "simulator/screen/part_times.hpp"
#include "simulator/screen/rank_chains.hpp"

namespace moesim::screen {

class InferenceBound {
public:
  // All must outlive this. set_model() of the parts comes before of().
  InferenceBound(CommunicationTimes& communication, RankChains& chains, PartTimesTable& parts)
      : communication_(communication), chains_(chains), parts_(parts) {}

  [[nodiscard]] Seconds of(const workloads::InferenceJob& job);

private:
  [[nodiscard]] StepTimes busy(const workloads::InferenceJob& job, std::size_t stage, const RankChain& chain);
  [[nodiscard]] Seconds along(const workloads::InferenceJob& job, const RankChain& chain);

  CommunicationTimes& communication_;
  RankChains& chains_;
  PartTimesTable& parts_;
  std::vector<StepTimes> stages_; // of the candidate at hand
};

} // namespace moesim::screen
