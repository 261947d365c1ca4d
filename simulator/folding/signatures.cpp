#include "simulator/folding/signatures.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <map>
#include <set>
#include <tuple>

#include "platforms/links.hpp"
#include "platforms/routes.hpp"
#include "simulator/base/check.hpp"
#include "simulator/base/mixed.hpp"
#include "simulator/cost/communication.hpp"

namespace moesim::folding {
namespace {

using platforms::Tier;
using platforms::Trunk;

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

// The tiers whose trunks a GPU sends or receives over.
using Tiers = std::bitset<platforms::tiers.size()>;

std::size_t at(Tier tier) {
  return static_cast<std::size_t>(tier);
}

// What the members of a group do in it.
struct Roles {
  Signatures signatures;
  std::vector<Tiers> over;
};

// After how many GPUs a cluster looks the same again, that it has an end aside.
std::int64_t period_of(const platforms::Cluster& cluster) {
  const std::int64_t leaves = cluster.has_pods() ? cluster.fabric.leaves_per_pod / cluster.leaves_per_node() : 1;
  return cluster.gpus_per_node * std::max<std::int64_t>(1, cluster.fabric.nodes_per_leaf) * leaves;
}

class Surveyor {
public:
  Surveyor(const graph::Programs& programs, const workloads::Layout& layout, const platforms::Cluster& cluster,
           const cost::NetworkOptions& options)
      : programs_(programs), layout_(layout), cluster_(cluster), options_(options), period_(period_of(cluster)),
        links_per_gpu_(links_per_gpu(cluster)), first_trunk_(first_trunk(cluster)),
        trunks_(trunks_above(cluster, layout.world_size())) {
    places_.signatures.assign(layout.position_count(), 0);
    places_.by_load.assign(layout.position_count(), 0);
    places_.users_of_trunk.resize(trunks_.size());
  }

  void survey(std::uint32_t stage, const graph::Program& program) {
    std::vector<Tiers> over(layout_.position_count());
    const auto uses = collectives_of(program, programs_.works);
    for (std::size_t dimension = 0; dimension < uses.size(); ++dimension)
      if (!uses[dimension].empty())
        add_collectives(stage, static_cast<graph::Dimension>(dimension), uses[dimension], over);
    for (const graph::Step& step : steps_by_load(program, programs_))
      if (step.task.kind != graph::Kind::Compute && !simulates_pairs(step.task.stream, options_))
        add_by_load(stage, step, over);
    for (const std::uint32_t peer : peers_of(program))
      add_transfers(stage, peer, over);
    for (std::uint32_t position = 0; position < over.size(); ++position)
      for (const Tier tier : platforms::tiers)
        if (over[position][at(tier)])
          places_.users_of_trunk[trunk_above(tier, layout_.rank_of(stage, position).value())].push_back(
              {stage, position});
  }

  Places take() { return std::move(places_); }

private:
  void add(std::uint32_t position, std::uint32_t stage, std::uint64_t what) {
    places_.signatures[position] = mixed(places_.signatures[position], mixed(stage, what));
  }

  // Among those above the job.
  [[nodiscard]] std::size_t trunk_above(Tier tier, std::uint32_t gpu) const {
    const std::uint32_t link = trunk_of(cluster_, tier, site_of(cluster_, tier, gpu), Trunk::Up);
    return static_cast<std::size_t>(std::ranges::lower_bound(trunks_, trunk_number(cluster_, link)) - trunks_.begin());
  }

  const std::vector<std::vector<std::uint32_t>>& groups_of(graph::Dimension dimension) {
    const auto [groups, is_new] = groups_.try_emplace(dimension);
    if (is_new)
      groups->second = layout_.position_groups(dimension);
    return groups->second;
  }

  [[nodiscard]] std::vector<RankId> ranks_of(std::uint32_t stage, const std::vector<std::uint32_t>& group) const {
    std::vector<RankId> ranks;
    for (const std::uint32_t position : group)
      ranks.push_back(layout_.rank_of(stage, position));
    return ranks;
  }

  // Of a step that is not the same in every group.
  void add_by_load(std::uint32_t stage, const graph::Step& step, std::vector<Tiers>& over) {
    for (const std::vector<std::uint32_t>& group : groups_of(step.over)) {
      const std::vector<RankId> ranks = ranks_of(stage, group);
      const auto [roles, is_new] =
          roles_by_load_.try_emplace({step.over, ranks.front().value() % period_, works_in(ranks, step, programs_)});
      if (is_new) {
        roles->second = {Signatures(ranks.size(), 0), std::vector<Tiers>(ranks.size())};
        add_roles(ranks, call_in(ranks, step, programs_, options_), roles->second);
      }
      for (std::size_t member = 0; member < group.size(); ++member) {
        std::uint64_t& signature = places_.by_load[group[member]];
        signature = mixed(signature, mixed(stage, roles->second.signatures[member]));
        over[group[member]] |= roles->second.over[member];
      }
    }
  }

