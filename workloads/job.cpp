#include "workloads/job.hpp"

#include <utility>

namespace moesim::workloads {

std::int64_t Job::first_layer(std::int64_t virtual_stage) const {
  std::int64_t first = 0;
  for (std::int64_t before = 0; before < virtual_stage; ++before)
    first += layers_of(before);
  return first;
}

graph::Programs all_stages(const std::function<void(const StageVisitor&)>& visit_all) {
  graph::Programs programs;
  visit_all([&](graph::Program program, const graph::Programs& tables) {
    programs.stages.push_back(std::move(program));
    programs.works = tables.works;
    programs.names = tables.names;
    programs.families = tables.families;
    programs.loads = tables.loads;
  });
  return programs;
}

} // namespace moesim::workloads
