#include "simulator/cli/collective_options.hpp"

#include <array>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"
#include "simulator/config/quantity.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::cli {
namespace {

using graph::Kind;

constexpr std::array kinds{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter,
                           Kind::Broadcast, Kind::AllToAll,  Kind::SendRecv};

config::Node scalar(const std::string& text, const char* option) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = text;
  node.position = {option};
  return node;
}

// The value whose name is `word`; the first one, with a problem noted, when there is none.
template <class Enum>
Enum named(const std::string& word, std::span<const Enum> values, const char* option, const char* what,
           Problems& problems) {
  std::vector<std::string> names;
  for (const Enum value : values) {
    names.emplace_back(name_of(value));
    if (names.back() == word)
      return value;
  }
  const auto near = config::nearest(word, names);
  problems.add({option}, "",
               fmt::format("unknown {} '{}'; {}", what, config::shown(word),
                           near ? fmt::format("did you mean '{}'?", *near)
                                : fmt::format("expected one of {}", fmt::join(names, ", "))));
  return values.front();
}

platforms::Cluster read_platform(const CollectiveOptions& options, Problems& problems) {
  config::Node platform;
  platform.kind = config::Node::Kind::Map;
  platform.position = {"--platform"};
  platform.entries.push_back({"base", {"--platform"}, scalar(options.platform, "--platform")});
  if (options.nodes != 0)
    platform.entries.push_back({"nodes", {"--nodes"}, scalar(fmt::to_string(options.nodes), "--nodes")});
  config::Node root;
  root.kind = config::Node::Kind::Map;
  root.entries.push_back({"platform", {"--platform"}, std::move(platform)});
  for (const std::string& assignment : options.assignments) {
    try {
      config::set(root, assignment);
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  config::MapReader map(root, "", problems);
  platforms::Cluster cluster = platforms::read_cluster(*map.node("platform"), "platform", problems);
  map.finish();
  return cluster;
}

std::optional<Bytes> read_size(std::string_view text, std::size_t column, Problems& problems) {
  config::Node node = scalar(std::string(text), "--sizes");
  node.position.column = static_cast<int>(column) + 1;
  const config::Reading<double> size = config::read_quantity(node, config::size_dimension);
  if (!size.value)
    problems.add(node.position, "", size.problem);
  else if (Bytes(*size.value) > scenario::most_bytes)
    problems.add(
        node.position, "",
        fmt::format("{} is too large; use {:g} bytes at most", config::shown(text), scenario::most_bytes.value()));
  else
    return Bytes(*size.value);
  return std::nullopt;
}

std::vector<Bytes> read_sizes(const std::string& text, Problems& problems) {
  const std::size_t colon = text.find(':');
  const auto first = read_size(std::string_view(text).substr(0, colon), 0, problems);
  const auto last =
      colon == std::string::npos ? first : read_size(std::string_view(text).substr(colon + 1), colon + 1, problems);
  if (!first || !last)
    return {};
  if (*last < *first)
    problems.add({"--sizes"}, "", fmt::format("{} ends before it starts; write the smaller one first", text));
  std::vector<Bytes> sizes;
  for (Bytes size = *first; size <= *last; size = 2 * size)
    sizes.push_back(size);
  return sizes;
}

void check_group(const CollectiveOptions& options, const platforms::Cluster& cluster, Problems& problems) {
  const std::int64_t gpus = cluster.gpu_count();
  if (options.group < 2)
    problems.add({"--group"}, "", fmt::format("{} ranks have nobody to talk to; use 2 or more", options.group));
  else if (options.group > scenario::most_ranks)
    problems.add(
        {"--group"}, "",
        fmt::format("{} ranks are more than one run takes; use {} at most", options.group, scenario::most_ranks));
  else if (options.group > gpus)
    problems.add({"--group"}, "",
                 fmt::format("{} ranks do not fit the {} GPUs of {}; use --nodes {}", options.group, gpus, cluster.name,
                             (options.group + cluster.gpus_per_node - 1) / cluster.gpus_per_node));
}

// In nccl-tests' sendrecv each rank sends to the next, and receives from the one before.
Kind as_run(Kind kind) {
  return kind == Kind::SendRecv ? Kind::RingExchange : kind;
}

// One that does collectives of the kind.
cost::Algorithm read_algorithm(const std::string& word, Kind kind, Problems& problems) {
  std::vector<cost::Algorithm> algorithms;
  for (std::size_t at = 0; at < cost::algorithm_count; ++at)
    if (cost::does(static_cast<cost::Algorithm>(at), as_run(kind)))
      algorithms.push_back(static_cast<cost::Algorithm>(at));
  return named(word, std::span<const cost::Algorithm>(algorithms), "--algorithm",
               fmt::format("algorithm of {}", name_of(kind)).c_str(), problems);
}

} // namespace

CollectiveRequest collective_request(const CollectiveOptions& options) {
  Problems problems;
  CollectiveRequest request;
  run::LoneCollective& collective = request.collective;
  const Kind kind = named(options.kind, std::span<const Kind>(kinds), "KIND", "collective", problems);
  const bool kind_is_known = problems.empty();
  collective.kind = as_run(kind);
  std::vector<cost::Fidelity> fidelities;
  for (std::size_t at = 0; at < cost::fidelity_count; ++at)
    fidelities.push_back(static_cast<cost::Fidelity>(at));
  collective.fidelity =
      named(options.fidelity, std::span<const cost::Fidelity>(fidelities), "--fidelity", "fidelity", problems);
  if (kind_is_known)
    collective.algorithm = read_algorithm(options.algorithm, kind, problems);
  collective.sizes = read_sizes(options.sizes, problems);
  const std::size_t before = problems.size();
  request.cluster = read_platform(options, problems);
  if (problems.size() == before)
    check_group(options, request.cluster, problems);
  problems.throw_if_any();
  collective.group = static_cast<std::uint32_t>(options.group);
  return request;
}

} // namespace moesim::cli
