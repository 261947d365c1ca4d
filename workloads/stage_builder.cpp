#include "workloads/stage_builder.hpp"

#include <array>
#include <utility>

#include "simulator/base/check.hpp"
#include "workloads/optimizer_step.hpp"

namespace moesim::workloads {

using schedulers::ChunkPlace;
using schedulers::PassKind;
using Runs = Unit::Runs;

namespace {

PassKind kind_of(const Unit& unit) {
  if (unit.runs == Runs::Forward)
    return PassKind::Forward;
  return unit.runs == Runs::BackwardWeight ? PassKind::BackwardWeight : PassKind::BackwardInput;
}

const std::vector<SegmentStep>& backward_of(const BackwardSteps& steps, const Unit& unit) {
  if (unit.runs == Runs::BackwardWeight)
    return steps.weight;
  return unit.leaves_weights ? steps.input : steps.whole;
}

bool is_expert_all_to_all(const SegmentStep& step) {
  return graph::moves_tokens(step.task.kind) && step.over == graph::Dimension::Ep;
}

} // namespace

StageBuilder::StageBuilder(const TrainingJob& job, ProgramTables& tables, const StageParts& parts,
                           const schedulers::PipelineOrder& order, std::int64_t stage)
    : tables_(tables), parts_(parts), stage_(job, stage), chunks_(job.chunks()),
      units_(units_of(stage_, order[static_cast<std::size_t>(stage)])), writer_(job.queues),
      data_parallel_(stage_, tables, writer_, units_), arrivals_(order, chunks_, stage) {}

graph::Program StageBuilder::build() {
  move_experts();
  data_parallel_.begin();
  run_passes();
  finish_iteration();
  return writer_.finish();
}

void StageBuilder::move_experts() {
  for (const StageShape& chunk : stage_.chunks)
    for (const std::int64_t layer : tables_.moving_layers())
      if (layer >= chunk.first_layer && layer < chunk.first_layer + chunk.layers)
        writer_.play(parts_.expert_moves, {0, layer});
}

StageBuilder::Turns StageBuilder::pass_at(std::size_t first) const {
  std::size_t last = first;
  while (!units_[last].closes_pass)
    ++last;
  return {first, last + 1};
}

void StageBuilder::run_passes() {
  const bool runs_together = job().training.overlap.expert == ExpertOverlap::Passes;
  for (std::size_t at = 0; at < units_.size();) {
    const Turns pass = pass_at(at);
    if (runs_together && units_[at].runs_with_next) {
      const Turns other = pass_at(pass.last);
      run_together(pass, other);
      at = other.last;
    } else {
      run(pass);
      at = pass.last;
    }
  }
}

void StageBuilder::run(Turns pass) {
  receive(units_[pass.first]);
  for (std::size_t at = pass.first; at < pass.last; ++at) {
    const Unit& unit = units_[at];
    data_parallel_.before(at);
    for (const Play& play : plays(unit))
      writer_.play(*play.steps, {unit.micro_batch, play.layer, unit.chunk});
    data_parallel_.after(at);
  }
  send(std::array{units_[pass.first]});
}

// The steps of two passes in turn, each up to its next all-to-all of experts, which runs beside the other's. What lies
// between these, other communication included, is one chain: nothing else overlaps (DeepSeek-V3, arXiv 2412.19437,
// section 3.2.1; Megatron Core, combined_1f1b.py).
void StageBuilder::run_together(Turns a, Turns b) {
  std::array<Side, 2> sides{Side{.turns = a}, Side{.turns = b}};
  for (Side& side : sides) {
    receive(units_[side.turns.first]);
    run_to_all_to_all(side);
  }
  while (sides[0].has_turns() || sides[1].has_turns())
    for (Side& side : sides)
      if (side.has_turns())
        run_to_all_to_all(side);
  for (const Side& side : sides)
    writer_.wait_for(side.running);
  send(std::array{units_[a.first], units_[b.first]});
}

void StageBuilder::run_to_all_to_all(Side& side) {
  writer_.wait_for(std::exchange(side.running, {}));
  while (side.has_turns()) {
    if (side.next == 0)
      begin_turn(side);
    while (side.next < side.steps.size()) {
      const SegmentStep& step = side.steps[side.next++];
      if (step.beside_next) {
        side.beside.push_back(writer_.beside(step));
      } else if (is_expert_all_to_all(step)) {
        side.running.push_back(writer_.beside(step));
        side.running.insert(side.running.end(), side.beside.begin(), side.beside.end());
        side.beside.clear();
        return;
      } else {
        writer_.follow(step);
        writer_.wait_for(std::exchange(side.beside, {}));
      }
    }
    data_parallel_.after(side.turns.first++);
    side.next = 0;
  }
}

void StageBuilder::begin_turn(Side& side) {
  const Unit& unit = units_[side.turns.first];
  data_parallel_.before(side.turns.first);
  side.steps.clear();
  for (const Play& play : plays(unit))
    for (SegmentStep step : *play.steps) {
      step.task.micro_batch = unit.micro_batch;
      step.task.layer = static_cast<std::int16_t>(play.layer);
      step.task.chunk = unit.chunk;
      side.steps.push_back(step);
    }
}

// Sharded gradients are sums already when the micro-batches end, and each rank has its share of them.
void StageBuilder::finish_iteration() {
  add_gradients_of_copies(stage_, tables_, writer_);
  const bool sharded = job().training.shards_gradients();
  if (!sharded)
    reduce_replicated_gradients(stage_, tables_, writer_);
  data_parallel_.finish_gradients();
  if (sharded)
    reduce_replicated_gradients(stage_, tables_, writer_);
  exchange_embedding_gradient(stage_, tables_, writer_);
  step_optimizer(stage_, tables_, writer_);
  data_parallel_.after_optimizer_step();
  send_parameters_to_copies(stage_, tables_, writer_);
}

void StageBuilder::receive(const Unit& opening) {
  const std::optional<Arrival> wanted =
      arrival_for(chunks_, {stage_.index, opening.chunk}, {kind_of(opening), opening.micro_batch, opening.chunk});
  if (!wanted)
    return;
  if (job().training.p2p == P2p::Rendezvous)
    post(*wanted);
  else
    for (const Arrival& arrival : arrivals_.take_until(*wanted))
      post(arrival);
  const auto posted = posted_.find({wanted->is_forward, wanted->from.chunk, wanted->micro_batch});
  MOESIM_CHECK(posted != posted_.end(), "a pass waits for what was received");
  writer_.wait_for({posted->second});
  writer_.play(wanted->is_forward ? parts_.gather_activation : parts_.gather_gradient,
               {opening.micro_batch, -1, opening.chunk});
  posted_.erase(posted);
}

// With rendezvous, once the pass before has ended; its sends are posted together with this.
void StageBuilder::post(const Arrival& arrival) {
  const PassKind kind = arrival.is_forward ? PassKind::Forward : PassKind::BackwardInput;
  Transfer transfer{arrival.is_forward ? parts_.activation : parts_.gradient, arrival.from.stage, arrival.micro_batch,
                    static_cast<std::uint8_t>(arrival.from.chunk)};
  transfer.step.task.stream = sending_stream(chunks_, arrival.from, *destination(chunks_, arrival.from, kind));
  const bool waits = job().training.p2p == P2p::Rendezvous;
  posted_[{arrival.is_forward, arrival.from.chunk, arrival.micro_batch}] =
      writer_.receive(transfer, waits ? end_of_pass_ : std::vector<Index>());
}

// Without overlap.pp the next pass waits for the sends.
void StageBuilder::send(std::span<const Unit> closing) {
  end_of_pass_ = writer_.chain();
  std::vector<Index> sent;
  for (const Unit& unit : closing) {
    const PassKind kind = kind_of(unit);
    const ChunkPlace from{stage_.index, unit.chunk};
    const std::optional<ChunkPlace> to = destination(chunks_, from, kind);
    if (!to || to->stage == stage_.index)
      continue;
    Transfer transfer{kind == PassKind::Forward ? parts_.activation : parts_.gradient, to->stage, unit.micro_batch,
                      unit.chunk};
    transfer.step.task.stream = sending_stream(chunks_, from, *to);
    sent.push_back(writer_.send(transfer));
  }
  if (!job().training.overlap.pp)
    writer_.wait_for(sent);
}

std::vector<StageBuilder::Play> StageBuilder::plays(const Unit& unit) const {
  const StageShape& shape = shape_of(unit);
  std::vector<Play> result;
  if (unit.part == 0)
    result.push_back({unit.runs == Runs::Forward ? &parts_.embedding_forward : &parts_.embedding_backward});
  else if (unit.part == shape.head())
    add_head(unit, result);
  else
    add_layer(unit, parts_.layers.at(shape.kind_of(unit.part)), shape.layer_of(unit.part), result);
  return result;
}

void StageBuilder::add_layer(const Unit& unit, const LayerSteps& layer, std::int64_t number,
                             std::vector<Play>& plays) const {
  const std::size_t keeps_input = unit.keeps_input ? 1 : 0;
  if (unit.runs == Runs::Forward)
    return plays.push_back({unit.is_recomputed ? &layer.unkept[keeps_input] : &layer.forward, number});
  if (unit.runs == Runs::Again || unit.runs == Runs::AgainAndBackward)
    plays.push_back({&layer.again[keeps_input], number});
  if (unit.runs != Runs::Again)
    plays.push_back({&backward_of(layer.backward, unit), number});
}

// The head and the modules for multi-token prediction: each with a layer of the last one's kind, numbered on from it,
// and the head once more; backwards, from the last module to the head itself.
void StageBuilder::add_head(const Unit& unit, std::vector<Play>& plays) const {
  const ModelSpec& model = job().model;
  const LayerSteps& layer = parts_.mtp_layer;
  if (unit.runs == Runs::Forward) {
    plays.push_back({&parts_.head_forward.front()});
    for (std::int64_t module = 1; module <= model.mtp_layers; ++module) {
      plays.push_back({&parts_.mtp_input_forward});
      plays.push_back({recomputes_modules() ? &layer.unkept[1] : &layer.forward, model.num_layers + module - 1});
      plays.push_back({&parts_.head_forward[static_cast<std::size_t>(module)]});
    }
    return;
  }
  for (std::int64_t module = model.mtp_layers; module > 0; --module) {
    plays.push_back({&backward_of(parts_.head_backward[static_cast<std::size_t>(module)], unit)});
    if (recomputes_modules() && unit.runs != Runs::BackwardWeight)
      plays.push_back({&layer.again[1], model.num_layers + module - 1});
    plays.push_back({&backward_of(layer.backward, unit), model.num_layers + module - 1});
    plays.push_back({&backward_of(parts_.mtp_input_backward, unit)});
  }
  plays.push_back({&backward_of(parts_.head_backward.front(), unit)});
}

// Modules are not among the first layers of a stage, which method block is about.
bool StageBuilder::recomputes_modules() const {
  const Recompute& recompute = job().training.recompute;
  return recompute.is_full() && recompute.method == Recompute::Method::Uniform;
}

} // namespace moesim::workloads
