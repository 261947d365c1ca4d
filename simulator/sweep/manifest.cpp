#include "simulator/sweep/manifest.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "simulator/config/node.hpp"

namespace moesim::sweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format_name = "moesim sweep";
constexpr int format_version = 1;

Json json_of(const Plan& plan) {
  Json top{{"format", format_name}, {"version", format_version}, {"name", plan.name}};
  top["scenarios"] = Json::array();
  for (const ScenarioFile& scenario : plan.scenarios)
    top["scenarios"].push_back({{"reference", scenario.reference},
                                {"file", scenario.file.string()},
                                {"text", config::read_file(scenario.file)}});
  top["fields"] = plan.fields;
  top["points"] = Json::array();
  for (const Point& point : plan.points) {
    Json settings = Json::array();
    for (const Setting& setting : point.settings)
      settings.push_back({setting.field, setting.value});
    top["points"].push_back({{"scenario", point.scenario}, {"settings", settings}});
  }
  return top;
}

std::string identity_of(Json top) {
  for (Json& scenario : top["scenarios"])
    scenario.erase("file");
  return top.dump();
}

Plan plan_of(const Json& top) {
  Plan plan;
  plan.name = top.at("name");
  for (const Json& scenario : top.at("scenarios"))
    plan.scenarios.push_back({scenario.at("reference"), scenario.at("file").get<std::string>()});
  plan.fields = top.at("fields").get<std::vector<std::string>>();
  for (const Json& point : top.at("points")) {
    Point& added = plan.points.emplace_back(Point{point.at("scenario"), {}});
    for (const Json& setting : point.at("settings"))
      added.settings.push_back({setting.at(0), setting.at(1)});
    if (added.scenario >= plan.scenarios.size())
      throw std::runtime_error("a point names a scenario that is not there");
  }
  return plan;
}

} // namespace

std::string manifest_text(const Plan& plan) {
  return json_of(plan).dump(1) + "\n";
}

Manifest parse_manifest(const std::string& text) {
  const Json top = Json::parse(text);
  if (top.at("format") != format_name || top.at("version") != format_version)
    throw std::runtime_error("it is of another format");
  return {plan_of(top), identity_of(top)};
}

std::string identity_of(const Plan& plan) {
  return identity_of(json_of(plan));
}

} // namespace moesim::sweep
