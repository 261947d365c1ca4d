#include "simulator/scenario/scenario.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"
#include "simulator/scenario/checks.hpp"

namespace moesim::scenario {
namespace {

constexpr config::IntegerRange degree{.min = 1, .max = 1'000'000};

using Names = std::span<const std::string_view>;

// One of `names`, or `fallback` when absent. `later` are values that the field will take one day: known by name, so
// that the message says more than "unknown".
std::string choice(config::MapReader& map, std::string_view key, std::string_view fallback, Names names,
                   std::initializer_list<std::string_view> later) {
  const config::Node* node = map.node(key);
  const bool is_later = node != nullptr && node->kind == config::Node::Kind::Scalar &&
                        std::ranges::count(later, node->scalar) > 0 && std::ranges::count(names, node->scalar) == 0;
  if (!is_later)
    return map.choice_or(key, fallback, names);
  map.problem(key, fmt::format("{} is not available yet; use {}", node->scalar, fmt::join(names, " or ")));
  return std::string(fallback);
}

// The same with one value so far.
void only(config::MapReader& map, std::string_view key, std::string_view value,
          std::initializer_list<std::string_view> later) {
  const std::array<std::string_view, 1> names{value};
  choice(map, key, value, names, later);
}

void only_one(config::MapReader& map, std::string_view key, std::string_view what) {
  if (map.integer_or(key, 1, degree) != 1)
    map.problem(key, fmt::format("{} is not available yet; use 1", what));
}

void only_false(config::MapReader& map, std::string_view key) {
  if (map.boolean_or(key, false))
    map.problem(key, "this overlap is not available yet; use false");
}

void accept_megatron_names(config::MapReader& map) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> names{{
      {"tensor_model_parallel_size", "tp"},
      {"context_parallel_size", "cp"},
      {"pipeline_model_parallel_size", "pp"},
      {"virtual_pipeline_model_parallel_size", "vpp"},
      {"expert_model_parallel_size", "ep"},
      {"expert_tensor_parallel_size", "etp"},
      {"data_parallel_size", "dp"},
  }};
  for (const auto& [alias, key] : names)
    map.alias(alias, key);
}

void read_parallel(config::MapReader& map, Scenario& scenario) {
  accept_megatron_names(map);
  workloads::ParallelSizes& sizes = scenario.job.sizes;
  sizes.tp = map.integer_or("tp", 1, degree);
  sizes.pp = map.integer_or("pp", 1, degree);
  sizes.ep = map.integer_or("ep", 1, degree);
  scenario.job.layers_per_stage = map.integers_or_empty("layers_per_stage", {.min = 1, .max = 1'000'000});
  only_one(map, "cp", "context parallelism");
  only_one(map, "vpp", "an interleaved schedule");
  only_one(map, "etp", "tensor parallelism inside experts");
  const std::int64_t rest = std::max<std::int64_t>(1, scenario.cluster.gpu_count() / (sizes.tp * sizes.pp));
  sizes.dp = map.integer_or("dp", rest, degree);
  scenario.job.sequence_parallel = map.boolean_or("sequence_parallel", sizes.tp > 1) && sizes.tp > 1;
  scenario.rank_order = map.text_or("order", workloads::default_rank_order);
}

Precision read_precision(config::MapReader& map) {
  constexpr std::array<std::string_view, 2> names{"bf16", "fp16"};
  return choice(map, "precision", "bf16", names, {"fp8", "fp32"}) == "fp16" ? Precision::Fp16 : Precision::Bf16;
}

workloads::Overlap read_overlap(config::MapReader map) {
  workloads::Overlap overlap;
  overlap.grad_reduce = map.boolean_or("grad_reduce", false);
  overlap.param_gather = map.boolean_or("param_gather", false);
  overlap.pp = map.boolean_or("pp", false);
  only_false(map, "tp");
  only_false(map, "expert");
  map.finish();
  return overlap;
}

void read_training(config::MapReader& map, workloads::Training& training) {
  training.global_batch_size = map.integer("global_batch_size", {.min = 1, .max = 100'000'000});
  training.micro_batch_size = map.integer_or("micro_batch_size", 1, {.min = 1, .max = 1'000'000});
  training.seq_length = map.integer("seq_length", {.min = 1, .max = 100'000'000});
  training.precision = read_precision(map);
  const std::vector<std::string_view> schedules = schedulers::schedule_names();
  training.schedule = choice(map, "schedule", "1f1b", schedules,
                             {"interleaved", "interleaved-1f1b", "zb-h1", "zb-h2", "zb-v", "dualpipe"});
  constexpr std::array<std::string_view, 2> recomputes{"none", "full"};
  const bool recomputes_all = choice(map, "recompute", "none", recomputes, {"selective"}) == "full";
  training.recompute = recomputes_all ? workloads::Recompute::Full : workloads::Recompute::None;
  constexpr std::array<std::string_view, 2> shardings{"none", "zero-1"};
  const bool is_sharded = choice(map, "sharding", "zero-1", shardings, {"zero-2", "zero-3"}) == "zero-1";
  training.sharding = is_sharded ? workloads::Sharding::Zero1 : workloads::Sharding::None;
  training.overlap = read_overlap(map.map_or_empty("overlap"));
  if (training.overlap.param_gather && training.sharding == workloads::Sharding::None)
    map.problem("overlap", "param_gather needs sharded parameters; use sharding: zero-1 or param_gather: false");
}

// A name, or a map whose `type` is the name and whose other keys are that model's parameters.
void read_routing(config::MapReader& map) {
  const config::Node* routing = map.node("routing");
  if (routing == nullptr || routing->kind != config::Node::Kind::Map)
    return only(map, "routing", "uniform", {"zipf", "dirichlet", "trace"});
  config::MapReader form = map.map("routing");
  only(form, "type", "uniform", {"zipf", "dirichlet", "trace"});
  const config::Node* type = routing->find("type");
  if (type == nullptr || type->scalar == "uniform") // the parameters of a refused model are not complained about
    form.finish();
}

void read_moe(config::MapReader map) {
  read_routing(map);
  only(map, "dispatcher", "alltoall", {"allgather", "deepep", "flex"});
  only(map, "capacity_factor", "none", {});
  only(map, "placement", "contiguous", {});
  only(map, "balancing", "none", {"eplb", "periodic", "predictive", "work-stealing", "reroute"});
  if (map.integer_or("redundant_experts", 0, {.min = 0, .max = 100'000}) != 0)
    map.problem("redundant_experts", "copies of experts are not available yet; use 0");
  map.finish();
}

void read_simulation(config::MapReader map, Scenario& scenario) {
  constexpr std::array<std::string_view, 2> networks{"analytic", "fluid"};
  scenario.network =
      choice(map, "network", "fluid", networks, {"flow"}) == "fluid" ? Network::Fluid : Network::Analytic;
  constexpr std::array<std::string_view, 2> symmetries{"auto", "off"};
  scenario.symmetry = map.choice_or("symmetry", "auto", symmetries);
  scenario.seed = static_cast<std::uint64_t>(map.integer_or("seed", 1, {.min = 0, .max = 4'294'967'295}));
  map.finish();
}

// `--set platform.nodes=16` on `platform: moe30b-cluster` means the cluster of that name with 16 nodes: before a field
// is set below a name, the name becomes {base: NAME}.
void name_becomes_base(config::Node& parent, std::string_view key) {
  const auto entry = std::ranges::find(parent.entries, key, &config::Entry::key);
  if (entry == parent.entries.end() || entry->value.kind != config::Node::Kind::Scalar)
    return;
  config::Node map;
  map.kind = config::Node::Kind::Map;
  map.position = entry->value.position;
  map.entries.push_back({"base", entry->value.position, std::move(entry->value)});
  entry->value = std::move(map);
}

void assign(config::Node& root, std::string_view assignment) {
  if (assignment.starts_with("platform."))
    name_becomes_base(root, "platform");
  if (assignment.starts_with("platform.gpu."))
    for (config::Entry& entry : root.entries)
      if (entry.key == "platform")
        name_becomes_base(entry.value, "gpu");
  config::set(root, assignment);
}

} // namespace

Scenario load(const std::filesystem::path& file, std::span<const std::string> assignments) {
  Scenario scenario;
  scenario.text = config::read_file(file);
  config::Node root = config::parse(scenario.text, file);
  Problems problems;
  for (const std::string& assignment : assignments) {
    try {
      assign(root, assignment);
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  config::MapReader map(root, "", problems);
  map.integer("version", {.min = 1, .max = 1});
  scenario.name = map.text_or("name", file.stem().string());
  if (const config::Node* platform = map.node("platform"))
    scenario.cluster = platforms::read_cluster(*platform, "platform", problems);
  else
    map.problem("platform", "missing; expected a cluster of the catalogue, such as {base: dgx-h100, nodes: 8}");
  if (const config::Node* model = map.node("model"))
    scenario.job.model = workloads::read_model(*model, "model", problems, scenario.warnings);
  else
    map.problem("model",
                "missing; expected a model of the catalogue, such as mixtral-8x7b, a config.json or its fields");
  const bool sections_are_sound = problems.empty();

  config::MapReader parallel = map.map_or_empty("parallel");
  read_parallel(parallel, scenario);
  if (map.node("inference") != nullptr)
    map.problem("inference", "inference is not available yet; give training");
  config::MapReader training = map.map("training");
  read_training(training, scenario.job.training);
  read_moe(map.map_or_empty("moe"));
  read_simulation(map.map_or_empty("simulation"), scenario);
  parallel.finish();
  training.finish();
  map.finish();
  // Sizes are compared only when each is sound by itself: one mistake, one message.
  if (sections_are_sound && problems.empty()) {
    const Sections at{parallel, training};
    check_world(scenario, at);
    check_model_splits(scenario, at);
    check_batch(scenario, at);
    // What does not fit together has no amounts.
    if (problems.empty()) {
      check_amounts(scenario, at);
      check_size(scenario, at);
    }
  }
  problems.throw_if_any();
  return scenario;
}

} // namespace moesim::scenario
