#include "simulator/validation/system.hpp"

#include <algorithm>
#include <optional>
#include <regex>
#include <span>

#include <fmt/format.h>

namespace moesim::validation {
namespace {

platforms::Cluster read_base(const std::string& base, std::span<const std::string> assignments) {
  config::Node root = config::parse_yaml(fmt::format("platform: {{base: {}}}", base), "the system");
  for (const std::string& assignment : assignments)
    config::set(root, assignment);
  Problems problems;
  platforms::Cluster cluster = platforms::read_cluster(*root.find("platform"), "platform", problems);
  problems.throw_if_any();
  return cluster;
}

std::int64_t gpus_per_node(const Entry& entry, const config::Node& rule, std::int64_t gpus, std::int64_t usual) {
  if (rule.find("rack") != nullptr) // whatever a tray has, NVLink joins the rack
    return usual;
  if (const auto given = integer(entry.config, "gpus_per_node"))
    return *given;
  const auto nodes = integer(entry.config, "num_nodes");
  return nodes && *nodes > 0 && gpus % *nodes == 0 ? gpus / *nodes : usual;
}

// What a rate in the text says of a GPU's NIC, in units of the rule: of the GPU, or its share of the node's.
std::optional<std::string> nic_bandwidth(const std::string& text, const config::Node& rules, std::int64_t per_node) {
  for (const config::Node& rule : rules.items) {
    std::smatch found;
    if (!std::regex_search(text, found, std::regex(rule.find("match")->scalar)))
      continue;
    double rate = std::stod(found[static_cast<std::size_t>(*integer(rule, "rate"))].str());
    if (const auto nics = integer(rule, "nics"))
      rate *= std::stod(found[static_cast<std::size_t>(*nics)].str());
    if (rule.find("of")->scalar == "node")
      rate /= static_cast<double>(per_node);
    return fmt::format("{}{}", rate, rule.find("unit")->scalar);
  }
  return std::nullopt;
}

} // namespace

System system_of(const Entry& entry, std::int64_t gpus, const Vocabulary& vocabulary) {
  const config::Node* rule = first_rule(vocabulary.systems, "platforms", entry.system);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows which cluster '{}' is", entry.system));
  if (const config::Node* reason = rule->find("skip"))
    throw Unpredictable(reason->scalar);
  System system;
  system.base = rule->find("base")->scalar;
  system.hardware = rule->find("hardware")->scalar;
  if (const config::Node* fields = rule->find("set"))
    for (const config::Entry& field : fields->entries)
      system.assignments.push_back(fmt::format("platform.{}={}", field.key, field.value.scalar));
  const platforms::Cluster usual = read_base(system.base, {});
  const std::int64_t most = std::max<std::int64_t>(1, gpus_per_node(entry, *rule, gpus, usual.gpus_per_node));
  std::int64_t nodes = (gpus + most - 1) / most;
  while (gpus % nodes != 0)
    ++nodes;
  if (nodes > 1 && gpus / nodes != usual.gpus_per_node)
    system.assignments.push_back(fmt::format("platform.node.gpus={}", gpus / nodes));
  system.assignments.push_back(fmt::format("platform.nodes={}", nodes));
  if (const auto bandwidth = nic_bandwidth(entry.system, *vocabulary.systems.find("nics"), most))
    system.assignments.push_back(fmt::format("platform.node.nic.bandwidth_per_direction={}", *bandwidth));
  return system;
}

platforms::Cluster cluster_of(const System& system) {
  return read_base(system.base, system.assignments);
}

} // namespace moesim::validation
