#include <algorithm>

#include "simulator/cost/families.hpp"

namespace moesim::cost {
namespace {

// A kernel, and what each member reads from the others.
struct Kernel {
  platforms::Protocol protocol;
  Bytes read;
};

Kernel one_shot(const Call& call, const Group& group) {
  return {*group.cluster().protocols.one_shot, (group.members() - 1) * call.size};
}

Kernel two_shot(const Call& call, const Group& group) {
  return {*group.cluster().protocols.two_shot, 2 * (group.members() - 1) / group.members() * call.size};
}

SharesOf shares_of(Bytes read) {
  return [read](double /*local*/) { return Shares{read, Bytes()}; };
}

Seconds time_of(const Kernel& kernel, const Group& group) {
  return kernel.protocol.latency + transfer(group, shares_of(kernel.read)).near / kernel.protocol.nvlink_efficiency;
}

Kernel faster_kernel(const Call& call, const Group& group) {
  const Kernel one = one_shot(call, group);
  const Kernel two = two_shot(call, group);
  return time_of(two, group) < time_of(one, group) ? two : one;
}

} // namespace

bool can_custom(const Call& call, const Group& group) {
  const platforms::Protocols& protocols = group.cluster().protocols;
  if (group.spans_nodes() || !protocols.one_shot || !protocols.two_shot)
    return false;
  const Seconds time = custom_time(call, group);
  return time <= ring_time(call, group) && (!can_nvls(call, group) || time <= nvls_time(call, group));
}

Seconds custom_time(const Call& call, const Group& group) {
  return time_of(faster_kernel(call, group), group);
}

execution::Communication custom(const Call& call, const Group& group) {
  const Kernel kernel = faster_kernel(call, group);
  return in_steps(group, shares_of(kernel.read), time_of(kernel, group), 1, Detail::Members);
}

} // namespace moesim::cost
