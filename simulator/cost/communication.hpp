// What a collective or a transfer costs on a cluster: a latency and, per member and tier of the network, one flow,
// which crosses the trunks of the member's leaf where its peers are in other leaves. Uniform collectives exchange with
// the member of the same local index in the next node (same rail) and with the next member in the own node; the bytes
// are what the algorithm moves across that tier from that member. Flows name links by the numbers that they have in the
// cluster.
//
// Sizes follow nccl-tests: all-reduce: the buffer; all-gather: what everybody has afterwards; reduce-scatter: what
// everybody had before; all-to-all: what one rank sends, its own part included; send-recv and
// ring-exchange: one message.
#pragma once

#include <span>
#include <string_view>

#include "platforms/cluster.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// All-reduce, all-gather and reduce-scatter by rings over all rails of the nodes, as NCCL builds them for a group with
// several GPUs and NICs a node: each byte crosses each node boundary once, spread over the NICs of the node.
// Steps and their latencies: NCCL, src/graph/tuning.cc (n - 1 steps, twice for all-reduce, nodes - 1 of them between
// nodes).
[[nodiscard]] execution::Communication ring(graph::Kind kind, Bytes size, std::span<const RankId> members,
                                            const platforms::Cluster& cluster);

// Everybody sends to everybody directly; all messages leave at once. Every member sends an n-th of its size to each
// other; what it sends over its NIC to its own leaf and to other leaves is a flow each.
[[nodiscard]] execution::Communication direct_all_to_all(Bytes size, std::span<const RankId> members,
                                                         const platforms::Cluster& cluster);

// The same over rails that nothing joins: what is for another rail goes over NVLink to the GPU of the sender's node
// that is on it, and from that one's NIC. `nodes` are at least two.
[[nodiscard]] execution::Communication relayed_all_to_all(Bytes size, const NodeGroups& nodes,
                                                          const platforms::Cluster& cluster);

// One message, over NVLink inside a node and from NIC to NIC otherwise.
[[nodiscard]] execution::Communication send_recv(Bytes size, RankId source, RankId destination,
                                                 const platforms::Cluster& cluster);

// One message from each member to the next, and from the last to the first, all at once.
[[nodiscard]] execution::Communication ring_exchange(Bytes size, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// The algorithm for `kind`. A group of one or a size of zero costs nothing. Requires kind to be a communication.
[[nodiscard]] execution::Communication communication(graph::Kind kind, Bytes size, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// How each kind is done, in a line with its formula: what `moesim list collectives` prints.
struct Algorithm {
  graph::Kind kind;
  std::string_view description;
};
[[nodiscard]] std::span<const Algorithm> algorithms();

} // namespace moesim::cost
