#include "workloads/inference.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>
#include <vector>

#include "simulator/base/check.hpp"
#include "workloads/program_tables.hpp"
#include "workloads/stage_writer.hpp"
#include "workloads/two_batch.hpp"

namespace moesim::workloads {
namespace {

using graph::Phase;
using graph::Step;
using graph::Stream;

// The steps of every part of the model for one micro-batch.
struct Parts {
  std::map<LayerKind, std::vector<SegmentStep>> layers;
  std::vector<SegmentStep> embedding, next_token;
  Step activation, token; // transfers to the next stage, and from the last one to the first
};

Step transfer(ProgramTables& tables, const char* name, Bytes bytes, Phase phase) {
  Step step = tables.transfer(name, bytes, phase);
  step.task.stream = Stream::PpSendNext; // what follows the last stage is the first
  return step;
}

Parts make_parts(const InferenceJob& job, std::int64_t step, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch(step);
  const Phase phase = shape.cache->held == 0 ? Phase::Prefill : Phase::Decode;
  Parts parts;
  for (std::int64_t layer = 0; layer < job.model.num_layers; ++layer) {
    const LayerKind kind = job.model.kind_of(layer);
    if (parts.layers.contains(kind))
      continue;
    const MicroBatchShape layer_batch = job.layer_batch(step);
    const auto forward = [&](const RankLoad* load) { return layer_forward(job.model, layer_batch, kind, load); };
    parts.layers[kind] = kind.has_experts ? tables.steps(forward, phase, phase == Phase::Prefill ? 0 : 1)
                                          : tables.steps(forward(nullptr), phase);
  }
  parts.embedding = tables.steps(embedding_forward(job.model, shape), phase);
  parts.next_token = tables.steps(next_token(job.model, shape), phase);
  parts.activation = transfer(tables, "activation", boundary_bytes(job.model, shape), phase);
  parts.token = transfer(tables, "token", token_bytes(job), phase);
  return parts;
}

// The parts of every step, made once for all that are alike: those whose queries read as many blocks, of which one
// takes the newest block.
class PartsOfSteps {
public:
  PartsOfSteps(const InferenceJob& job, ProgramTables& tables) : job_(job), tables_(tables) {}

  const Parts& of(std::int64_t step) {
    const MicroBatchShape shape = job_.micro_batch(step);
    const std::int64_t held = shape.cache->held;
    const std::int64_t block = shape.cache->block_size;
    const bool is_prefill = held == 0;
    const std::pair key(is_prefill ? 0 : held / block + 1, !is_prefill && held % block == 0);
    if (const auto entry = parts_.find(key); entry != parts_.end())
      return entry->second;
    return parts_[key] = make_parts(job_, step, tables_);
  }

private:
  const InferenceJob& job_;
  ProgramTables& tables_;
  std::map<std::pair<std::int64_t, bool>, Parts> parts_;
};

// Writes the program of one stage.
class StageBuilder {
public:
  StageBuilder(const InferenceJob& job, PartsOfSteps& parts, ProgramTables& tables, std::int64_t stage)
      : job_(job), parts_(parts), tables_(tables), stage_(stage), last_stage_(job.sizes.pp - 1), writer_(job.queues) {}

  graph::Program build(StepRange steps) {
    for (const std::int64_t layer : layers())
      if (std::ranges::count(tables_.moving_layers(), layer) > 0 && steps.first == 1)
        writer_.play(expert_moves(), {0, layer});
    for (const InferencePass& pass : passes(job_, steps))
      forward(pass);
    return writer_.finish();
  }

private:
  void forward(const InferencePass& pass) {
    const Parts& parts = parts_.of(pass.step);
    begin(parts, pass);
    if (job_.inference.overlaps_two_batches)
      play_two_batches(writer_, steps_of_layers(parts, pass.micro_batch));
    else
      for (const std::int64_t layer : layers())
        writer_.play(parts.layers.at(job_.model.kind_of(layer)), {pass.micro_batch, layer});
    end(parts, pass);
  }

  [[nodiscard]] std::ranges::iota_view<std::int64_t, std::int64_t> layers() const {
    const std::int64_t first = job_.first_layer(stage_);
    return {first, first + job_.layers_of(stage_)};
  }

  [[nodiscard]] std::vector<Step> steps_of_layers(const Parts& parts, std::int32_t micro_batch) const {
    std::vector<Step> steps;
    for (const std::int64_t layer : layers())
      for (Step step : parts.layers.at(job_.model.kind_of(layer))) {
        step.task.micro_batch = micro_batch;
        step.task.layer = static_cast<std::int16_t>(layer);
        steps.push_back(step);
      }
    return steps;
  }

  [[nodiscard]] std::vector<SegmentStep> expert_moves() {
    return tables_.expert_moves(job_.model, job_.layer_batch(1), bytes_per_element(job_.inference.precision));
  }

  void begin(const Parts& parts, const InferencePass& pass) {
    if (stage_ > 0)
      return receive(parts.activation, stage_ - 1, pass.micro_batch);
    if (pass.step > 1 && last_stage_ > 0)
      receive(parts.token, last_stage_, pass.micro_batch);
    writer_.play(parts.embedding, {pass.micro_batch});
  }

  void end(const Parts& parts, const InferencePass& pass) {
    if (stage_ < last_stage_)
      return send(parts.activation, stage_ + 1, pass.micro_batch);
    writer_.play(parts.next_token, {pass.micro_batch});
    if (last_stage_ > 0 && pass.step < job_.inference.output_length) // nobody waits for the last token
      send(parts.token, 0, pass.micro_batch);
  }

  void receive(const Step& transfer, std::int64_t from, std::int32_t micro_batch) {
    writer_.wait_for({writer_.receive({transfer, from, micro_batch}, {})});
  }
  // The next pass waits for the sends of this one.
  void send(const Step& transfer, std::int64_t to, std::int32_t micro_batch) {
    writer_.wait_for({writer_.send({transfer, to, micro_batch})});
  }

  const InferenceJob& job_;
  PartsOfSteps& parts_;
  ProgramTables& tables_;
  std::int64_t stage_;
  std::int64_t last_stage_;
  StageWriter writer_;
};

std::int64_t rows_of(const InferenceJob& job, std::int64_t step) {
  std::size_t steps = 0;
  visit_stages(job, {step, step},
               [&](const graph::Program& program, const graph::Programs&) { steps += program.steps().size(); });
  return static_cast<std::int64_t>(steps) * (job.sizes.world() / job.sizes.pp);
}

} // namespace

void visit_stages(const InferenceJob& job, StepRange steps, const StageVisitor& visit, const ExpertLoads& loads) {
  MOESIM_CHECK(job.sizes.cp == 1 && job.sizes.vpp == 1, "the reader refuses what inference does not do");
  graph::Programs shared;
  ProgramTables tables(shared, loads);
  PartsOfSteps parts(job, tables);
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    visit(StageBuilder(job, parts, tables, stage).build(steps), shared);
}

graph::Programs inference_run(const InferenceJob& job, const ExpertLoads& loads) {
  const StepRange steps{1, job.inference.output_length};
  return all_stages([&](const StageVisitor& visit) { visit_stages(job, steps, visit, loads); });
}

std::int64_t row_count(const InferenceJob& job) {
  const std::int64_t steps = job.inference.output_length;
  std::int64_t rows = rows_of(job, 1);
  if (steps > 1)
    rows += rows_of(job, steps);
  if (steps > 2)
    rows += (steps - 2) * rows_of(job, 2);
  return rows;
}

} // namespace moesim::workloads
