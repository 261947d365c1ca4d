#include <fmt/format.h>

#include "platforms/protocols.hpp"

namespace moesim::platforms {
namespace {

constexpr config::NumberRange share{.min = 0.001, .max = 1};

Protocol read_protocol(config::MapReader map) {
  Protocol protocol;
  protocol.latency = map.seconds_or("latency", Seconds(0));
  protocol.nvlink_latency = map.seconds_or("nvlink_latency", Seconds(0));
  protocol.nic_latency = map.seconds_or("nic_latency", Seconds(0));
  protocol.nvlink_efficiency = map.number_or("nvlink_efficiency", 1, share);
  protocol.nic_efficiency = map.number_or("nic_efficiency", 1, share);
  map.finish();
  return protocol;
}

InSwitch read_in_switch(config::MapReader map) {
  InSwitch in_switch;
  in_switch.latency = map.seconds_or("latency", Seconds(0));
  in_switch.efficiency = map.number_or("efficiency", 1, share);
  in_switch.min_gpus = map.integer_or("min_gpus", 2, {.min = 1, .max = 1024});
  map.finish();
  return in_switch;
}

TokenKernel read_token_kernel(config::MapReader map) {
  TokenKernel kernel;
  kernel.latency = map.seconds_or("latency", Seconds(0));
  kernel.token = map.seconds_or("token", Seconds(0));
  if (map.node("bandwidth") != nullptr)
    kernel.bandwidth = map.bandwidth("bandwidth");
  kernel.relays = map.number_or("relays", 1, {.min = 0, .max = 100});
  map.finish();
  return kernel;
}

LowLatencyKernel read_low_latency(config::MapReader map) {
  LowLatencyKernel kernel;
  kernel.latency = map.seconds_or("latency", Seconds(0));
  kernel.nic_latency = map.seconds_or("nic_latency", Seconds(0));
  kernel.expert = map.seconds_or("expert", Seconds(0));
  kernel.token = map.seconds_or("token", Seconds(0));
  kernel.nvlink_efficiency = map.number_or("nvlink_efficiency", 1, share);
  kernel.nic_efficiency = map.number_or("nic_efficiency", 1, share);
  map.finish();
  return kernel;
}

TokenExchange read_token_exchange(config::MapReader map) {
  TokenExchange exchange;
  exchange.latency = map.seconds_or("latency", Seconds(0));
  exchange.peer = map.seconds_or("peer", Seconds(0));
  exchange.token = map.seconds_or("token", Seconds(0));
  exchange.nvlink_efficiency = map.number_or("nvlink_efficiency", 1, share);
  map.finish();
  return exchange;
}

std::optional<TokenExchanges> read_token_exchanges(config::MapReader& map, std::string_view key) {
  if (map.node(key) == nullptr)
    return std::nullopt;
  config::MapReader kernels = map.map(key);
  TokenExchanges exchanges;
  exchanges.dispatch = read_token_exchange(kernels.map_or_empty("dispatch"));
  exchanges.combine = read_token_exchange(kernels.map_or_empty("combine"));
  if (kernels.node("tray") != nullptr) {
    config::MapReader tray = kernels.map("tray");
    exchanges.tray = Block{tray.integer("gpus", {.min = 1, .max = 1024}), tray.number("efficiency", share)};
    tray.finish();
  }
  if (kernels.node("combine_low_precision") != nullptr)
    exchanges.combine_low_precision = read_token_exchange(kernels.map("combine_low_precision"));
  kernels.finish();
  return exchanges;
}

DeepEp read_deepep(config::MapReader map) {
  DeepEp deepep;
  deepep.dispatch = read_token_kernel(map.map_or_empty("dispatch"));
  deepep.combine = read_token_kernel(map.map_or_empty("combine"));
  deepep.nvlink_efficiency = map.number_or("nvlink_efficiency", 1, share);
  deepep.nic_efficiency = map.number_or("nic_efficiency", 1, share);
  deepep.node_latency = map.seconds_or("node_latency", Seconds(0));
  deepep.low_latency_dispatch = read_low_latency(map.map_or_empty("low_latency_dispatch"));
  deepep.low_latency_combine = read_low_latency(map.map_or_empty("low_latency_combine"));
  map.finish();
  return deepep;
}

std::vector<Block> read_blocks(config::MapReader& map) {
  std::vector<Block> blocks;
  std::int64_t more_than = 0;
  double at_most = 1;
  for (config::MapReader item : map.maps_or_empty("blocks")) {
    const std::int64_t gpus = item.integer("gpus", {.min = more_than + 1, .max = 1024});
    const double efficiency = item.number("efficiency", {.min = 0.001, .max = at_most});
    item.finish();
    blocks.push_back({gpus, efficiency});
    more_than = gpus;
    at_most = efficiency;
  }
  return blocks;
}

} // namespace

Protocols read_protocols(config::MapReader map) {
  Protocols protocols;
  config::MapReader ll = map.map_or_empty("ll");
  protocols.ll_nvlink_efficiency = ll.number_or("nvlink_efficiency", protocols.ll_nvlink_efficiency, share);
  protocols.ll_nic_efficiency = ll.number_or("nic_efficiency", protocols.ll_nic_efficiency, share);
  ll.finish();
  if (map.node("ll128") != nullptr)
    protocols.ll128 = read_protocol(map.map("ll128"));
  config::MapReader simple = map.map_or_empty("simple");
  protocols.simple_nic_efficiency = simple.number_or("nic_efficiency", 1, share);
  simple.finish();
  config::MapReader tree = map.map_or_empty("tree");
  protocols.tree_efficiency = tree.number_or("efficiency", 1, share);
  if (tree.node("nic_latency") != nullptr)
    protocols.tree_nic_latency = tree.seconds("nic_latency");
  tree.finish();
  protocols.blocks = read_blocks(map);
  if (map.node("nvls") != nullptr)
    protocols.nvls = read_in_switch(map.map("nvls"));
  if (map.node("sharp") != nullptr)
    protocols.sharp = read_in_switch(map.map("sharp"));
  if (map.node("one_shot") != nullptr)
    protocols.one_shot = read_protocol(map.map("one_shot"));
  if (map.node("two_shot") != nullptr)
    protocols.two_shot = read_protocol(map.map("two_shot"));
  if (map.node("send_ll") != nullptr)
    protocols.send_ll = read_protocol(map.map("send_ll"));
  if (map.node("send_simple") != nullptr)
    protocols.send_simple = read_protocol(map.map("send_simple"));
  config::MapReader all_to_all = map.map_or_empty("all_to_all");
  protocols.all_to_all_efficiency = all_to_all.number_or("efficiency", 1, share);
  protocols.own_part = all_to_all.number_or("own_part", 0, {.min = 0, .max = 1});
  all_to_all.finish();
  protocols.deepep = read_deepep(map.map_or_empty("deepep"));
  protocols.nvlink_one_sided = read_token_exchanges(map, "nvlink_one_sided");
  protocols.nvlink_two_sided = read_token_exchanges(map, "nvlink_two_sided");
  map.finish();
  return protocols;
}

} // namespace moesim::platforms
