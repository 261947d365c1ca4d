#include "simulator/cost/kernel_times.hpp"

namespace moesim::cost {

KernelTimes kernel_times(std::span<const Operator> operators, const platforms::Gpu& gpu, const LaunchTimes& launch) {
  KernelTimes times;
  for (const Operator& op : operators) {
    times.gpu += platforms::time_of(op, gpu);
    times.host += static_cast<double>(op.launches) * (op.pass == Pass::Forward ? launch.forward : launch.backward);
  }
  return times;
}

} // namespace moesim::cost
