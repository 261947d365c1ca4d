#include "simulator/screen/screen.hpp"

namespace moesim::screen {

Seconds Screen::lower_bound(const workloads::TrainingJob& job) {
  parts_.set_model(job.model);
  return training_.of(job);
}

Seconds Screen::lower_bound(const workloads::InferenceJob& job) {
  parts_.set_model(job.model);
  return inference_.of(job);
}

Seconds Screen::layout_bound(const workloads::TrainingJob& job) {
  parts_.set_model(job.model);
  return training_.of_layout(job);
}

StageCosts Screen::pass_costs(const workloads::TrainingJob& job) {
  parts_.set_model(job.model);
  return training_.costs_of(job);
}

} // namespace moesim::screen
