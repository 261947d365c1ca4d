// The algorithms, a file each: how long a call takes by each on idle links, from a closed form, and what it sends. The
// flows of its communication, on idle links, take that long in every fidelity. plan() has already left out what
// costs nothing and chosen an algorithm that can do the call.
#pragma once

#include "simulator/cost/communication.hpp"
#include "simulator/cost/group.hpp"

namespace moesim::cost {

[[nodiscard]] inline Detail detail_of(const Call& call) {
  return call.fidelity == Fidelity::Flow ? Detail::Steps : Detail::Members;
}

// Ring (ring.cpp): all-reduce, all-gather and reduce-scatter by rings over all rails of the nodes, as NCCL builds them
// for groups with several GPUs and NICs a node: each byte crosses each node boundary once, spread over the NICs of the
// node. Steps: n - 1, twice for all-reduce, of which nodes - 1 are between nodes (NCCL, src/graph/tuning.cc).
[[nodiscard]] Seconds ring_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication ring(const Call& call, const Group& group);

// Broadcast around the same rings, in chunks that follow each other closely: every hop carries everything once.
[[nodiscard]] Seconds broadcast_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication broadcast(const Call& call, std::uint32_t root, const Group& group);

// Double binary tree between nodes, each with half of the bytes, and a chain inside them: all-reduce up to the roots
// and back (Sanders, Speck, Träff: Two-tree algorithms for full bandwidth broadcast, reduction and scan, Parallel
// Computing 35, 2009; NCCL since 2.4). Only for several nodes: inside one it is a chain, which NCCL does not choose.
[[nodiscard]] bool can_tree(const Call& call, const Group& group);
[[nodiscard]] Seconds tree_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication tree(const Call& call, const Group& group);
// Whom a node of `nodes` exchanges with in both trees together, one after the other: half of the bytes with each, both
// ways.
[[nodiscard]] std::vector<std::uint32_t> tree_neighbours(std::uint32_t node, std::uint32_t nodes);
// What a node sends on average, and at most, as a multiple of the bytes that are reduced. Requires two nodes.
[[nodiscard]] double mean_tree_traffic(double nodes);
[[nodiscard]] double most_tree_traffic(double nodes);
// The messages of the trees between nodes: on each rail its part of the size.
[[nodiscard]] Flows tree_messages(Bytes size, const Group& group);

// All-reduce in the switches of a node (NVLS): a member sends and receives the size and an n-th of it, as the switch
// reads all members' parts and multicasts the sums; between nodes, on each rail, the trees above (NVLSTree).
[[nodiscard]] bool can_nvls(const Call& call, const Group& group);
[[nodiscard]] Seconds nvls_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication nvls(const Call& call, const Group& group);

// All-reduce in the switches of the fabric (SHARP, CollNet in NCCL): over its NIC each member sends and receives its
// rail's part of the size once; inside the node as NVLS, or by a reduce-scatter and an all-gather.
[[nodiscard]] bool can_sharp(const Call& call, const Group& group);
[[nodiscard]] Seconds sharp_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication sharp(const Call& call, const Group& group);

// All-reduce by the kernels of inference engines, inside a node: one-shot, in which every member reads what all others
// have, or two-shot, a reduce-scatter and an all-gather of such reads, whichever is faster (vLLM,
// csrc/custom_all_reduce.cuh; TensorRT-LLM, allReduceFusionKernels). Only where it is as fast as NCCL, to which the
// engines turn for large sizes.
[[nodiscard]] bool can_custom(const Call& call, const Group& group);
[[nodiscard]] Seconds custom_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication custom(const Call& call, const Group& group);

// Rings on two levels, one after the other: inside the nodes, and on each rail between them. All-reduce: reduce-scatter
// inside, all-reduce between, all-gather inside. Needs as many members on each node.
[[nodiscard]] bool can_hierarchical(const Call& call, const Group& group);
[[nodiscard]] Seconds hierarchical_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication hierarchical(const Call& call, const Group& group);

// All-to-all: everybody sends an n-th of its size to each other, all messages at once or (NCCL's order of sends and
// receives) in rounds in which everybody has one peer in other nodes and one in its own.
[[nodiscard]] Seconds all_to_all_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication all_to_all(const Call& call, const Group& group);

// Its flows over rails that nothing joins: what is for another rail goes inside the node to the GPU that is on it, and
// from that one's NIC. Everybody sends each other `part`; there are at least two nodes.
[[nodiscard]] Flows relayed_flows(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster);

// All-to-all on two levels: first everything for a node over the NIC to the member of the same rail, then over NVLink.
// Needs as many members on each node.
[[nodiscard]] bool can_two_level(const Call& call, const Group& group);
[[nodiscard]] Seconds two_level_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication two_level(const Call& call, const Group& group);

// One message, over NVLink inside a node and from NIC to NIC otherwise.
[[nodiscard]] execution::Communication send_recv(const Call& call, RankId source, RankId destination,
                                                 const platforms::Cluster& cluster);

// One message from each member to the next, and from the last to the first, all at once.
[[nodiscard]] execution::Communication ring_exchange(const Call& call, std::span<const RankId> members,
                                                     const platforms::Cluster& cluster);

// Dispatch and combine as DeepEP's normal kernels: a token crosses the fabric once for each node that has experts of
// it, to the member of the same rail, which sends it on over NVLink.
[[nodiscard]] Seconds deepep_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication deepep(const Call& call, const Group& group);
// And as its low-latency kernels: every copy goes straight to its expert's GPU.
[[nodiscard]] Seconds low_latency_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication low_latency(const Call& call, const Group& group);

// What a member sends to others of its node: a copy of each token for each GPU that has experts of it.
[[nodiscard]] Bytes bytes_to_other_gpus(const Call& call, const Group& group);

// Dispatch and combine inside one NVLink domain as TensorRT-LLM's kernels: those of one side, in which a member writes
// into (dispatch) or reads from (combine) the memory of others, and those of two, in which others take what it offers.
[[nodiscard]] bool can_exchange_tokens(const Call& call, const Group& group);
[[nodiscard]] Seconds token_exchange_time(const Call& call, const Group& group);
[[nodiscard]] execution::Communication token_exchange(const Call& call, const Group& group);

} // namespace moesim::cost
