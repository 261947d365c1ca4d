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

// How a communication is done; families.hpp says what each is.
enum class Algorithm : std::uint8_t {
  Auto,             // the fastest that NCCL or DeepEP has, by size, group and placement
  Ring,             // all-reduce, all-gather, reduce-scatter, broadcast
  Tree,             // all-reduce over several nodes
  Nvls,             // all-reduce in the switches of nodes
  Sharp,            // all-reduce in the switches of the fabric
  Custom,           // all-reduce inside a node by the kernels of inference engines. Never chosen by itself
  Hierarchical,     // all-reduce, all-gather, reduce-scatter: one level after the other. Never chosen by itself
  Direct,           // all-to-all: all messages at once
  Pairwise,         // all-to-all: in rounds, one peer each (NCCL's schedule of sends and receives)
  TwoLevel,         // all-to-all: between nodes by rail, then inside them. Never chosen by itself
  DeepEp,           // dispatch, combine: once to each node
  DeepEpLowLatency, // dispatch, combine: every copy by itself
  NvlinkOneSided,   // dispatch, combine inside an NVLink domain, by TensorRT-LLM's kernels. Never chosen by itself
  NvlinkTwoSided,   // the same by its older ones
  NvlinkTwoSidedLowPrecision, // the same, but that combine narrows BF16 to NVFP4 on the way. Never chosen by itself
};
inline constexpr std::size_t algorithm_count = 15;
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

// What is to be communicated, and how.
struct Call {
  graph::Kind kind = graph::Kind::AllReduce;
  Bytes size;
  graph::TokenRouting routing{}; // of dispatch and combine
  graph::TokenTraffic tokens{};  // of what moves tokens, where members are not alike: then that is what is sent
  Algorithm algorithm = Algorithm::Auto;
  Fidelity fidelity = Fidelity::Fluid;
};

// The communication of a call, with the algorithm that does it: never Auto, unless nothing is sent.
struct Plan {
  execution::Communication communication;
  Algorithm algorithm = Algorithm::Auto;
};

// A group of one or a size of zero costs nothing. Requires kind to be a communication, and the algorithm, if one is
// named, to be one for it (does()). Where the group, or the cluster, is not one for it (a tree in one node, say), it is
// as if none were named.
[[nodiscard]] Plan plan(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster);
[[nodiscard]] execution::Communication communication(const Call& call, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// Whether the algorithm is one for communications of this kind. Auto is one for all.
[[nodiscard]] bool does(Algorithm algorithm, graph::Kind kind);

// How each kind is done, in a line with its formula: what `moesim list collectives` prints.
struct Description {
  graph::Kind kind;
  std::string_view text;
};
[[nodiscard]] std::span<const Description> descriptions();

} // namespace moesim::cost
