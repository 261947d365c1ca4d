#include "workloads/job.hpp"

namespace moesim::workloads {

std::int64_t Job::first_layer(std::int64_t virtual_stage) const {
  std::int64_t first = 0;
  for (std::int64_t before = 0; before < virtual_stage; ++before)
    first += layers_of(before);
  return first;
}

} // namespace moesim::workloads
