#include "simulator/cost/families.hpp"

namespace moesim::cost {
namespace {

using platforms::TokenExchange;

const std::optional<platforms::TokenExchanges>& kernels_of(const Call& call, const Group& group) {
  const platforms::Protocols& protocols = group.cluster().protocols;
  return call.algorithm == Algorithm::NvlinkOneSided ? protocols.nvlink_one_sided : protocols.nvlink_two_sided;
}

bool narrows(const Call& call) {
  return call.algorithm == Algorithm::NvlinkTwoSidedLowPrecision && call.kind == graph::Kind::Combine;
}

const TokenExchange& kernel_of(const Call& call, const Group& group) {
  const platforms::TokenExchanges& kernels = *kernels_of(call, group);
  if (narrows(call))
    return *kernels.combine_low_precision;
  return call.kind == graph::Kind::Dispatch ? kernels.dispatch : kernels.combine;
}

SharesOf copies_sent(const Call& call, const Group& group) {
  // BF16 travels as NVFP4, with a scale of a byte for 16 elements (TensorRT-LLM, fusedMoeCommKernels.cu).
  constexpr double narrowed = 0.5625 / 2;
  return [bytes = bytes_to_other_gpus(call, group) * (narrows(call) ? narrowed : 1)](double /*local*/) {
    return Shares{bytes, Bytes()};
  };
}

} // namespace

bool can_exchange_tokens(const Call& call, const Group& group) {
  const std::optional<platforms::TokenExchanges>& kernels = kernels_of(call, group);
  return !group.spans_nodes() && kernels.has_value() &&
         (call.algorithm != Algorithm::NvlinkTwoSidedLowPrecision || kernels->combine_low_precision.has_value());
}

Seconds token_exchange_time(const Call& call, const Group& group) {
  const TokenExchange& kernel = kernel_of(call, group);
  const Bytes token = call.routing.per_token * call.routing.token;
  const double tokens = token > Bytes() ? call.size / token : 0;
  const std::optional<platforms::Block>& tray = kernels_of(call, group)->tray;
  const double beyond = tray && group.members() > static_cast<double>(tray->gpus) ? tray->efficiency : 1;
  return kernel.latency + group.members() * kernel.peer + tokens * kernel.token +
         transfer(group, copies_sent(call, group)).near / (kernel.nvlink_efficiency * beyond);
}

execution::Communication token_exchange(const Call& call, const Group& group) {
  return in_steps(group, copies_sent(call, group), token_exchange_time(call, group), 1, Detail::Members);
}

} // namespace moesim::cost
