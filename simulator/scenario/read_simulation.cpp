#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/node.hpp"
#include "simulator/scenario/network_streams.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

using cost::Algorithm;
using cost::Fidelity;

template <class Enum, std::size_t count>
std::array<std::string_view, count> names_of() {
  std::array<std::string_view, count> names;
  for (std::size_t at = 0; at < count; ++at)
    names[at] = name_of(static_cast<Enum>(at));
  return names;
}

Fidelity fidelity(config::MapReader& map, std::string_view key, Fidelity fallback) {
  static const auto names = names_of<Fidelity, cost::fidelity_count>();
  const std::string name = map.choice_or(key, name_of(fallback), names);
  return static_cast<Fidelity>(std::ranges::find(names, name) - names.begin());
}

void set_fidelity(cost::NetworkOptions& network, const NetworkStream& stream, Fidelity fidelity) {
  for (const graph::Stream of : stream.streams)
    network[static_cast<std::size_t>(of)].fidelity = fidelity;
}

// A name for all streams, or a map of streams with a default for the others.
void read_fidelities(config::MapReader& map, cost::NetworkOptions& network) {
  const config::Node* given = map.node("network");
  if (given == nullptr || given->kind != config::Node::Kind::Map) {
    const Fidelity all = fidelity(map, "network", Fidelity::Fluid);
    for (const NetworkStream& stream : network_streams())
      set_fidelity(network, stream, all);
    return;
  }
  config::MapReader streams = map.map("network");
  const Fidelity others = fidelity(streams, "default", Fidelity::Fluid);
  for (const NetworkStream& stream : network_streams())
    set_fidelity(network, stream, fidelity(streams, stream.name, others));
  streams.finish();
}

// The algorithms for anything that the stream communicates.
std::vector<std::string_view> algorithms_for(const NetworkStream& stream) {
  std::vector<std::string_view> names;
  for (std::size_t at = 0; at < cost::algorithm_count; ++at)
    if (std::ranges::any_of(stream.kinds,
                            [&](graph::Kind kind) { return cost::does(static_cast<Algorithm>(at), kind); }))
      names.push_back(name_of(static_cast<Algorithm>(at)));
  return names;
}

void read_algorithms(config::MapReader map, cost::NetworkOptions& network) {
  static const auto names = names_of<Algorithm, cost::algorithm_count>();
  for (const NetworkStream& stream : network_streams()) {
    if (stream.kinds.empty())
      continue;
    const std::string name = map.choice_or(stream.name, name_of(Algorithm::Auto), algorithms_for(stream));
    for (const graph::Stream of : stream.streams)
      network[static_cast<std::size_t>(of)].algorithm =
          static_cast<Algorithm>(std::ranges::find(names, name) - names.begin());
  }
  map.finish();
}

// Streams of collectives: those of the pipeline stay apart, since transfers both ways in one order of issue can wait
// for each other for ever.
std::vector<NetworkStream> collective_streams() {
  std::vector<NetworkStream> streams;
  for (const NetworkStream& stream : network_streams())
    if (!stream.kinds.empty())
      streams.push_back(stream);
  return streams;
}

// Streams are one when they name the same.
void read_streams(config::MapReader map, graph::Queues& queues) {
  const std::vector<NetworkStream> streams = collective_streams();
  std::vector<std::string_view> names;
  for (const NetworkStream& stream : streams)
    names.push_back(stream.name);
  for (const NetworkStream& stream : streams) {
    const std::string shared = map.choice_or(stream.name, stream.name, names);
    const auto at = static_cast<std::size_t>(std::ranges::find(names, shared) - names.begin());
    for (const graph::Stream of : stream.streams)
      queues[static_cast<std::size_t>(of)] = streams[at].streams.front();
  }
  map.finish();
}

} // namespace

std::span<const NetworkStream> network_streams() {
  using graph::Kind;
  using graph::Stream;
  static const std::vector<Kind> reductions{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter};
  static const std::vector<Kind> all{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll};
  static const std::vector<Kind> of_experts{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter,
                                            Kind::AllToAll,  Kind::Dispatch,  Kind::Combine};
  static const std::array<NetworkStream, 5> streams{{
      {"tp", {Stream::Tp}, reductions},
      {"cp", {Stream::Cp}, all},
      {"ep", {Stream::Ep}, of_experts},
      {"dp", {Stream::Dp}, reductions},
      {"pp", {Stream::PpSendNext, Stream::PpSendPrev, Stream::PpRecvNext, Stream::PpRecvPrev}, {}},
  }};
  return streams;
}

void read_simulation(config::MapReader map, Scenario& scenario) {
  read_fidelities(map, scenario.network);
  read_algorithms(map.map_or_empty("algorithms"), scenario.network);
  read_streams(map.map_or_empty("streams"), scenario.job().queues);
  constexpr std::array<std::string_view, 2> symmetries{"auto", "off"};
  scenario.symmetry = map.choice_or("symmetry", "auto", symmetries) == "off" ? Symmetry::Off : Symmetry::Auto;
  scenario.seed = static_cast<std::uint64_t>(map.integer_or("seed", 1, {.min = 0, .max = 4'294'967'295}));
  map.finish();
}

std::string streams_yaml(const graph::Queues& queues) {
  const std::vector<NetworkStream> streams = collective_streams();
  std::vector<std::string> fields;
  for (const NetworkStream& stream : streams) {
    const graph::Stream queue = queues[static_cast<std::size_t>(stream.streams.front())];
    const auto shared =
        std::ranges::find(streams, queue, [](const NetworkStream& other) { return other.streams.front(); });
    fields.push_back(fmt::format("{}: {}", stream.name, shared->name));
  }
  return fmt::format("{}", fmt::join(fields, ", "));
}

std::string network_yaml(const cost::NetworkOptions& network) {
  std::vector<std::string> fidelities;
  std::vector<std::string> algorithms;
  for (const NetworkStream& stream : network_streams()) {
    const cost::StreamOptions& options = network[static_cast<std::size_t>(stream.streams.front())];
    fidelities.push_back(fmt::format("{}: {}", stream.name, name_of(options.fidelity)));
    if (!stream.kinds.empty())
      algorithms.push_back(fmt::format("{}: {}", stream.name, name_of(options.algorithm)));
  }
  const Fidelity first = network[static_cast<std::size_t>(network_streams().front().streams.front())].fidelity;
  const bool are_one = std::ranges::all_of(network_streams(), [&](const NetworkStream& stream) {
    return network[static_cast<std::size_t>(stream.streams.front())].fidelity == first;
  });
  return fmt::format("network: {}, algorithms: {{{}}}",
                     are_one ? std::string(name_of(first)) : fmt::format("{{{}}}", fmt::join(fidelities, ", ")),
                     fmt::join(algorithms, ", "));
}

} // namespace moesim::scenario
