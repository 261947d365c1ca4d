#include "simulator/folding/exchanges.hpp"

#include <bit>
#include <map>
#include <set>

namespace moesim::folding {
namespace {

using platforms::links_per_gpu;

class Collector {
public:
  Collector(const workloads::Layout& layout, const platforms::Cluster& cluster, const cost::NetworkOptions& options)
      : layout_(layout), cluster_(cluster), options_(options), first_trunk_(trunk_of(cluster, 0, platforms::Trunk::Up)),
        users_(cost::each_leaf(layout.world_size(), cluster).size()) {}

  void collect(std::uint32_t stage, const graph::Program& program, const std::vector<graph::Work>& works) {
    const auto uses = collectives_of(program, works);
    for (std::size_t at = 0; at < uses.size(); ++at)
      for (const Use& use : uses[at])
        if (simulates_pairs(use, options_))
          add(stage, static_cast<graph::Dimension>(at), use);
  }

  Exchanges take() {
    for (const std::set<std::pair<std::uint32_t, std::uint32_t>>& users : users_) {
      result_.leaves.emplace_back();
      for (const auto& [stage, position] : users)
        result_.leaves.back().push_back({stage, position});
    }
    return std::move(result_);
  }

private:
  void add(std::uint32_t stage, graph::Dimension dimension, const Use& use) {
    const auto [groups, is_new] = groups_.try_emplace(dimension);
    if (is_new)
      groups->second = layout_.position_groups(dimension);
    const std::uint64_t what = mixed(mixed(stage, static_cast<std::uint64_t>(dimension)), ++uses_);
    for (const std::vector<std::uint32_t>& group : groups->second) {
      std::vector<RankId> ranks;
      for (const std::uint32_t position : group)
        ranks.push_back(layout_.rank_of(stage, position));
      std::uint64_t wave = 0;
      for_each_wave(cost::communication(call_of(use, options_), ranks, cluster_),
                    [&](Seconds latency, const std::vector<execution::Flow>& flows, std::uint32_t times) {
                      const std::uint64_t label =
                          mixed(mixed(what, ++wave), mixed(times, std::bit_cast<std::uint64_t>(latency.value())));
                      for (const execution::Flow& flow : flows)
                        add(stage, label, flow);
                    });
    }
  }

  // A flow begins at a link of its sender and ends at one of its receiver.
  void add(std::uint32_t stage, std::uint64_t label, const execution::Flow& flow) {
    const std::uint32_t from = position_of(flow.route.front().link);
    const std::uint32_t to = position_of(flow.route.back().link);
    label = mixed(label, std::bit_cast<std::uint64_t>(flow.bytes.value()));
    for (const execution::Crossing& crossing : flow.route) {
      const bool is_trunk = crossing.link >= first_trunk_;
      const std::uint32_t trunk = crossing.link - first_trunk_;
      label =
          mixed(label, is_trunk ? links_per_gpu + trunk % platforms::trunks_per_leaf : crossing.link % links_per_gpu);
      if (is_trunk)
        users_[trunk / platforms::trunks_per_leaf].emplace(
            stage, trunk % platforms::trunks_per_leaf == static_cast<std::uint32_t>(platforms::Trunk::Up) ? from : to);
    }
    result_.flows.push_back({from, to, label});
  }

  [[nodiscard]] std::uint32_t position_of(std::uint32_t link) const {
    return layout_.position_of(RankId(link / links_per_gpu));
  }

  const workloads::Layout& layout_;
  const platforms::Cluster& cluster_;
  const cost::NetworkOptions& options_;
  std::uint32_t first_trunk_;
  std::uint64_t uses_ = 0;
  std::map<graph::Dimension, std::vector<std::vector<std::uint32_t>>> groups_;
  std::vector<std::set<std::pair<std::uint32_t, std::uint32_t>>> users_; // of each leaf: stage, position
  Exchanges result_;
};

} // namespace

Exchanges exchanges_of(const graph::Programs& programs, const workloads::Layout& layout,
                       const platforms::Cluster& cluster, const cost::NetworkOptions& options) {
  Collector collector(layout, cluster, options);
  for (std::uint32_t stage = 0; stage < programs.stages.size(); ++stage)
    collector.collect(stage, programs.stages[stage], programs.works);
  return collector.take();
}

} // namespace moesim::folding
