// The part of a program that is not the same on every rank.
#include <algorithm>
#include <utility>

#include "simulator/graph/program.hpp"

namespace moesim::graph {

std::uint32_t Programs::spread_of(const Step& step) const {
  return loads.spread(families[step.family].batch, step.task.layer, step.task.micro_batch);
}

std::uint32_t Programs::work_on(RankId rank, const Step& step) const {
  if (step.family == no_family)
    return step.task.work;
  const TokenSpread& spread = loads.spreads[spread_of(step)];
  return families[step.family].works[spread.load_of[loads.position_of[rank.value()]]];
}

std::uint32_t Programs::matrix_of(RankId rank, const Step& step) const {
  const TokenSpread& spread = loads.spreads[spread_of(step)];
  const bool of_weights = works[work_on(rank, step)].tokens.of_weights;
  return (of_weights ? spread.weights_of : spread.matrix_of)[loads.position_of[rank.value()]];
}

Work work_in(std::span<const RankId> group, const Step& step, const Programs& programs) {
  Work work = programs.works[programs.work_on(group.front(), step)];
  if (moves_tokens(step.task.kind))
    work.tokens.matrix = programs.loads.matrices[programs.matrix_of(group.front(), step)];
  bool are_alike = true;
  std::vector<MemberUse> members;
  for (const RankId rank : group) {
    const Work& of = programs.works[programs.work_on(rank, step)];
    members.push_back({of.bytes, of.allocated, of.freed});
    are_alike = are_alike && members.back() == members.front();
    work.bytes = std::max(work.bytes, of.bytes);
  }
  if (!are_alike)
    work.members = std::move(members);
  return work;
}

} // namespace moesim::graph
