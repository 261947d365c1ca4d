#include <array>
#include <string>
#include <string_view>

#include "simulator/config/node.hpp"
#include "simulator/scenario/later_fields.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

// A name, or a map whose `type` is the name and whose other keys are that model's parameters.
void read_routing(config::MapReader& map) {
  const config::Node* routing = map.node("routing");
  if (routing == nullptr || routing->kind != config::Node::Kind::Map)
    return only(map, "routing", "uniform", {"zipf", "dirichlet", "trace"});
  config::MapReader form = map.map("routing");
  only(form, "type", "uniform", {"zipf", "dirichlet", "trace"});
  const config::Node* type = routing->find("type");
  if (type == nullptr || type->scalar == "uniform") // the parameters of a refused model are not complained about
    form.finish();
}

// A number, as Megatron Core takes it, is refused as what it means.
void read_capacity_factor(config::MapReader& map) {
  const config::Node* factor = map.node("capacity_factor");
  if (factor == nullptr || factor->kind != config::Node::Kind::Scalar || factor->scalar.empty() ||
      factor->scalar.find_first_not_of("0123456789.") != std::string::npos)
    return only(map, "capacity_factor", "none", {});
  map.problem("capacity_factor", "dropping tokens is not available yet; use none");
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

void read_moe(config::MapReader map, Scenario& scenario) {
  read_routing(map);
  read_dispatcher(map, scenario);
  read_capacity_factor(map);
  only(map, "placement", "contiguous", {});
  only(map, "balancing", "none", {"eplb", "periodic", "predictive", "work-stealing", "reroute"});
  if (map.integer_or("redundant_experts", 0, {.min = 0, .max = 100'000}) != 0)
    map.problem("redundant_experts", "copies of experts are not available yet; use 0");
  map.finish();
}

} // namespace moesim::scenario
