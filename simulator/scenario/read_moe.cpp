#include <string>

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

} // namespace

void read_moe(config::MapReader map) {
  read_routing(map);
  only(map, "dispatcher", "alltoall", {"allgather", "deepep", "flex"});
  read_capacity_factor(map);
  only(map, "placement", "contiguous", {});
  only(map, "balancing", "none", {"eplb", "periodic", "predictive", "work-stealing", "reroute"});
  if (map.integer_or("redundant_experts", 0, {.min = 0, .max = 100'000}) != 0)
    map.problem("redundant_experts", "copies of experts are not available yet; use 0");
  map.finish();
}

} // namespace moesim::scenario