  void add_collectives(std::uint32_t stage, graph::Dimension dimension, const Uses& uses, std::vector<Tiers>& over) {
    for (const std::vector<std::uint32_t>& group : groups_of(dimension)) {
      const Roles& roles = roles_of(stage, dimension, group, uses);
      for (std::size_t member = 0; member < group.size(); ++member) {
        add(group[member], stage, mixed(static_cast<std::uint64_t>(dimension), roles.signatures[member]));
        over[group[member]] |= roles.over[member];
      }
    }
  }

  // What a rank sends to the peer stage, and what it receives from there.
  void add_transfers(std::uint32_t stage, std::uint32_t peer, std::vector<Tiers>& over) {
    for (std::uint32_t position = 0; position < layout_.position_count(); ++position) {
      const std::uint32_t from = layout_.rank_of(stage, position).value();
      const std::uint32_t to = layout_.rank_of(peer, position).value();
      std::uint64_t way = 0;
      if (cluster_.node_of(from) == cluster_.node_of(to)) {
        const bool is_mesh = cluster_.node_network == platforms::NodeNetwork::Mesh;
        way = mixed(0, is_mesh ? cable_of(cluster_, from, to) % links_per_gpu_ : 0);
      } else if (!reaches(cluster_, from, to)) {
        places_.uses_own_links = false;
      } else {
        const std::uint8_t level = level_between(cluster_, from, to);
        way = 1U + level;
        over[position][at(Tier::Nic)] = over[position][at(Tier::Nic)] || cluster_.shares_nics();
        over[position][at(Tier::Leaf)] = over[position][at(Tier::Leaf)] || level > 0;
        over[position][at(Tier::Pod)] = over[position][at(Tier::Pod)] || level > 1;
      }
      add(position, stage, mixed(peer, way));
    }
  }

  // Groups of a dimension have their ranks at the same distances, so what members do depends on where in its leaf and
  // pod the first one sits.
  const Roles& roles_of(std::uint32_t stage, graph::Dimension dimension, const std::vector<std::uint32_t>& group,
                        const Uses& uses) {
    const std::uint32_t first = layout_.rank_of(stage, group.front()).value();
    const auto [entry, is_new] = roles_.try_emplace({dimension, first % period_, uses});
    if (is_new) {
      const std::vector<RankId> ranks = ranks_of(stage, group);
      entry->second = {Signatures(ranks.size(), 0), std::vector<Tiers>(ranks.size())};
      for (const Use& use : uses)
        if (!simulates_pairs(use.stream, options_)) // exchanges.hpp has those
          add_roles(ranks, call_of(use, options_), entry->second);
    }
    return entry->second;
  }

  void add_roles(const std::vector<RankId>& ranks, const cost::Call& call, Roles& roles) {
    std::uint64_t wave = 0;
    for_each_wave(cost::communication(call, ranks, cluster_),
                  [&](Seconds latency, const std::vector<execution::Flow>& flows, std::uint32_t times) {
                    const std::uint64_t what = mixed(mixed_with(++wave, latency.value()), times);
                    add_roles(ranks, flows, what, roles);
                  });
  }

  // Of flows that happen at once.
  void add_roles(const std::vector<RankId>& ranks, const std::vector<execution::Flow>& flows, std::uint64_t what,
                 Roles& roles) {
    std::map<std::uint32_t, std::uint64_t> over_trunk; // what they send, in whatever order
    for (const execution::Flow& flow : flows)
      for (const execution::Crossing& crossing : flow.route)
        if (crossing.link >= first_trunk_)
          over_trunk[crossing.link] += mixed_with(1, flow.bytes.value());
    Signatures sums(ranks.size(), 0);
    for (const execution::Flow& flow : flows) {
      const auto on_gpu = std::ranges::find_if(flow.route, [&](const auto& at) { return at.link < first_trunk_; });
      MOESIM_CHECK(on_gpu != flow.route.end(), "a flow starts or ends at a GPU");
      const RankId gpu(on_gpu->link / links_per_gpu_);
      const auto member = std::ranges::lower_bound(ranks, gpu);
      if (member == ranks.end() || *member != gpu) {
        places_.uses_own_links = false;
        continue;
      }
      const auto index = static_cast<std::size_t>(member - ranks.begin());
      sums[index] += role_in(flow, gpu, over_trunk, roles.over[index]); // in whatever order
    }
    for (std::size_t member = 0; member < ranks.size(); ++member)
      roles.signatures[member] = mixed(mixed(roles.signatures[member], what), sums[member]);
  }

