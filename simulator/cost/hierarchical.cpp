#include <vector>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

// One level: rings inside all nodes at once, or on all rails at once, for as many rounds (two for all-reduce).
enum class Level : std::uint8_t { Node, Rail };
struct Stage {
  Level level = Level::Node;
  double rounds = 1;
};

std::vector<Stage> stages_of(const Call& call, const Group& group) {
  std::vector<Stage> stages{{Level::Rail, call.kind == Kind::AllReduce ? 2.0 : 1.0}};
  if (group.most_local() > 1) {
    if (call.kind != Kind::AllGather) // reduce inside first, so that each rail has a part
      stages.insert(stages.begin(), {Level::Node, 1});
    if (call.kind != Kind::ReduceScatter)
      stages.push_back({Level::Node, 1});
  }
  return stages;
}

double steps_of(const Stage& stage, const Group& group) {
  return stage.rounds * ((stage.level == Level::Node ? group.most_local() : group.node_count()) - 1);
}

SharesOf shares_of(const Stage& stage, const Call& call, const Group& group) {
  const double steps = steps_of(stage, group);
  if (stage.level == Level::Node)
    return [=, size = call.size](double local) { return Shares{steps / local * size, Bytes()}; };
  return [=, size = call.size, nodes = group.node_count()](double local) {
    return Shares{Bytes(), steps / nodes / local * size};
  };
}

Seconds time_of(const Stage& stage, const Call& call, const Group& group) {
  const double steps = steps_of(stage, group);
  Transfer sent = transfer(group, shares_of(stage, call, group));
  const double exposed = 1 + group.cluster().ring_exposed_steps / steps; // as of any ring
  sent = {exposed / group.in_node_efficiency() * sent.near, exposed * sent.far};
  return fastest(collective_protocols(group.cluster()),
                 stage.level == Level::Node ? Steps{steps, 0} : Steps{0, steps, group.mean_hop()}, sent);
}

} // namespace

bool can_hierarchical(const Call& /*call*/, const Group& group) {
  return group.spans_nodes() && group.is_even();
}

Seconds hierarchical_time(const Call& call, const Group& group) {
  Seconds sum;
  for (const Stage& stage : stages_of(call, group))
    sum += time_of(stage, call, group);
  return sum;
}

execution::Communication hierarchical(const Call& call, const Group& group) {
  std::vector<execution::Communication> stages;
  for (const Stage& stage : stages_of(call, group))
    stages.push_back(in_steps(group, shares_of(stage, call, group), time_of(stage, call, group), steps_of(stage, group),
                              detail_of(call)));
  return one_by_one(std::move(stages));
}

} // namespace moesim::cost
