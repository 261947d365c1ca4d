// What a collective costs besides its flows, by the protocol that NCCL picks: LL starts fast and carries a flag beside
// each word, Simple fills the links and synchronises at each step. The faster one counts (NCCL, src/graph/tuning.cc:
// time = latency + size / bandwidth for each protocol, of which the least is taken). LL128, between the two, is left
// out.
#pragma once

#include "platforms/cluster.hpp"

namespace moesim::cost {

// Steps that follow each other, inside nodes and between them.
struct Steps {
  double near = 0;
  double far = 0;
};

// The delay of a collective whose flows take `transfer` at full bandwidth.
[[nodiscard]] Seconds protocol_latency(const platforms::Cluster& cluster, Steps ll, Steps simple, Seconds transfer);

} // namespace moesim::cost
