#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "schedulers/chunk_placement.hpp"
#include "schedulers/custom_order.hpp"
#include "schedulers/pipeline_schedule.hpp"
#include "simulator/config/node.hpp"
#include "simulator/config/source_text.hpp"
#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

using schedulers::ChunkPlacement;
using workloads::TrainingJob;

constexpr std::array<ChunkPlacement, 3> placements{ChunkPlacement::Loop, ChunkPlacement::V,
                                                   ChunkPlacement::Bidirectional};

// Chunks of a stage that a schedule has when nobody says how many: of two copies of a model each has one.
std::int64_t usual_chunks(const schedulers::PipelineSchedule& schedule) {
  if (schedule.placement == ChunkPlacement::Bidirectional)
    return 1;
  return schedule.chunks == 0 ? 2 : schedule.chunks;
}

void use_schedule(const std::string& name, TrainingJob& job) {
  const schedulers::PipelineSchedule& schedule = schedulers::find_schedule(name);
  job.training.schedule = name;
  job.placement = schedule.placement;
  if (job.sizes.vpp == 0)
    job.sizes.vpp = usual_chunks(schedule);
}

std::int64_t chunks_in(const schedulers::PipelineOrder& order) {
  std::int64_t chunks = 1;
  for (const std::vector<schedulers::PipelinePass>& passes : order)
    for (const schedulers::PipelinePass& pass : passes)
      chunks = std::max<std::int64_t>(chunks, pass.chunk + std::int64_t{1});
  return chunks;
}

// Of a file beside the scenario, a table where it ends in .csv; its problems are shown with their lines.
schedulers::CustomOrder read_order_file(config::MapReader& map, const std::filesystem::path& scenario_file) {
  const std::filesystem::path file = scenario_file.parent_path() / map.text("file");
  try {
    const std::string text = config::checked_text(config::read_file(file), {file.string()});
    return file.extension() == ".csv" ? schedulers::parse_order_table(text) : schedulers::parse_order(text);
  } catch (const InputError& error) {
    return {{}, {{1, error.problems().front().message}}};
  }
}

void read_custom_order(config::MapReader& map, const std::filesystem::path& scenario_file, TrainingJob& job) {
  job.training.schedule = schedulers::custom_schedule_name;
  job.placement = enum_choice(map, "placement", placements);
  if (map.has("order") == map.has("file")) {
    map.problem("", "an order of your own is either a text or a file; give one of order and file");
    static_cast<void>(map.text_or("order", "") + map.text_or("file", ""));
    job.sizes.vpp = std::max<std::int64_t>(1, job.sizes.vpp);
    return;
  }
  const bool is_file = map.has("file");
  schedulers::CustomOrder read =
      is_file ? read_order_file(map, scenario_file) : schedulers::parse_order(map.text("order"));
  const std::string_view key = is_file ? "file" : "order";
  for (const schedulers::LineProblem& problem : read.problems)
    map.problem(key, fmt::format("line {}: {}", problem.line, problem.message));
  const std::int64_t chunks = chunks_in(read.order);
  if (chunks > schedulers::most_chunks)
    map.problem(key, fmt::format("a stage has at most {0} chunks, and the order has a chunk {1}; use 0 to {2}",
                                 schedulers::most_chunks, chunks - 1, schedulers::most_chunks - 1));
  if (job.sizes.vpp == 0)
    job.sizes.vpp = job.placement == ChunkPlacement::Bidirectional ? 1 : std::min(chunks, schedulers::most_chunks);
  job.training.order = std::move(read.order);
}

} // namespace

void read_schedule(config::MapReader& training, const std::filesystem::path& scenario_file, TrainingJob& job) {
  std::vector<std::string_view> names = schedulers::schedule_names();
  // Chunks without a schedule are interleaved, as in Megatron Core.
  const std::string_view usual = job.sizes.vpp > 1 ? "interleaved-1f1b" : "1f1b";
  const config::Node* node = training.node("schedule");
  if (node == nullptr || node->kind != config::Node::Kind::Map) {
    if (node != nullptr && node->scalar == schedulers::custom_schedule_name)
      training.problem("schedule", "a custom order has to be given: {type: custom, order: TEXT} or {type: custom, "
                                   "file: FILE}");
    else
      return use_schedule(training.choice_or("schedule", usual, names), job);
    return use_schedule("1f1b", job);
  }
  names.push_back(schedulers::custom_schedule_name);
  config::MapReader map = training.map("schedule");
  const std::string type = map.choice("type", names);
  if (type == schedulers::custom_schedule_name)
    read_custom_order(map, scenario_file, job);
  else
    use_schedule(type, job);
  if (type == "zb-auto")
    job.training.max_in_flight = map.integer_or("max_in_flight", 0, {.min = 1, .max = 1'000'000});
  map.finish();
}

} // namespace moesim::scenario
