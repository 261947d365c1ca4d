#include "simulator/cost/protocol.hpp"

#include <algorithm>

namespace moesim::cost {
namespace {

// LL sends a flag of 4 bytes with every 4 bytes of data (NCCL, src/device/prims_ll.h).
constexpr double ll_payload_share = 0.5;

} // namespace

Seconds protocol_latency(const platforms::Cluster& cluster, Steps ll, Steps simple, Seconds transfer) {
  const Seconds flags = (1 / ll_payload_share - 1) * transfer;
  return std::min(cluster.collective_latency + ll.near * cluster.nvlink.latency + ll.far * cluster.nic.latency + flags,
                  cluster.simple_collective_latency + simple.near * cluster.nvlink.simple_latency +
                      simple.far * cluster.nic.simple_latency);
}

} // namespace moesim::cost
