// How long communication takes on idle links, worked out once for each group, kind and size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/base/ids.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::screen {

class CommunicationTimes {
public:
  using Group = std::uint32_t;

  // Both must outlive this.
  CommunicationTimes(const platforms::Cluster& cluster, const cost::NetworkOptions& options);

  // Ranks in the order in which cost::communication() wants them. Groups that differ by a whole number of nodes are one
  // where all nodes are alike.
  [[nodiscard]] Group group_of(std::vector<RankId> members);
  // Whether ranks that differ by a whole number of nodes are in such groups, too.
  [[nodiscard]] bool nodes_are_alike() const { return nodes_are_alike_; }

  [[nodiscard]] Seconds of(graph::Kind kind, graph::Stream stream, Bytes bytes, Group group,
                           const graph::TokenRouting& routing = {});

private:
  struct Key {
    graph::Kind kind;
    graph::Stream stream;
    graph::TokenRouting routing;
    Group group;
    double bytes;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  const platforms::Cluster& cluster_;
  const cost::NetworkOptions& options_;
  bool nodes_are_alike_;
  std::map<std::vector<RankId>, Group> groups_;
  std::vector<const std::vector<RankId>*> members_; // of each group, in groups_
  std::unordered_map<Key, Seconds, Hash> times_;
};

} // namespace moesim::screen
