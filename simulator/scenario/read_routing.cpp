#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "simulator/config/node.hpp"
#include "simulator/config/source_text.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/record/routing_file.hpp"
#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

using workloads::RoutingModel;
using workloads::RoutingTrace;
using workloads::RoutingType;

constexpr std::array<RoutingType, 5> types{RoutingType::Uniform, RoutingType::Zipf, RoutingType::Dirichlet,
                                           RoutingType::Hot, RoutingType::Trace};

// A table where it ends in .csv, else HDF5; beside the scenario.
RoutingTrace trace_in(const std::filesystem::path& file) {
  if (file.extension() != ".csv")
    return record::read_routing_trace(file);
  return workloads::read_routing_csv(config::checked_text(config::read_file(file), {file.string()}), file.string());
}

std::shared_ptr<const RoutingTrace> read_trace(config::MapReader& map, const std::filesystem::path& scenario_file) {
  if (map.has("loads") == map.has("file")) {
    map.problem("", "a trace is either a text or a file; give one of loads and file");
    static_cast<void>(map.text_or("loads", "") + map.text_or("file", ""));
    return nullptr;
  }
  const bool is_file = map.has("file");
  const std::string given = map.text(is_file ? "file" : "loads");
  try {
    return std::make_shared<const RoutingTrace>(is_file ? trace_in(scenario_file.parent_path() / given)
                                                        : workloads::read_routing_csv(given, scenario_file.string()));
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems())
      map.problem(is_file ? "file" : "loads", fmt::format("line {}: {}", problem.position.line, problem.message));
  } catch (const record::ResultFileError& error) {
    map.problem("file", error.what());
  }
  return nullptr;
}

void read_type(config::MapReader& map, const std::filesystem::path& scenario_file, RoutingModel& routing) {
  switch (routing.type) {
  case RoutingType::Uniform:
    break;
  case RoutingType::Zipf:
    routing.exponent = map.number_or("exponent", routing.exponent);
    break;
  case RoutingType::Dirichlet:
    routing.alpha = map.number_or("alpha", routing.alpha);
    break;
  case RoutingType::Hot:
    routing.hot_share = map.number_or("hot_share", routing.hot_share);
    routing.hot_experts = map.integer_or("hot_experts", routing.hot_experts);
    break;
  case RoutingType::Trace:
    routing.trace = read_trace(map, scenario_file);
    break;
  }
}

} // namespace

void read_routing(config::MapReader& moe, const std::filesystem::path& scenario_file, Scenario& scenario) {
  RoutingModel& routing = scenario.job().moe.load.routing;
  routing.seed = scenario.seed;
  const config::Node* node = moe.node("routing");
  if (node == nullptr || node->kind != config::Node::Kind::Map) {
    routing.type = enum_choice(moe, "routing", types);
    if (routing.type == RoutingType::Trace)
      moe.problem("routing", "a trace has to be given: {type: trace, file: FILE}");
    else if (scenario.job().model.moe)
      for (const workloads::RoutingProblem& problem : problems(routing, scenario.job().model))
        moe.problem("routing", fmt::format("{}: {}; give it as a map, with its type", problem.field, problem.message));
    return;
  }
  config::MapReader map = moe.map("routing");
  if (!map.has("type"))
    map.problem("type", "missing; expected the name of a router, such as zipf");
  routing.type = enum_choice(map, "type", types);
  read_type(map, scenario_file, routing);
  routing.drift = map.number_or("drift", routing.drift);
  routing.correlation = map.number_or("correlation", routing.correlation);
  if (map.boolean_or("sampled", false))
    routing.counts = workloads::TokenCounts::Sampled;
  routing.seed = static_cast<std::uint64_t>(
      map.integer_or("seed", static_cast<std::int64_t>(scenario.seed), {.min = 0, .max = 1'000'000'000'000'000'000}));
  map.finish();
  const workloads::ModelSpec& model = scenario.job().model;
  const bool has_trace = routing.type != RoutingType::Trace || routing.trace != nullptr;
  if (model.moe && has_trace)
    for (const workloads::RoutingProblem& problem : problems(routing, model))
      map.problem(problem.field == "file" && map.has("loads") ? "loads" : problem.field, problem.message);
}

} // namespace moesim::scenario
