#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "platforms/protocols.hpp"
#include "simulator/base/format.hpp"

namespace moesim::platforms {
namespace {

using Value = std::variant<Seconds, BytesPerSecond, double, std::int64_t>;
using Fields = std::vector<std::pair<std::string_view, Value>>;

// With base units, and in the fewest digits that read back to the same value.
std::string exact(const Value& value) {
  if (const auto* seconds = std::get_if<Seconds>(&value))
    return fmt::format("{}s", seconds->value());
  if (const auto* bandwidth = std::get_if<BytesPerSecond>(&value))
    return fmt::format("{}B/s", bandwidth->value());
  if (const auto* count = std::get_if<std::int64_t>(&value))
    return fmt::format("{}", *count);
  return fmt::format("{}", std::get<double>(value));
}

std::string readable(const Value& value) {
  if (const auto* seconds = std::get_if<Seconds>(&value))
    return format_seconds(*seconds);
  if (const auto* bandwidth = std::get_if<BytesPerSecond>(&value))
    return format_bandwidth(*bandwidth);
  return exact(value);
}

Fields fields_of(const Protocol& protocol) {
  return {{"latency", protocol.latency},
          {"nvlink_latency", protocol.nvlink_latency},
          {"nic_latency", protocol.nic_latency},
          {"nvlink_efficiency", protocol.nvlink_efficiency},
          {"nic_efficiency", protocol.nic_efficiency}};
}

Fields fields_of(const Block& block) {
  return {{"gpus", block.gpus}, {"efficiency", block.efficiency}};
}

Fields fields_of(const InSwitch& in_switch) {
  return {{"latency", in_switch.latency}, {"efficiency", in_switch.efficiency}, {"min_gpus", in_switch.min_gpus}};
}

Fields fields_of(const TokenKernel& kernel) {
  Fields fields{{"latency", kernel.latency}, {"token", kernel.token}};
  if (kernel.bandwidth)
    fields.emplace_back("bandwidth", *kernel.bandwidth);
  fields.emplace_back("relays", kernel.relays);
  return fields;
}

Fields fields_of(const LowLatencyKernel& kernel) {
  return {{"latency", kernel.latency},
          {"nic_latency", kernel.nic_latency},
          {"expert", kernel.expert},
          {"token", kernel.token},
          {"nvlink_efficiency", kernel.nvlink_efficiency},
          {"nic_efficiency", kernel.nic_efficiency}};
}

Fields fields_of(const TokenExchange& exchange) {
  return {{"latency", exchange.latency},
          {"peer", exchange.peer},
          {"token", exchange.token},
          {"nvlink_efficiency", exchange.nvlink_efficiency}};
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
  return {{"nvlink_efficiency", deepep.nvlink_efficiency},
          {"nic_efficiency", deepep.nic_efficiency},
          {"node_latency", deepep.node_latency}};
}

std::vector<Row> rows_of(const TokenExchanges& exchanges) {
  std::vector<Row> rows{{"dispatch", fields_of(exchanges.dispatch)}, {"combine", fields_of(exchanges.combine)}};
  if (exchanges.tray)
    rows.push_back({"tray", fields_of(*exchanges.tray)});
  if (exchanges.combine_low_precision)
    rows.push_back({"combine_low_precision", fields_of(*exchanges.combine_low_precision)});
  return rows;
}

// Those of TensorRT-LLM that there are.
std::vector<std::pair<std::string_view, const TokenExchanges*>> exchanges_of(const Protocols& protocols) {
  std::vector<std::pair<std::string_view, const TokenExchanges*>> list;
  if (protocols.nvlink_one_sided)
    list.emplace_back("nvlink_one_sided", &*protocols.nvlink_one_sided);
  if (protocols.nvlink_two_sided)
    list.emplace_back("nvlink_two_sided", &*protocols.nvlink_two_sided);
  return list;
}

// All but the kernels for tokens.
std::vector<Row> rows_of(const Protocols& protocols) {
  std::vector<Row> rows{
      {"ll", {{"nvlink_efficiency", protocols.ll_nvlink_efficiency}, {"nic_efficiency", protocols.ll_nic_efficiency}}}};
  if (protocols.ll128)
    rows.push_back({"ll128", fields_of(*protocols.ll128)});
  rows.push_back({"simple", {{"nic_efficiency", protocols.simple_nic_efficiency}}});
  Fields tree{{"efficiency", protocols.tree_efficiency}};
  if (protocols.tree_nic_latency)
    tree.emplace_back("nic_latency", *protocols.tree_nic_latency);
  rows.push_back({"tree", std::move(tree)});
  if (protocols.nvls)
    rows.push_back({"nvls", fields_of(*protocols.nvls)});
  if (protocols.sharp)
    rows.push_back({"sharp", fields_of(*protocols.sharp)});
  if (protocols.one_shot)
    rows.push_back({"one_shot", fields_of(*protocols.one_shot)});
  if (protocols.two_shot)
    rows.push_back({"two_shot", fields_of(*protocols.two_shot)});
  if (protocols.send_ll)
    rows.push_back({"send_ll", fields_of(*protocols.send_ll)});
  if (protocols.send_simple)
    rows.push_back({"send_simple", fields_of(*protocols.send_simple)});
  rows.push_back({"all_to_all", {{"efficiency", protocols.all_to_all_efficiency}, {"own_part", protocols.own_part}}});
  return rows;
}

std::string flow_map(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, exact(value));
  return "{" + text + "}";
}

std::string words(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format(" {}={}", name, readable(value));
  return text;
}

} // namespace

std::string to_yaml(const Protocols& protocols, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  if (!protocols.blocks.empty())
    text += margin + "blocks:\n";
  for (const Block& block : protocols.blocks)
    text += fmt::format("{}  - {}\n", margin, flow_map(fields_of(block)));
  for (const Row& row : rows_of(protocols))
    text += fmt::format("{}{}: {}\n", margin, row.name, flow_map(row.fields));
  text += margin + "deepep:\n";
  for (const auto& [name, value] : own_fields_of(protocols.deepep))
    text += fmt::format("{}  {}: {}\n", margin, name, exact(value));
  for (const Row& row : rows_of(protocols.deepep))
    text += fmt::format("{}  {}: {}\n", margin, row.name, flow_map(row.fields));
  for (const auto& [name, exchanges] : exchanges_of(protocols)) {
    text += fmt::format("{}{}:\n", margin, name);
    for (const Row& row : rows_of(*exchanges))
      text += fmt::format("{}  {}: {}\n", margin, row.name, flow_map(row.fields));
  }
  return text;
}

std::string describe(const Protocols& protocols) {
  std::string text;
  for (const Block& block : protocols.blocks)
    text += fmt::format("collective block{}\n", words(fields_of(block)));
  for (const Row& row : rows_of(protocols))
    text += fmt::format("collective {}{}\n", row.name, words(row.fields));
  text += fmt::format("collective deepep{}\n", words(own_fields_of(protocols.deepep)));
  for (const Row& row : rows_of(protocols.deepep))
    text += fmt::format("collective deepep.{}{}\n", row.name, words(row.fields));
  for (const auto& [name, exchanges] : exchanges_of(protocols))
    for (const Row& row : rows_of(*exchanges))
      text += fmt::format("collective {}.{}{}\n", name, row.name, words(row.fields));
  return text;
}

} // namespace moesim::platforms
