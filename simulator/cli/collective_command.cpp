#include <memory>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulator/cli/collective_options.hpp"
#include "simulator/cli/commands.hpp"

namespace moesim::cli {
namespace {

struct Row {
  Bytes size;
  run::LoneTime result;
  BytesPerSecond algbw; // size / time
  BytesPerSecond busbw;
};

std::vector<Row> rows_of(const CollectiveRequest& request) {
  const run::LoneCollective& collective = request.collective;
  const std::vector<run::LoneTime> times = run::times_alone(collective, request.cluster);
  std::vector<Row> rows;
  for (std::size_t at = 0; at < times.size(); ++at) {
    const BytesPerSecond algbw = collective.sizes[at] / times[at].time;
    rows.push_back(
        {collective.sizes[at], times[at], algbw, run::bus_factor(collective.kind, collective.group) * algbw});
  }
  return rows;
}

// The columns of nccl-tests, in its units.
void print_table(const CollectiveOptions& options, const CollectiveRequest& request, const std::vector<Row>& rows) {
  fmt::print("{}, {} of the {} GPUs of {} ({} a node), {}\n", options.kind, request.collective.group,
             request.cluster.gpu_count(), request.cluster.name, request.cluster.gpus_per_node, options.fidelity);
  fmt::print("{:>14}{:>14}{:>11}{:>11}  {}\n", "size", "time", "algbw", "busbw", "algorithm");
  fmt::print("{:>14}{:>14}{:>11}{:>11}\n", "(B)", "(us)", "(GB/s)", "(GB/s)");
  for (const Row& row : rows)
    fmt::print("{:>14.0f}{:>14.2f}{:>11.2f}{:>11.2f}  {}\n", row.size.value(), row.result.time.value() * 1e6,
               row.algbw.value() / 1e9, row.busbw.value() / 1e9, name_of(row.result.algorithm));
}

void print_json(const CollectiveOptions& options, const CollectiveRequest& request, const std::vector<Row>& rows) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Row& row : rows)
    list.push_back({{"size_bytes", row.size.value()},
                    {"time_s", row.result.time.value()},
                    {"algbw", row.algbw.value()},
                    {"busbw", row.busbw.value()},
                    {"algorithm", name_of(row.result.algorithm)}});
  const Json json{{"kind", options.kind},           {"platform", request.cluster.name},
                  {"nodes", request.cluster.nodes}, {"group", request.collective.group},
                  {"fidelity", options.fidelity},   {"rows", std::move(list)}};
  fmt::print("{}\n", json.dump(2));
}

void collective(const CollectiveOptions& options) {
  const CollectiveRequest request = collective_request(options);
  const std::vector<Row> rows = rows_of(request);
  if (options.json)
    print_json(options, request, rows);
  else
    print_table(options, request, rows);
}

} // namespace

void add_collective(CLI::App& app, int&) {
  const auto options = std::make_shared<CollectiveOptions>();
  CLI::App* command = app.add_subcommand("collective", "Time a collective by itself, as nccl-tests does");
  command
      ->add_option("kind", options->kind, "all-reduce, all-gather, reduce-scatter, broadcast, all-to-all or send-recv")
      ->required();
  command->add_option("--platform", options->platform, "A cluster of the catalogue, or a path")->required();
  command->add_option("--nodes", options->nodes, "Nodes (default: those of the platform)");
  command->add_option("--group", options->group, "Ranks that take part: the first ones in rank order")->required();
  command->add_option("--sizes", options->sizes,
                      "One size, or FROM:TO, doubled in between (default: 1MiB:1GiB); counted as nccl-tests does");
  command->add_option("--fidelity", options->fidelity, "analytic, fluid (default) or flow");
  command->add_option("--algorithm", options->algorithm, "How it is done (default: auto)");
  command->add_option("--set", options->assignments, "Replace a field: platform.path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "Print JSON instead of text (seconds, bytes, bytes/s)");
  command->callback([options] { collective(*options); });
}

} // namespace moesim::cli
