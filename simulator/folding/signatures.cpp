#include "simulator/folding/signatures.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <set>
#include <tuple>

#include "simulator/base/check.hpp"
#include "simulator/cost/communication.hpp"

namespace moesim::folding {
namespace {

using platforms::links_per_gpu;

std::uint64_t mixed_with(std::uint64_t a, double b) {
  return mixed(a, std::bit_cast<std::uint64_t>(b));
}

// A collective that a stage runs in all groups of a dimension.
struct Use {
  graph::Kind kind = graph::Kind::AllReduce;
  Bytes size;

  auto operator<=>(const Use&) const = default;
};
using Uses = std::set<Use>;

std::array<Uses, graph::dimension_count> collectives_of(const graph::Program& program,
                                                        const std::vector<graph::Work>& works) {
  std::array<Uses, graph::dimension_count> uses;
  for (const graph::Step& step : program.steps())
    if (step.task.kind != graph::Kind::Compute && step.task.kind != graph::Kind::SendRecv)
      uses[static_cast<std::size_t>(step.over)].insert({step.task.kind, works[step.task.work].bytes});
  return uses;
}

std::set<std::uint32_t> receivers_of(const graph::Program& program) {
  std::set<std::uint32_t> stages;
  for (const graph::Step& step : program.steps())
    if (step.task.kind == graph::Kind::SendRecv && !step.receives)
      stages.insert(step.peer_stage);
  return stages;
}

class Places {
public:
  Places(const workloads::Layout& layout, const platforms::Cluster& cluster)
      : layout_(layout), cluster_(cluster), signatures_(layout.position_count(), 0) {}

  void add_collectives(std::uint32_t stage, graph::Dimension dimension, const Uses& uses) {
    for (const std::vector<std::uint32_t>& group : layout_.position_groups(dimension)) {
      const Signatures& roles = roles_of(stage, dimension, group, uses);
      for (std::size_t member = 0; member < group.size(); ++member)
        add(group[member], stage, mixed(static_cast<std::uint64_t>(dimension), roles[member]));
    }
  }

  void add_transfers(std::uint32_t stage, std::uint32_t to_stage) {
    for (std::uint32_t position = 0; position < layout_.position_count(); ++position) {
      const std::int64_t from = cluster_.node_of(layout_.rank_of(stage, position).value());
      const std::int64_t to = cluster_.node_of(layout_.rank_of(to_stage, position).value());
      add(position, stage, mixed(to_stage, from == to ? 1 : 2));
    }
  }

  Signatures take() { return std::move(signatures_); }

private:
  void add(std::uint32_t position, std::uint32_t stage, std::uint64_t what) {
    signatures_[position] = mixed(signatures_[position], mixed(stage, what));
  }

  // What each member does in such a group. Groups of a dimension have their ranks at the same distances, so it depends
  // on where in its node the first one sits.
  const Signatures& roles_of(std::uint32_t stage, graph::Dimension dimension, const std::vector<std::uint32_t>& group,
                             const Uses& uses) {
    const std::uint32_t first = layout_.rank_of(stage, group.front()).value();
    const auto [entry, is_new] = roles_.try_emplace({dimension, first % cluster_.gpus_per_node, uses});
    if (is_new) {
      std::vector<RankId> ranks;
      for (const std::uint32_t position : group)
        ranks.push_back(layout_.rank_of(stage, position));
      entry->second.assign(ranks.size(), 0);
      for (const Use& use : uses)
        add_roles(ranks, use, entry->second);
    }
    return entry->second;
  }

  void add_roles(const std::vector<RankId>& ranks, const Use& use, Signatures& roles) const {
    const execution::Communication communication = cost::communication(use.kind, use.size, ranks, cluster_);
    Signatures flows(ranks.size(), 0);
    for (const execution::Flow& flow : communication.flows) {
      const std::uint32_t gpu = flow.route.front().link / links_per_gpu;
      std::uint64_t signature = mixed_with(0, flow.bytes.value());
      for (const execution::Crossing& crossing : flow.route) {
        MOESIM_CHECK(crossing.link / links_per_gpu == gpu, "a member of a collective uses its own links only");
        signature = mixed(signature, crossing.link % links_per_gpu);
      }
      const auto member = std::ranges::lower_bound(ranks, RankId(gpu)) - ranks.begin();
      flows[static_cast<std::size_t>(member)] += signature; // in whatever order
    }
    for (std::size_t member = 0; member < ranks.size(); ++member)
      roles[member] = mixed(mixed_with(roles[member], communication.latency.value()), flows[member]);
  }

  const workloads::Layout& layout_;
  const platforms::Cluster& cluster_;
  Signatures signatures_;
  std::map<std::tuple<graph::Dimension, std::int64_t, Uses>, Signatures> roles_;
};

// Adds `what` to the position of a GPU, if the job uses the GPU at all.
void add(Signatures& signatures, const workloads::Layout& layout, std::uint32_t gpu, std::uint64_t what) {
  if (gpu >= layout.world_size())
    return;
  const auto stage = static_cast<std::uint64_t>(layout.coordinates(RankId(gpu)).pp);
  std::uint64_t& signature = signatures[layout.position_of(RankId(gpu))];
  signature += mixed(stage, what); // in whatever order
}

} // namespace

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15U + b + 0x632be59bd9b4e019U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

Signatures place_signatures(const graph::Programs& programs, const workloads::Layout& layout,
                            const platforms::Cluster& cluster) {
  Places places(layout, cluster);
  for (std::uint32_t stage = 0; stage < programs.stages.size(); ++stage) {
    const auto uses = collectives_of(programs.stages[stage], programs.works);
    for (std::size_t dimension = 0; dimension < uses.size(); ++dimension)
      if (!uses[dimension].empty())
        places.add_collectives(stage, static_cast<graph::Dimension>(dimension), uses[dimension]);
    for (const std::uint32_t to_stage : receivers_of(programs.stages[stage]))
      places.add_transfers(stage, to_stage);
  }
  return places.take();
}

Signatures speed_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  Signatures signatures(layout.position_count(), 0);
  std::set<std::uint32_t> seen;
  for (const platforms::GpuOverride& slow : cluster.slow_gpus)
    if (const double speed = platforms::gpu_speed(cluster, slow.gpu); speed != 1 && seen.insert(slow.gpu).second)
      add(signatures, layout, slow.gpu, std::bit_cast<std::uint64_t>(speed));
  return signatures;
}

Signatures link_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  Signatures signatures(layout.position_count(), 0);
  std::set<std::uint32_t> seen;
  for (const platforms::LinkOverride& degraded : cluster.degraded_links)
    if (degraded.bandwidth_factor != 1 && seen.insert(degraded.link).second)
      add(signatures, layout, degraded.link / links_per_gpu,
          mixed_with(degraded.link % links_per_gpu, platforms::link_bandwidth(cluster, degraded.link).value()));
  return signatures;
}

} // namespace moesim::folding
