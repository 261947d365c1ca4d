// Groups, and what a communication does over the links of a cluster.
#pragma once

#include <initializer_list>
#include <map>
#include <vector>

#include "platforms/links.hpp"
#include "simulator/cost/communication.hpp"

namespace moesim::cost {

inline std::vector<RankId> ranks(std::initializer_list<std::uint32_t> values) {
  std::vector<RankId> result;
  for (const std::uint32_t value : values)
    result.emplace_back(value);
  return result;
}

// The first `gpus` of each of the first `nodes` nodes.
inline std::vector<RankId> block(std::uint32_t nodes, std::uint32_t gpus, const platforms::Cluster& cluster) {
  std::vector<RankId> result;
  for (std::uint32_t node = 0; node < nodes; ++node)
    for (std::uint32_t gpu = 0; gpu < gpus; ++gpu)
      result.emplace_back(node * static_cast<std::uint32_t>(cluster.gpus_per_node) + gpu);
  return result;
}

// Bytes over each link, of all waves.
inline std::map<std::uint32_t, double> load_of(const execution::Communication& communication) {
  std::map<std::uint32_t, double> bytes;
  execution::for_each_wave(communication, [&](Seconds, const std::vector<execution::Flow>& flows, std::uint32_t times) {
    for (const execution::Flow& flow : flows)
      for (const execution::Crossing& crossing : flow.route)
        bytes[crossing.link] += times * flow.bytes.value();
  });
  return bytes;
}

// How long a call takes by itself.
inline Seconds lone_time(const Call& call, const std::vector<RankId>& members, const platforms::Cluster& cluster) {
  return execution::idle_time(communication(call, members, cluster),
                              [&](std::uint32_t link) { return platforms::link_bandwidth(cluster, link); });
}

} // namespace moesim::cost
