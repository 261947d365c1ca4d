// What tells ranks apart whose experts do not have equally much to do.
#include <set>
#include <utility>

#include "simulator/base/mixed.hpp"
#include "simulator/folding/signatures.hpp"

namespace moesim::folding {

std::vector<graph::Step> steps_by_load(const graph::Program& program, const graph::Programs& programs) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  std::vector<graph::Step> steps;
  for (const graph::Step& step : program.steps())
    if (step.family != graph::no_family && seen.emplace(step.family, programs.spread_of(step)).second)
      steps.push_back(step);
  return steps;
}

std::vector<std::uint32_t> works_in(std::span<const RankId> group, const graph::Step& step,
                                    const graph::Programs& programs) {
  std::vector<std::uint32_t> works;
  for (const RankId rank : group)
    works.push_back(programs.work_on(rank, step));
  works.push_back(programs.matrix_of(group.front(), step));
  return works;
}

cost::Call call_in(std::span<const RankId> group, const graph::Step& step, const graph::Programs& programs,
                   const cost::NetworkOptions& options) {
  const graph::Work work = graph::work_in(group, step, programs);
  return cost::call_of(step.task.kind, step.task.stream, work.bytes, work.routing, options, work.tokens);
}

Signatures load_signatures(const graph::Programs& programs, const workloads::Layout& layout, Signatures signatures) {
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : steps_by_load(program, programs))
      for (std::uint32_t position = 0; position < signatures.size(); ++position)
        signatures[position] = mixed(signatures[position], programs.work_on(layout.rank_of(0, position), step));
  return signatures;
}

} // namespace moesim::folding