  // What a flow is to the GPU whose links it crosses; notes over which trunks.
  std::uint64_t role_in(const execution::Flow& flow, RankId gpu,
                        const std::map<std::uint32_t, std::uint64_t>& over_trunk, Tiers& over) const {
    std::uint64_t signature = mixed_with(0, flow.bytes.value());
    for (const execution::Crossing& crossing : flow.route)
      if (crossing.link >= first_trunk_) {
        const Tier tier = tier_of_trunk(cluster_, trunk_number(cluster_, crossing.link));
        const std::uint32_t direction = (crossing.link - first_trunk_) % platforms::links_per_trunk;
        over[at(tier)] = true;
        signature = mixed(signature, mixed(links_per_gpu_ + platforms::links_per_trunk * at(tier) + direction,
                                           over_trunk.at(crossing.link)));
      } else {
        MOESIM_CHECK(crossing.link / links_per_gpu_ == gpu.value(), "a member of a collective uses its own links only");
        signature = mixed(signature, crossing.link % links_per_gpu_);
      }
    return signature;
  }

  const graph::Programs& programs_;
  const workloads::Layout& layout_;
  const platforms::Cluster& cluster_;
  const cost::NetworkOptions& options_;
  std::int64_t period_;
  std::uint32_t links_per_gpu_;
  std::uint32_t first_trunk_;
  std::vector<std::uint32_t> trunks_; // above the job
  Places places_;
  std::map<graph::Dimension, std::vector<std::vector<std::uint32_t>>> groups_;
  std::map<std::tuple<graph::Dimension, std::int64_t, Uses>, Roles> roles_;
  std::map<std::tuple<graph::Dimension, std::int64_t, std::vector<std::uint32_t>>, Roles> roles_by_load_;
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

bool simulates_pairs(graph::Stream stream, const cost::NetworkOptions& options) {
  return options[static_cast<std::size_t>(stream)].fidelity == cost::Fidelity::Flow;
}

cost::Call call_of(const Use& use, const cost::NetworkOptions& options) {
  return cost::call_of(use.kind, use.stream, use.size, use.routing, options);
}

std::array<Uses, graph::dimension_count> collectives_of(const graph::Program& program,
                                                        const std::vector<graph::Work>& works) {
  std::array<Uses, graph::dimension_count> uses;
  for (const graph::Step& step : program.steps())
    if (step.task.kind != graph::Kind::Compute && step.task.kind != graph::Kind::SendRecv &&
        step.family == graph::no_family) {
      const graph::Work& work = works[step.task.work];
      uses[static_cast<std::size_t>(step.over)].insert({step.task.kind, step.task.stream, work.bytes, work.routing});
    }
  return uses;
}

Places places_of(const graph::Programs& programs, const workloads::Layout& layout, const platforms::Cluster& cluster,
                 const cost::NetworkOptions& options) {
  Surveyor surveyor(programs, layout, cluster, options);
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
  const std::uint32_t links = links_per_gpu(cluster);
  Signatures signatures(layout.position_count(), 0);
  std::set<std::uint32_t> seen;
  for (const platforms::LinkOverride& degraded : cluster.degraded_links) {
    const BytesPerSecond bandwidth = platforms::link_bandwidth(cluster, degraded.link);
    if (bandwidth != platforms::whole_bandwidth(cluster, degraded.link) && seen.insert(degraded.link).second)
      add(signatures, layout, degraded.link / links, mixed_with(degraded.link % links, bandwidth.value()));
  }
  return signatures;
}

Signatures trunk_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  Signatures signatures;
  for (const std::uint32_t trunk : trunks_above(cluster, layout.world_size())) {
    std::uint64_t signature = at(tier_of_trunk(cluster, trunk));
    for (const Trunk direction : {Trunk::Up, Trunk::Down})
      signature = mixed_with(signature, link_bandwidth(cluster, link_of_trunk(cluster, trunk, direction)).value());
    signatures.push_back(signature);
  }
  return signatures;
}

} // namespace moesim::folding
