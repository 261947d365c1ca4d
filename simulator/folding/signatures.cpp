#include "simulator/folding/signatures.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <set>
#include <tuple>

#include "simulator/base/check.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/cost/cost_table.hpp"

namespace moesim::folding {
namespace {

using platforms::links_per_gpu;

std::uint64_t mixed_with(std::uint64_t a, double b) {
  return mixed(a, std::bit_cast<std::uint64_t>(b));
}

// The stages that a stage sends to or receives from.
std::set<std::uint32_t> peers_of(const graph::Program& program) {
  std::set<std::uint32_t> stages;
  for (const graph::Step& step : program.steps())
    if (step.task.kind == graph::Kind::SendRecv)
      stages.insert(step.peer_stage);
  return stages;
}

// What the members of a group do in it.
struct Roles {
  Signatures signatures;
  std::vector<bool> use_trunks;
};

class Surveyor {
public:
  Surveyor(const std::vector<graph::Work>& works, const workloads::Layout& layout, const platforms::Cluster& cluster,
           const cost::NetworkOptions& options)
      : works_(works), layout_(layout), cluster_(cluster), options_(options),
        gpus_per_leaf_(cluster.gpus_per_node * std::max<std::int64_t>(1, cluster.fabric.nodes_per_leaf)) {
    places_.signatures.assign(layout.position_count(), 0);
    places_.leaves.resize(cost::each_leaf(layout.world_size(), cluster).size());
  }

  void survey(std::uint32_t stage, const graph::Program& program) {
    std::vector<bool> use_trunks(layout_.position_count(), false);
    const auto uses = collectives_of(program, works_);
    for (std::size_t dimension = 0; dimension < uses.size(); ++dimension)
      if (!uses[dimension].empty())
        add_collectives(stage, static_cast<graph::Dimension>(dimension), uses[dimension], use_trunks);
    for (const std::uint32_t peer : peers_of(program))
      add_transfers(stage, peer, use_trunks);
    for (std::uint32_t position = 0; position < use_trunks.size(); ++position)
      if (use_trunks[position])
        places_.leaves[static_cast<std::size_t>(cluster_.leaf_of(layout_.rank_of(stage, position).value()))].push_back(
            {stage, position});
  }

  Places take() { return std::move(places_); }

private:
  void add(std::uint32_t position, std::uint32_t stage, std::uint64_t what) {
    places_.signatures[position] = mixed(places_.signatures[position], mixed(stage, what));
  }

  void add_collectives(std::uint32_t stage, graph::Dimension dimension, const Uses& uses,
                       std::vector<bool>& use_trunks) {
    const auto [groups, is_new] = groups_.try_emplace(dimension);
    if (is_new)
      groups->second = layout_.position_groups(dimension);
    for (const std::vector<std::uint32_t>& group : groups->second) {
      const Roles& roles = roles_of(stage, dimension, group, uses);
      for (std::size_t member = 0; member < group.size(); ++member) {
        add(group[member], stage, mixed(static_cast<std::uint64_t>(dimension), roles.signatures[member]));
        if (roles.use_trunks[member])
          use_trunks[group[member]] = true;
      }
    }
  }

  void add_transfers(std::uint32_t stage, std::uint32_t peer, std::vector<bool>& use_trunks) {
    for (std::uint32_t position = 0; position < layout_.position_count(); ++position) {
      const std::uint32_t from = layout_.rank_of(stage, position).value();
      const std::uint32_t to = layout_.rank_of(peer, position).value();
      const bool share_node = cluster_.node_of(from) == cluster_.node_of(to);
      const bool share_leaf = cluster_.leaf_of(from) == cluster_.leaf_of(to);
      add(position, stage, mixed(peer, share_node ? 1 : share_leaf ? 2 : 3));
      if (!share_leaf)
        use_trunks[position] = true;
    }
  }

  // Groups of a dimension have their ranks at the same distances, so what members do depends on where in its leaf the
  // first one sits.
  const Roles& roles_of(std::uint32_t stage, graph::Dimension dimension, const std::vector<std::uint32_t>& group,
                        const Uses& uses) {
    const std::uint32_t first = layout_.rank_of(stage, group.front()).value();
    const auto [entry, is_new] = roles_.try_emplace({dimension, first % gpus_per_leaf_, uses});
    if (is_new) {
      std::vector<RankId> ranks;
      for (const std::uint32_t position : group)
        ranks.push_back(layout_.rank_of(stage, position));
      entry->second = {Signatures(ranks.size(), 0), std::vector<bool>(ranks.size(), false)};
      for (const Use& use : uses)
        if (!simulates_pairs(use, options_)) // exchanges.hpp has those
          add_roles(ranks, use, entry->second);
    }
    return entry->second;
  }

