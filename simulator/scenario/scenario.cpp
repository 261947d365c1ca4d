#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

const workloads::Job& Scenario::job() const {
  return std::visit([](const auto& of) -> const workloads::Job& { return of; }, work);
}

workloads::Job& Scenario::job() {
  return std::visit([](auto& of) -> workloads::Job& { return of; }, work);
}

Precision Scenario::precision() const {
  return is_training() ? training_job().training.precision : inference_job().inference.precision;
}

} // namespace moesim::scenario
