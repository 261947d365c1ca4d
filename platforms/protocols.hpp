// How the communication libraries of a hardware type run: what NCCL's algorithms and protocols and DeepEP's kernels
// cost besides the bytes on the links. Data of a cluster, with sources in the catalogue; the cost layer makes times of
// it. What is not given is ideal, or not there. Terms are NCCL's (src/graph/tuning.cc) and DeepEP's (its README).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulator/base/units.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {

// Latencies, and shares of Port::effective() that the payload reaches, of one way to move bytes.
struct Protocol {
  Seconds latency{};        // of starting and ending, besides steps
  Seconds nvlink_latency{}; // of one step inside a node
  Seconds nic_latency{};    // of one step between nodes
  double nvlink_efficiency = 1;
  double nic_efficiency = 1;

  bool operator==(const Protocol&) const = default;
};

// What reduces inside switches: NVLink SHARP (NVLS) inside a node, or SHARP between nodes.
struct InSwitch {
  Seconds latency{};         // of starting, and of one crossing of the switches
  double efficiency = 1;     // share of Port::effective() that the payload reaches
  std::int64_t min_gpus = 2; // of a node that take part; with fewer the libraries do without

  bool operator==(const InSwitch&) const = default;
};

// DeepEP's normal kernels in one direction. Every token costs a multiprocessor that runs them `token`, and every copy
// of it its bytes over `bandwidth`.
struct TokenKernel {
  Seconds latency;
  Seconds token;
  std::optional<BytesPerSecond> bandwidth; // of one multiprocessor; absent: never the limit
  double relays = 1; // copies that one between nodes counts as, for it is sent on where it arrives

  bool operator==(const TokenKernel&) const = default;
};

// DeepEP's low-latency kernels in one direction: every copy goes straight to its GPU. They run on as many warps as
// there are experts, each of which takes `token` for its part of the tokens.
struct LowLatencyKernel {
  Seconds latency{};            // inside a node
  Seconds nic_latency{};        // more, where there are several nodes
  Seconds expert;               // more, for each expert of a rank
  Seconds token{};              // of the warps of one expert, for each token
  double nvlink_efficiency = 1; // shares of Port::effective() that the payload reaches
  double nic_efficiency = 1;

  bool operator==(const LowLatencyKernel&) const = default;
};

// What transfers inside a node reach among members that no block of fewer consecutive GPUs holds, such as those of two
// CPUs: GPUs 0 to gpus - 1, gpus to 2 gpus - 1 and so on are a block each.
struct Block {
  std::int64_t gpus = 2;
  double efficiency = 1; // share of what the protocols reach otherwise

  bool operator==(const Block&) const = default;
};

// One direction of TensorRT-LLM's kernels for tokens inside an NVLink domain.
struct TokenExchange {
  Seconds latency;
  Seconds peer;                 // more, for each member of the group
  Seconds token;                // more, for each token of a member
  double nvlink_efficiency = 1; // share of Port::effective() that the payload reaches

  bool operator==(const TokenExchange&) const = default;
};

struct TokenExchanges {
  TokenExchange dispatch;
  TokenExchange combine;
  std::optional<TokenExchange> combine_low_precision; // narrows the results before it sends them, and widens them after
  std::optional<Block> tray;                          // what groups of more GPUs than that reach

  bool operator==(const TokenExchanges&) const = default;
};

struct DeepEp {
  TokenKernel dispatch;
  TokenKernel combine;
  double nvlink_efficiency = 1; // of the normal kernels: shares of Port::effective() that the payload reaches
  double nic_efficiency = 1;
  Seconds node_latency; // of the normal kernels: more for each node, where there are several
  LowLatencyKernel low_latency_dispatch;
  LowLatencyKernel low_latency_combine;

  bool operator==(const DeepEp&) const = default;
};

struct Protocols {
  // Of NCCL's collectives: latencies of LL and Simple are those of the cluster and its ports, see protocol_of().
  double ll_nvlink_efficiency = 0.5; // 4 bytes of flag with each 4 bytes of data (NCCL, src/device/prims_ll.h)
  double ll_nic_efficiency = 0.5;
  double simple_nic_efficiency = 1;
  std::optional<Protocol> ll128;
  double tree_efficiency = 1;              // share of what rings reach by the same protocol
  std::optional<Seconds> tree_nic_latency; // of one step between nodes, for large messages; absent: as a ring's
  std::vector<Block> blocks; // smaller ones first, less efficient as they grow; beyond the last: as the last
  std::optional<InSwitch> nvls;
  std::optional<InSwitch> sharp;

  // Of the all-reduces of inference engines; absent: they use NCCL's.
  std::optional<Protocol> one_shot;
  std::optional<Protocol> two_shot;

  // Of sends and receives, those of an all-to-all, too: nvlink_latency is for each peer, nic_latency once where one is
  // in another node. Where neither is given, sends take the step latency of their tier once.
  std::optional<Protocol> send_ll;
  std::optional<Protocol> send_simple;
  double all_to_all_efficiency = 1; // of all-to-alls over NVLink: share of what single sends reach
  double own_part = 0; // of an all-to-all: how many parts of others the copy of the own part takes as long as

  DeepEp deepep;
  std::optional<TokenExchanges> nvlink_one_sided;
  std::optional<TokenExchanges> nvlink_two_sided;

  bool operator==(const Protocols&) const = default;
};

// Reads the `collectives` section of a cluster; absent fields take the defaults above.
[[nodiscard]] Protocols read_protocols(config::MapReader map);

// The section that read_protocols() reads back to the same value, every line indented by `indent`.
[[nodiscard]] std::string to_yaml(const Protocols& protocols, int indent);

// One line for each protocol, algorithm and kernel, for `moesim dump platform`.
[[nodiscard]] std::string describe(const Protocols& protocols);

} // namespace moesim::platforms
