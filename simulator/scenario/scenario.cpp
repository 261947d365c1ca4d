#include "simulator/scenario/scenario.hpp"

#include <algorithm>

#include "workloads/stage_memory.hpp"

namespace moesim::scenario {

const workloads::Job& Scenario::job() const {
  return std::visit([](const auto& of) -> const workloads::Job& { return of; }, work);
}

workloads::Job& Scenario::job() {
  return std::visit([](auto& of) -> workloads::Job& { return of; }, work);
}

Bytes estimated_memory(const Scenario& scenario) {
  Bytes fullest;
  for (const workloads::StageMemory& stage :
       std::visit([](const auto& job) { return workloads::stage_memories(job); }, scenario.work))
    fullest = std::max(fullest, stage.at_peak.total());
  return fullest;
}

Precision Scenario::precision() const {
  return is_training() ? training_job().training.precision : inference_job().inference.precision;
}

} // namespace moesim::scenario
