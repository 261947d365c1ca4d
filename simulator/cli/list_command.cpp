#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "platforms/cluster.hpp"
#include "platforms/fabric_words.hpp"
#include "platforms/read_gpu.hpp"
#include "schedulers/custom_order.hpp"
#include "schedulers/pipeline_schedule.hpp"
#include "simulator/base/format.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/config/catalogue.hpp"
#include "simulator/cost/communication.hpp"
#include "workloads/model.hpp"

namespace moesim::cli {
namespace {

using Json = nlohmann::ordered_json;

// A row for people beside the object for machines.
struct Listed {
  std::string text;
  Json json;
};

config::Node catalogue_name(const std::string& name) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = name;
  return node;
}

Listed gpu(const std::string& name) {
  Problems problems;
  const platforms::Gpu gpu = platforms::read_gpu(catalogue_name(name), "gpu", problems);
  problems.throw_if_any();
  Listed row{fmt::format("{:24} {:>10} memory, {:>10} usable, {:>10}", name, format_bytes(gpu.memory_capacity),
                         format_bytes(gpu.usable_memory()), format_bandwidth(gpu.memory_bandwidth)),
             {{"name", name},
              {"memory_capacity_bytes", gpu.memory_capacity.value()},
              {"usable_memory_bytes", gpu.usable_memory().value()},
              {"memory_bandwidth_bytes_per_s", gpu.memory_bandwidth.value()}}};
  for (const Precision precision : {Precision::Bf16, Precision::Fp8, Precision::Nvfp4, Precision::Fp32})
    if (const auto& peak = gpu.peak[static_cast<std::size_t>(precision)]) {
      row.text += fmt::format(", {} {}", format_flops_rate(*peak), name_of(precision));
      row.json[fmt::format("{}_flops_per_s", name_of(precision))] = peak->value();
    }
  return row;
}

Listed cluster(const std::string& name) {
  Problems problems;
  const platforms::Cluster cluster = platforms::read_cluster(catalogue_name(name), "platform", problems);
  problems.throw_if_any();
  const bool has_nvlink = cluster.node_network != platforms::NodeNetwork::Pcie;
  const bool is_mesh = cluster.node_network == platforms::NodeNetwork::Mesh;
  const std::string port = format_bandwidth(cluster.node_port().bandwidth);
  Listed row{fmt::format("{:24} nodes of {} {}, {} {} and NIC {} a GPU and direction, {}", name, cluster.gpus_per_node,
                         cluster.gpu.name,
                         is_mesh      ? "NVLink mesh"
                         : has_nvlink ? "NVLink"
                                      : "PCIe",
                         port, format_bandwidth(cluster.nic.bandwidth), type_name(cluster.fabric)),
             {{"name", name},
              {"gpu", cluster.gpu.name},
              {"gpus_per_node", cluster.gpus_per_node},
              {"nvlink_bytes_per_s", nullptr}, // no NVLink
              {"nic_bytes_per_s", cluster.nic.bandwidth.value()},
              {"fabric", type_name(cluster.fabric)}}};
  if (has_nvlink)
    row.json["nvlink_bytes_per_s"] = cluster.nvlink.bandwidth.value();
  return row;
}

Listed model(const std::string& name) {
  Problems problems;
  std::vector<std::string> ignored;
  const workloads::ModelSpec model = workloads::read_model(catalogue_name(name), "model", problems, ignored);
  problems.throw_if_any();
  const double total = workloads::total_parameters(model);
  const double active = workloads::active_parameters(model);
  return {fmt::format("{:24} {:.4g} B parameters, {:.4g} B active ({})", name, total / 1e9, active / 1e9,
                      workloads::embeddings_counted(model)),
          {{"name", name},
           {"parameters", total},
           {"active_parameters", active},
           {"input_embedding_is_active", model.input_embedding_is_active}}};
}

Listed framework(const std::string& name) {
  const config::Node file = config::load(config::resolve(config::CatalogueKind::Framework, name, "", {}, "framework"));
  const config::Node* description = file.find("description");
  const std::string text = description == nullptr ? "" : description->scalar;
  return {fmt::format("{:24} {}", name, text), {{"name", name}, {"description", text}}};
}

std::vector<Listed> catalogue(config::CatalogueKind kind, Listed (*describe)(const std::string&)) {
  std::vector<Listed> rows;
  for (const std::string& name : config::catalogue_names(kind))
    rows.push_back(describe(name));
  return rows;
}

std::vector<Listed> schedules() {
  std::vector<Listed> rows;
  for (const schedulers::PipelineSchedule& schedule : schedulers::schedules())
    rows.push_back({fmt::format("{:24} {}; bubble {}", schedule.name, schedule.description, schedule.bubble),
                    {{"name", schedule.name}, {"description", schedule.description}, {"bubble", schedule.bubble}}});
  return rows;
}

std::vector<Listed> collectives() {
  std::vector<Listed> rows;
  for (const cost::Description& description : cost::descriptions())
    rows.push_back({fmt::format("{:24} {}", name_of(description.kind), description.text),
                    {{"name", name_of(description.kind)}, {"description", description.text}}});
  return rows;
}

std::vector<Listed> rows_of(const std::string& what) {
  if (what == "gpus")
    return catalogue(config::CatalogueKind::Gpu, gpu);
  if (what == "clusters")
    return catalogue(config::CatalogueKind::Cluster, cluster);
  if (what == "models")
    return catalogue(config::CatalogueKind::Model, model);
  if (what == "frameworks")
    return catalogue(config::CatalogueKind::Framework, framework);
  return what == "schedules" ? schedules() : collectives();
}

struct ListOptions {
  std::string what;
  bool json = false;
};

void list(const ListOptions& options) {
  const std::vector<Listed> rows = rows_of(options.what);
  Json array = Json::array();
  for (const Listed& row : rows) {
    if (!options.json)
      fmt::print("{}\n", row.text);
    array.push_back(row.json);
  }
  if (options.json)
    fmt::print("{}\n", array.dump(2));
  else if (options.what == "schedules") // it has an order only once somebody has written it
    fmt::print("{:24} {}\n", schedulers::custom_schedule_name, schedulers::custom_schedule_description);
}

} // namespace

void add_list(CLI::App& app, int&) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand("list", "Print what the catalogues hold");
  command->add_option("what", options->what, "gpus, clusters, models, frameworks, schedules or collectives")
      ->required()
      ->check(CLI::IsMember({"gpus", "clusters", "models", "frameworks", "schedules", "collectives"}));
  command->add_flag("--json", options->json, "Print JSON instead of text");
  command->callback([options] { list(*options); });
}

} // namespace moesim::cli
