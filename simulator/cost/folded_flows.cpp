#include "simulator/cost/folded_flows.hpp"

#include <functional>
#include <unordered_map>
#include <vector>

#include "platforms/cluster.hpp"

namespace moesim::cost {
namespace {

using execution::Crossing;
using execution::Flow;

struct Hash {
  std::size_t operator()(const Flow& flow) const {
    std::size_t hash = std::hash<double>()(flow.bytes.value());
    for (const Crossing& crossing : flow.route)
      hash = hash * 0x9e3779b97f4a7c15U + crossing.link;
    return hash;
  }
};

Flow on_classes(const Flow& flow, const graph::Folding& folding) {
  Flow result{{}, flow.bytes};
  for (const Crossing& crossing : flow.route) {
    const std::uint32_t gpu = crossing.link / platforms::links_per_gpu;
    const std::uint32_t kind = crossing.link % platforms::links_per_gpu;
    result.route.push_back({folding.class_of[gpu] * platforms::links_per_gpu + kind});
  }
  return result;
}

} // namespace

execution::Communication folded(execution::Communication communication, const graph::Folding& folding) {
  if (folding.size.size() == folding.class_of.size())
    return communication;
  std::vector<Flow> alike;
  std::vector<const Flow*> first; // of those that each stands for
  std::unordered_map<Flow, std::size_t, Hash> place;
  for (const Flow& flow : communication.flows) {
    const Flow on_class = on_classes(flow, folding);
    const auto [entry, is_new] = place.try_emplace(on_class, alike.size());
    if (is_new) {
      alike.push_back(on_class);
      first.push_back(&flow);
      continue;
    }
    // More than one over the same links.
    for (std::size_t at = 0; at < flow.route.size(); ++at)
      if (flow.route[at].link == first[entry->second]->route[at].link) {
        ++alike[entry->second].route[at].times;
        ++alike[entry->second].route[at].own;
      }
  }
  communication.flows = std::move(alike);
  return communication;
}

} // namespace moesim::cost
