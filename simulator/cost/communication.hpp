// What a collective or a transfer costs on a cluster: latencies and flows over links, which have the numbers that they
// have in the cluster.
//
// Sizes follow nccl-tests: all-reduce, broadcast: the buffer; all-gather: what everybody has afterwards;
// reduce-scatter: what everybody had before; all-to-all: what one rank sends, its own part included; send-recv and
// ring-exchange: one message; dispatch and combine: as all-to-all, a copy of each token for each of its experts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "platforms/cluster.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// How faithfully a communication is simulated.
enum class Fidelity : std::uint8_t {
  Analytic, // it takes the time of its fluid form on idle links
  // Per member and tier of the network one flow, which crosses the trunks of the member's leaf where its peers are in
  // other leaves. Uniform collectives exchange with the member of the same local index in the next node (same rail) and
  // with the next member in the own node; the bytes are what the algorithm moves across that tier from that member.
  Fluid,
  Flow, // every step of the algorithm, and in it a flow for each pair that exchanges something
};
inline constexpr std::size_t fidelity_count = 3;
[[nodiscard]] std::string_view name_of(Fidelity fidelity);

// How a communication is done.
enum class Algorithm : std::uint8_t {
  Auto,     // as NCCL would choose
  Ring,     // all-reduce, all-gather, reduce-scatter, broadcast
  Direct,   // all-to-all: all messages at once
  Pairwise, // all-to-all: in rounds, one peer each (NCCL's schedule of sends and receives)
};
inline constexpr std::size_t algorithm_count = 4;
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

// What is to be communicated, and how.
struct Call {
  graph::Kind kind = graph::Kind::AllReduce;
  Bytes size;
  graph::TokenRouting routing{}; // of dispatch and combine
  Algorithm algorithm = Algorithm::Auto;
  Fidelity fidelity = Fidelity::Fluid;
};

// The communication of a call, with the algorithm that does it: never Auto, unless nothing is sent.
struct Plan {
  execution::Communication communication;
  Algorithm algorithm = Algorithm::Auto;
};

// A group of one or a size of zero costs nothing. Requires kind to be a communication, and the algorithm, if one is
// named, to be one for it (does()).
[[nodiscard]] Plan plan(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster);
[[nodiscard]] execution::Communication communication(const Call& call, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// Whether the algorithm is one for communications of this kind. Auto is one for all.
[[nodiscard]] bool does(Algorithm algorithm, graph::Kind kind);

// All-reduce, all-gather and reduce-scatter by rings over all rails of the nodes, as NCCL builds them for a group with
// several GPUs and NICs a node: each byte crosses each node boundary once, spread over the NICs of the node.
// Steps and their latencies: NCCL, src/graph/tuning.cc (n - 1 steps, twice for all-reduce, nodes - 1 of them between
// nodes).
[[nodiscard]] execution::Communication ring(const Call& call, std::span<const RankId> members,
                                            const platforms::Cluster& cluster);

// Everybody sends an n-th of its size to each other: all messages at once, or in rounds in which everybody has one peer
// in other nodes and one in its own. What a member sends over its NIC to its own leaf and to other leaves is a flow
// each, unless every pair is.
[[nodiscard]] execution::Communication all_to_all(const Call& call, std::span<const RankId> members,
                                                  const platforms::Cluster& cluster);

// The same over rails that nothing joins: what is for another rail goes over NVLink to the GPU of the sender's node
// that is on it, and from that one's NIC. `nodes` are at least two.
[[nodiscard]] execution::Communication relayed_all_to_all(Bytes size, const NodeGroups& nodes,
                                                          const platforms::Cluster& cluster);

// One message, over NVLink inside a node and from NIC to NIC otherwise.
[[nodiscard]] execution::Communication send_recv(Bytes size, RankId source, RankId destination,
                                                 const platforms::Cluster& cluster);

// One message from each member to the next, and from the last to the first, all at once.
[[nodiscard]] execution::Communication ring_exchange(const Call& call, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// How each kind is done, in a line with its formula: what `moesim list collectives` prints.
struct Description {
  graph::Kind kind;
  std::string_view text;
};
[[nodiscard]] std::span<const Description> descriptions();

} // namespace moesim::cost
