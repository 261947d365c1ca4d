#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "simulator/config/node.hpp"
#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

using workloads::Balancing;
using workloads::LoadOptions;
using workloads::StaticPlacement;

constexpr std::array<StaticPlacement, 2> placements{StaticPlacement::Contiguous, StaticPlacement::RoundRobin};
constexpr std::array<Balancing, 6> balancings{Balancing::None,       Balancing::Eplb,         Balancing::Periodic,
                                              Balancing::Predictive, Balancing::WorkStealing, Balancing::Reroute};

// None, or a number as Megatron Core takes it.
void read_capacity(config::MapReader& map, LoadOptions& load) {
  workloads::CapacityOptions& capacity = load.capacity;
  constexpr std::array<std::string_view, 1> none{"none"};
  const config::Node* factor = map.node("capacity_factor");
  const bool is_number = factor != nullptr && factor->kind == config::Node::Kind::Scalar && !factor->scalar.empty() &&
                         factor->scalar.find_first_not_of("-+.0123456789eE") == std::string::npos;
  if (is_number)
    capacity.factor = map.number_or("capacity_factor", 1, {.min = 0.01, .max = 1000});
  else
    map.choice_or("capacity_factor", none[0], none);
  capacity.overflow_buffer = map.number_or("overflow_buffer", 0, {.min = 0, .max = 1000});
  capacity.pad_to_capacity = map.boolean_or("pad_expert_input_to_capacity", false);
  capacity.tokens_multiple = map.integer_or("router_padding", 1, {.min = 1, .max = 4096});
  if (capacity.factor)
    return;
  constexpr std::string_view wants = "there is no capacity; give moe.capacity_factor, or leave this out";
  if (capacity.pad_to_capacity)
    map.problem("pad_expert_input_to_capacity", std::string(wants));
  if (capacity.overflow_buffer > 0)
    map.problem("overflow_buffer", std::string(wants));
  if (load.balancing == Balancing::Reroute)
    map.problem("balancing", "reroute moves what is above an expert's capacity; give moe.capacity_factor");
}

// A name, or a map whose `type` is the name and whose other keys are that balancer's parameters.
void read_balancing(config::MapReader& map, LoadOptions& load) {
  const config::Node* node = map.node("balancing");
  if (node == nullptr || node->kind != config::Node::Kind::Map) {
    load.balancing = enum_choice(map, "balancing", balancings);
    return;
  }
  config::MapReader form = map.map("balancing");
  load.balancing = enum_choice(form, "type", balancings);
  if (load.balancing == Balancing::Periodic || load.balancing == Balancing::Predictive)
    load.rebalancing_interval = form.integer_or("interval", load.rebalancing_interval);
  if (load.balancing == Balancing::Predictive)
    load.smoothing = form.number_or("smoothing", load.smoothing, {.min = 0.001, .max = 1});
  if (load.balancing == Balancing::WorkStealing) {
    load.stealing.threshold = form.number_or("threshold", load.stealing.threshold, {.min = 1, .max = 1000});
    load.stealing.reaction_time_s = form.seconds_or("reaction_time", Seconds(load.stealing.reaction_time_s)).value();
  }
  form.finish();
}

// Flex is Megatron Core's name for what it has DeepEP do, unless told otherwise.
void read_dispatcher(config::MapReader& map, Scenario& scenario) {
  using workloads::Dispatcher;
  constexpr std::array<std::string_view, 4> names{"alltoall", "allgather", "deepep", "flex"};
  workloads::MoeOptions& moe = scenario.job().moe;
  const std::string name = map.choice_or("dispatcher", names[0], names);
  moe.dispatcher = name == "alltoall"    ? Dispatcher::AllToAll
                   : name == "allgather" ? Dispatcher::AllGather
                                         : Dispatcher::DeepEp;
  moe.fp8_dispatch = map.boolean_or("fp8_dispatch", false);
  if (moe.fp8_dispatch && moe.dispatcher != Dispatcher::DeepEp)
    map.problem("fp8_dispatch", "only deepep sends tokens in FP8; use dispatcher: deepep, or false");
}

} // namespace

void read_moe(config::MapReader& map, const std::filesystem::path& scenario_file, Scenario& scenario) {
  LoadOptions& load = scenario.job().moe.load;
  read_routing(map, scenario_file, scenario);
  read_dispatcher(map, scenario);
  load.placement = enum_choice(map, "placement", placements);
  read_balancing(map, load);
  read_capacity(map, load);
  load.redundant_experts = map.integer_or("redundant_experts", 0, {.min = 0, .max = 100'000});
  load.iteration = map.integer_or("iteration", 0, {.min = 0, .max = 100'000});
  constexpr std::int64_t most_rebalanced = 1000; // each is followed from the first on
  const bool rebalances = load.balancing == Balancing::Periodic || load.balancing == Balancing::Predictive;
  if (rebalances && load.iteration > most_rebalanced)
    map.problem("iteration",
                fmt::format("where experts are rebalanced, every iteration up to {} would be followed; use at most {}",
                            load.iteration, most_rebalanced));
}

} // namespace moesim::scenario
