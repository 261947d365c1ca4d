#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "platforms/protocols.hpp"

namespace moesim::platforms {
namespace {

// A field and its value as YAML: doubles in the fewest digits that read back to the same value.
using Field = std::pair<std::string_view, std::string>;
using Fields = std::vector<Field>;

std::string in(Seconds seconds) {
  return fmt::format("{}s", seconds.value());
}

std::string plain(double value) {
  return fmt::format("{}", value);
}

Fields fields_of(const Protocol& protocol) {
  return {{"latency", in(protocol.latency)},
          {"nvlink_latency", in(protocol.nvlink_latency)},
          {"nic_latency", in(protocol.nic_latency)},
          {"nvlink_efficiency", plain(protocol.nvlink_efficiency)},
          {"nic_efficiency", plain(protocol.nic_efficiency)}};
}

Fields fields_of(const InSwitch& in_switch) {
  return {{"latency", in(in_switch.latency)},
          {"efficiency", plain(in_switch.efficiency)},
          {"min_gpus", fmt::format("{}", in_switch.min_gpus)}};
}

Fields fields_of(const TokenKernel& kernel) {
  Fields fields{{"latency", in(kernel.latency)}, {"token", in(kernel.token)}};
  if (kernel.bandwidth)
    fields.emplace_back("bandwidth", fmt::format("{}B/s", kernel.bandwidth->value()));
  fields.emplace_back("relays", plain(kernel.relays));
  return fields;
}

Fields fields_of(const LowLatencyKernel& kernel) {
  return {{"latency", in(kernel.latency)},
          {"nic_latency", in(kernel.nic_latency)},
          {"expert", in(kernel.expert)},
          {"nvlink_efficiency", plain(kernel.nvlink_efficiency)},
          {"nic_efficiency", plain(kernel.nic_efficiency)}};
}

struct Row {
  std::string_view name;
  Fields fields;
};

std::vector<Row> rows_of(const DeepEp& deepep) {
  return {{"dispatch", fields_of(deepep.dispatch)},
          {"combine", fields_of(deepep.combine)},
          {"low_latency_dispatch", fields_of(deepep.low_latency_dispatch)},
          {"low_latency_combine", fields_of(deepep.low_latency_combine)}};
}

Fields own_fields_of(const DeepEp& deepep) {
  return {{"nvlink_efficiency", plain(deepep.nvlink_efficiency)},
          {"nic_efficiency", plain(deepep.nic_efficiency)},
          {"node_latency", in(deepep.node_latency)}};
}

// All but DeepEP's.
std::vector<Row> rows_of(const Protocols& protocols) {
  std::vector<Row> rows{{"ll",
                         {{"nvlink_efficiency", plain(protocols.ll_nvlink_efficiency)},
                          {"nic_efficiency", plain(protocols.ll_nic_efficiency)}}}};
  if (protocols.ll128)
    rows.push_back({"ll128", fields_of(*protocols.ll128)});
  rows.push_back({"simple", {{"nic_efficiency", plain(protocols.simple_nic_efficiency)}}});
  Fields tree{{"efficiency", plain(protocols.tree_efficiency)}};
  if (protocols.tree_nic_latency)
    tree.emplace_back("nic_latency", in(*protocols.tree_nic_latency));
  rows.push_back({"tree", std::move(tree)});
  if (protocols.nvls)
    rows.push_back({"nvls", fields_of(*protocols.nvls)});
  if (protocols.sharp)
    rows.push_back({"sharp", fields_of(*protocols.sharp)});
  if (protocols.send_ll)
    rows.push_back({"send_ll", fields_of(*protocols.send_ll)});
  if (protocols.send_simple)
    rows.push_back({"send_simple", fields_of(*protocols.send_simple)});
  rows.push_back({"all_to_all", {{"own_part", plain(protocols.own_part)}}});
  return rows;
}

std::string flow_map(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, value);
  return "{" + text + "}";
}

std::string words(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format(" {}={}", name, value);
  return text;
}

} // namespace

std::string to_yaml(const Protocols& protocols, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  for (const Row& row : rows_of(protocols))
    text += fmt::format("{}{}: {}\n", margin, row.name, flow_map(row.fields));
  text += margin + "deepep:\n";
  for (const auto& [name, value] : own_fields_of(protocols.deepep))
    text += fmt::format("{}  {}: {}\n", margin, name, value);
  for (const Row& row : rows_of(protocols.deepep))
    text += fmt::format("{}  {}: {}\n", margin, row.name, flow_map(row.fields));
  return text;
}

std::string describe(const Protocols& protocols) {
  std::string text;
  for (const Row& row : rows_of(protocols))
    text += fmt::format("collective {}{}\n", row.name, words(row.fields));
  text += fmt::format("collective deepep{}\n", words(own_fields_of(protocols.deepep)));
  for (const Row& row : rows_of(protocols.deepep))
    text += fmt::format("collective deepep.{}{}\n", row.name, words(row.fields));
  return text;
}

} // namespace moesim::platforms