  void add_roles(const std::vector<RankId>& ranks, const Use& use, Roles& roles) const {
    const execution::Communication communication = cost::communication(call_of(use, options_), ranks, cluster_);
    const std::uint32_t first_trunk = trunk_of(cluster_, 0, platforms::Trunk::Up);
    std::map<std::uint32_t, std::uint64_t> over_trunk; // what this communication sends, in whatever order
    for (const execution::Flow& flow : communication.flows)
      for (const execution::Crossing& crossing : flow.route)
        if (crossing.link >= first_trunk)
          over_trunk[crossing.link] += mixed_with(1, flow.bytes.value());
    Signatures flows(ranks.size(), 0);
    for (const execution::Flow& flow : communication.flows) {
      const auto on_gpu = std::ranges::find_if(flow.route, [&](const auto& at) { return at.link < first_trunk; });
      MOESIM_CHECK(on_gpu != flow.route.end(), "a flow starts or ends at a GPU");
      const std::uint32_t gpu = on_gpu->link / links_per_gpu;
      const auto member = static_cast<std::size_t>(std::ranges::lower_bound(ranks, RankId(gpu)) - ranks.begin());
      std::uint64_t signature = mixed_with(0, flow.bytes.value());
      for (const execution::Crossing& crossing : flow.route)
        if (crossing.link >= first_trunk) {
          signature = mixed(signature, mixed(links_per_gpu + (crossing.link - first_trunk) % platforms::trunks_per_leaf,
                                             over_trunk[crossing.link]));
          roles.use_trunks[member] = true;
        } else {
          MOESIM_CHECK(crossing.link / links_per_gpu == gpu, "a member of a collective uses its own links only");
          signature = mixed(signature, crossing.link % links_per_gpu);
        }
      flows[member] += signature; // in whatever order
    }
    for (std::size_t member = 0; member < ranks.size(); ++member)
      roles.signatures[member] =
          mixed(mixed_with(roles.signatures[member], communication.latency.value()), flows[member]);
  }

  const std::vector<graph::Work>& works_;
  const workloads::Layout& layout_;
  const platforms::Cluster& cluster_;
  const cost::NetworkOptions& options_;
  std::int64_t gpus_per_leaf_;
  Places places_;
  std::map<graph::Dimension, std::vector<std::vector<std::uint32_t>>> groups_;
  std::map<std::tuple<graph::Dimension, std::int64_t, Uses>, Roles> roles_;
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

bool simulates_pairs(const Use& use, const cost::NetworkOptions& options) {
  return options[static_cast<std::size_t>(use.stream)].fidelity == cost::Fidelity::Flow;
}

cost::Call call_of(const Use& use, const cost::NetworkOptions& options) {
  return cost::call_of(use.kind, use.stream, use.size, use.routing, options);
}

std::array<Uses, graph::dimension_count> collectives_of(const graph::Program& program,
                                                        const std::vector<graph::Work>& works) {
  std::array<Uses, graph::dimension_count> uses;
  for (const graph::Step& step : program.steps())
    if (step.task.kind != graph::Kind::Compute && step.task.kind != graph::Kind::SendRecv) {
      const graph::Work& work = works[step.task.work];
      uses[static_cast<std::size_t>(step.over)].insert({step.task.kind, step.task.stream, work.bytes, work.routing});
    }
  return uses;
}

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15U + b + 0x632be59bd9b4e019U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

Places places_of(const graph::Programs& programs, const workloads::Layout& layout, const platforms::Cluster& cluster,
                 const cost::NetworkOptions& options) {
  Surveyor surveyor(programs.works, layout, cluster, options);
  for (std::uint32_t stage = 0; stage < programs.stages.size(); ++stage)
    surveyor.survey(stage, programs.stages[stage]);
  return surveyor.take();
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
  for (const platforms::LinkOverride& degraded : cluster.degraded_links) {
    const BytesPerSecond bandwidth = platforms::link_bandwidth(cluster, degraded.link);
    if (bandwidth != platforms::whole_bandwidth(cluster, degraded.link) && seen.insert(degraded.link).second)
      add(signatures, layout, degraded.link / links_per_gpu,
          mixed_with(degraded.link % links_per_gpu, bandwidth.value()));
  }
  return signatures;
}

Signatures trunk_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  Signatures signatures(cost::each_leaf(layout.world_size(), cluster).size(), 0);
  for (std::size_t leaf = 0; leaf < signatures.size(); ++leaf)
    for (const platforms::Trunk trunk : {platforms::Trunk::Up, platforms::Trunk::Down})
      signatures[leaf] = mixed_with(
          signatures[leaf],
          platforms::link_bandwidth(cluster, trunk_of(cluster, static_cast<std::int64_t>(leaf), trunk)).value());
  return signatures;
}

} // namespace moesim::folding
