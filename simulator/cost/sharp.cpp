#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

SharesOf shares_of(const Call& call, const Group& group) {
  const bool by_nvls = can_nvls(call, group);
  return [size = call.size, by_nvls](double local) {
    return Shares{(by_nvls ? 1 + 1 / local : 2 * (local - 1) / local) * size, size / local};
  };
}

} // namespace

bool can_sharp(const Call& /*call*/, const Group& group) {
  return group.cluster().fabric.sharp && group.spans_nodes();
}

Seconds sharp_time(const Call& call, const Group& group) {
  const platforms::Protocols& protocols = group.cluster().protocols;
  const Transfer sent = transfer(group, shares_of(call, group));
  const platforms::InSwitch sharp = protocols.sharp.value_or(platforms::InSwitch{});
  const Seconds far = sent.far / sharp.efficiency;
  const Seconds between = sharp.latency + group.longest_hop();
  if (can_nvls(call, group))
    return protocols.nvls->latency + between + std::max(sent.near / protocols.nvls->efficiency, far);
  const platforms::Protocol simple = collective_protocols(group.cluster()).back();
  return simple.latency + 2 * (group.most_local() - 1) * simple.nvlink_latency + between +
         std::max(sent.near / simple.nvlink_efficiency, far);
}

execution::Communication sharp(const Call& call, const Group& group) {
  return in_steps(group, shares_of(call, group), sharp_time(call, group), 1, Detail::Members);
}

} // namespace moesim::cost
