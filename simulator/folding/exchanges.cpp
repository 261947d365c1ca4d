#include "simulator/folding/exchanges.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "platforms/links.hpp"
#include "simulator/base/mixed.hpp"

namespace moesim::folding {
namespace {

class Collector {
public:
  Collector(const workloads::Layout& layout, const platforms::Cluster& cluster, const cost::NetworkOptions& options)
      : layout_(layout), cluster_(cluster), options_(options), links_per_gpu_(links_per_gpu(cluster)),
        first_trunk_(first_trunk(cluster)), trunks_(trunks_above(cluster, layout.world_size())),
        users_(trunks_.size()) {}

  void collect(std::uint32_t stage, const graph::Programs& programs) {
    const graph::Program& program = programs.stages[stage];
    const auto uses = collectives_of(program, programs.works);
    for (std::size_t at = 0; at < uses.size(); ++at)
      for (const Use& use : uses[at])
        if (simulates_pairs(use.stream, options_))
          add(stage, static_cast<graph::Dimension>(at), [&](const auto&) { return call_of(use, options_); });
    for (const graph::Step& step : steps_by_load(program, programs))
      if (step.task.kind != graph::Kind::Compute && simulates_pairs(step.task.stream, options_))
        add(stage, step.over,
            [&](const std::vector<RankId>& ranks) { return call_in(ranks, step, programs, options_); });
  }

  Exchanges take() {
    for (const std::set<std::pair<std::uint32_t, std::uint32_t>>& users : users_) {
      result_.users_of_trunk.emplace_back();
      for (const auto& [stage, position] : users)
        result_.users_of_trunk.back().push_back({stage, position});
    }
    return std::move(result_);
  }

private:
  // What `call_in_group` says that each group does.
  template <class CallIn>
  void add(std::uint32_t stage, graph::Dimension dimension, CallIn&& call_in_group) {
    const auto [groups, is_new] = groups_.try_emplace(dimension);
    if (is_new)
      groups->second = layout_.position_groups(dimension);
    const std::uint64_t what = mixed(mixed(stage, static_cast<std::uint64_t>(dimension)), ++uses_);
    for (const std::vector<std::uint32_t>& group : groups->second) {
      std::vector<RankId> ranks;
      for (const std::uint32_t position : group)
        ranks.push_back(layout_.rank_of(stage, position));
      std::uint64_t wave = 0;
      for_each_wave(cost::communication(call_in_group(ranks), ranks, cluster_),
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
    const std::uint32_t sender = flow.route.front().link / links_per_gpu_;
    const std::uint32_t receiver = flow.route.back().link / links_per_gpu_;
    const Exchange ends{position_of(sender), position_of(receiver), 0};
    label = mixed(label, std::bit_cast<std::uint64_t>(flow.bytes.value()));
    for (const execution::Crossing& crossing : flow.route) {
      if (crossing.link < first_trunk_) {
        label = mixed(label, crossing.link % links_per_gpu_);
        const std::uint32_t gpu = crossing.link / links_per_gpu_;
        result_.use_own_links &= gpu == sender || gpu == receiver;
        continue;
      }
      const std::uint32_t number = trunk_number(cluster_, crossing.link);
      const std::uint32_t direction = (crossing.link - first_trunk_) % platforms::links_per_trunk;
      const auto tier = static_cast<std::uint32_t>(tier_of_trunk(cluster_, number));
      label = mixed(label, links_per_gpu_ + platforms::links_per_trunk * tier + direction);
      const bool goes_up = direction == static_cast<std::uint32_t>(platforms::Trunk::Up);
      users_[static_cast<std::size_t>(std::ranges::lower_bound(trunks_, number) - trunks_.begin())].emplace(
          stage, goes_up ? ends.from : ends.to);
    }
    result_.flows.push_back({ends.from, ends.to, label});
  }

  [[nodiscard]] std::uint32_t position_of(std::uint32_t gpu) const { return layout_.position_of(RankId(gpu)); }

  const workloads::Layout& layout_;
  const platforms::Cluster& cluster_;
  const cost::NetworkOptions& options_;
  std::uint32_t links_per_gpu_;
  std::uint32_t first_trunk_;
  std::vector<std::uint32_t> trunks_; // above the job
  std::uint64_t uses_ = 0;
  std::map<graph::Dimension, std::vector<std::vector<std::uint32_t>>> groups_;
  std::vector<std::set<std::pair<std::uint32_t, std::uint32_t>>> users_; // of each trunk: stage, position
  Exchanges result_;
};

} // namespace

Exchanges exchanges_of(const graph::Programs& programs, const workloads::Layout& layout,
                       const platforms::Cluster& cluster, const cost::NetworkOptions& options) {
  Collector collector(layout, cluster, options);
  for (std::uint32_t stage = 0; stage < programs.stages.size(); ++stage)
    collector.collect(stage, programs);
  return collector.take();
}

} // namespace moesim::folding
