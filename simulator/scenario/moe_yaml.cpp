#include "simulator/scenario/moe_yaml.hpp"

#include <fmt/format.h>

#include "simulator/config/yaml_text.hpp"

namespace moesim::scenario {
namespace {

using workloads::Balancing;
using workloads::LoadOptions;
using workloads::RoutingModel;
using workloads::RoutingType;

std::string parameters_of(const RoutingModel& routing) {
  switch (routing.type) {
  case RoutingType::Zipf:
    return fmt::format(", exponent: {}", routing.exponent);
  case RoutingType::Dirichlet:
    return fmt::format(", alpha: {}", routing.alpha);
  case RoutingType::Hot:
    return fmt::format(", hot_share: {}, hot_experts: {}", routing.hot_share, routing.hot_experts);
  case RoutingType::Trace:
    return fmt::format(", loads: {}", config::double_quoted(to_csv(*routing.trace)));
  case RoutingType::Uniform:
    break;
  }
  return "";
}

std::string routing_yaml(const RoutingModel& routing) {
  if (is_balanced(routing))
    return "uniform";
  return fmt::format("{{type: {}{}, drift: {}, correlation: {}, sampled: {}, seed: {}}}", name_of(routing.type),
                     parameters_of(routing), routing.drift, routing.correlation,
                     routing.counts == workloads::TokenCounts::Sampled, routing.seed);
}

std::string balancing_yaml(const LoadOptions& load) {
  const std::string_view name = name_of(load.balancing);
  switch (load.balancing) {
  case Balancing::Periodic:
    return fmt::format("{{type: {}, interval: {}}}", name, load.rebalancing_interval);
  case Balancing::Predictive:
    return fmt::format("{{type: {}, interval: {}, smoothing: {}}}", name, load.rebalancing_interval, load.smoothing);
  case Balancing::WorkStealing:
    return fmt::format("{{type: {}, threshold: {}, reaction_time: {} s}}", name, load.stealing.threshold,
                       load.stealing.reaction_time_s);
  case Balancing::None:
  case Balancing::Eplb:
  case Balancing::Reroute:
    break;
  }
  return std::string(name);
}

} // namespace

std::string moe_yaml(const workloads::MoeOptions& moe) {
  const LoadOptions& load = moe.load;
  const workloads::CapacityOptions& capacity = load.capacity;
  return fmt::format("moe: {{routing: {}, dispatcher: {}, fp8_dispatch: {}, capacity_factor: {}, overflow_buffer: {}, "
                     "pad_expert_input_to_capacity: {}, router_padding: {}, placement: {}, balancing: {}, "
                     "redundant_experts: {}, iteration: {}}}\n",
                     routing_yaml(load.routing), name_of(moe.dispatcher), moe.fp8_dispatch,
                     capacity.factor ? fmt::format("{}", *capacity.factor) : "none", capacity.overflow_buffer,
                     capacity.pad_to_capacity, capacity.tokens_multiple, name_of(load.placement), balancing_yaml(load),
                     load.redundant_experts, load.iteration);
}

} // namespace moesim::scenario
