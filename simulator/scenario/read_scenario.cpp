#include "simulator/scenario/scenario.hpp"

#include <optional>
#include <utility>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"
#include "simulator/scenario/assign.hpp"
#include "simulator/scenario/checks.hpp"
#include "simulator/scenario/framework.hpp"
#include "simulator/scenario/search_order.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

// The modules would draft tokens (speculative decoding; DeepSeek-V3, arXiv 2412.19437, section 2.2).
void leave_out_drafting(Scenario& scenario) {
  if (scenario.job().model.mtp_layers > 0)
    scenario.warnings.emplace_back(
        "inference: the model's modules for multi-token prediction could draft tokens; that is "
        "not simulated, and they are left out");
  scenario.job().model.mtp_layers = 0;
}

// Whether the sections fit together, but for what that amounts to.
void check_sections(const Scenario& scenario, Sections at) {
  check_world(scenario, at);
  check_model_splits(scenario, at);
  check_experts(scenario, at);
  if (scenario.is_training()) {
    check_schedule(scenario.training_job(), at);
    check_batch(scenario, at);
    check_overlap(scenario.training_job(), at);
  } else {
    check_inference_batch(scenario.inference_job(), at);
    check_overlap(scenario.inference_job(), at);
  }
}

// Whether the sections fit together, and what that amounts to can be run.
void check_all(Scenario& scenario, Sections at, const Problems& problems) {
  check_sections(scenario, at);
  // What does not fit together has no amounts.
  if (problems.empty() && scenario.is_training()) {
    check_amounts(scenario, at);
    check_size(scenario, at);
    if (problems.empty())
      search_order(scenario);
    if (problems.empty())
      check_order(scenario.training_job(), at);
  } else if (problems.empty()) {
    check_inference_amounts(scenario.inference_job(), at);
    check_inference_size(scenario, at);
  }
}

// Reads all sections but `adapt`, which has been applied.
Scenario read(const config::Node& root, const std::filesystem::path& file, Problems& problems) {
  Scenario scenario;
  config::MapReader map(root, "", problems);
  map.node("framework"); // which over_framework() has read
  map.integer("version", {.min = 1, .max = 1});
  scenario.name = map.text_or("name", file.stem().string());
  if (const config::Node* platform = map.node("platform"))
    scenario.cluster = platforms::read_cluster(*platform, "platform", problems);
  else
    map.problem("platform", "missing; expected a cluster of the catalogue, such as {base: dgx-h100, nodes: 8}");
  if (map.has("inference") && !map.has("training"))
    scenario.work = workloads::InferenceJob{};
  if (const config::Node* model = map.node("model"))
    scenario.job().model = workloads::read_model(*model, "model", problems, scenario.warnings);
  else
    map.problem("model",
                "missing; expected a model of the catalogue, such as mixtral-8x7b, a config.json or its fields");
  const bool sections_are_sound = problems.empty();

  config::MapReader parallel = map.map_or_empty("parallel");
  read_parallel(parallel, scenario);
  if (scenario.is_training() && map.node("inference") != nullptr)
    map.problem("inference", "given beside training, and a run does one of them; keep one of the two");
  config::MapReader work = map.map(scenario.is_training() ? "training" : "inference");
  if (scenario.is_training()) {
    read_training(work, file, scenario.training_job());
    read_launch_time(work.map_or_empty("launch_time"), scenario.launch);
  } else {
    leave_out_drafting(scenario);
    read_inference(work, scenario.job().sizes, scenario.inference_job().inference);
  }
  read_simulation(map.map_or_empty("simulation"), scenario);
  config::MapReader moe = map.map_or_empty("moe");
  read_moe(moe, file, scenario);
  map.node("adapt");
  scenario.claims = claims::read_claims(map, problems);
  parallel.finish();
  work.finish();
  moe.finish();
  map.finish();
  // Sizes are compared only when each is sound by itself: one mistake, one message.
  if (sections_are_sound && problems.empty())
    check_all(scenario, {parallel, work, moe}, problems);
  return scenario;
}

std::optional<double> memory_share(const config::Node& root, const std::filesystem::path& file) {
  Problems problems;
  const Scenario scenario = read(root, file, problems);
  if (!problems.empty())
    return {};
  return estimated_memory(scenario) / scenario.cluster.gpu.usable_memory();
}

} // namespace

bool is_consistent(const Scenario& scenario) {
  config::Node nothing;
  nothing.kind = config::Node::Kind::Map;
  Problems problems;
  config::MapReader parallel(nothing, "", problems);
  config::MapReader work(nothing, "", problems);
  config::MapReader moe(nothing, "", problems);
  check_sections(scenario, {parallel, work, moe});
  return problems.empty();
}

Scenario load(const std::filesystem::path& file, std::span<const std::string> assignments) {
  return parse(config::read_file(file), file, assignments);
}

Scenario parse(const std::string& text, const std::filesystem::path& file, std::span<const std::string> assignments) {
  config::Node root = config::parse(text, file);
  Problems problems;
  for (const std::string& assignment : assignments) {
    try {
      assign(root, assignment);
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  root = over_framework(root, problems);
  std::vector<Adaptation> adaptations = adapt(
      root, assignments, [&](const config::Node& so_far) { return memory_share(so_far, file); }, problems);
  Scenario scenario = read(root, file, problems);
  problems.throw_if_any();
  scenario.file = file.string();
  scenario.text = text;
  scenario.adaptations = std::move(adaptations);
  return scenario;
}

} // namespace moesim::scenario
