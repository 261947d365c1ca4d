#include "simulator/screen/part_times.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "platforms/gpu.hpp"
#include "simulator/screen/memo.hpp"
#include "workloads/two_batch.hpp"

namespace moesim::screen {

using workloads::LayerKind;
using workloads::MicroBatchShape;

namespace {

// How many steps that decode are looked at, of one micro-batch.
constexpr std::int64_t most_decode_shapes = 32;

// What a micro-batch's parts can depend on: neither data nor pipeline ranks take part in them.
MicroBatchShape without_replicas(MicroBatchShape shape) {
  shape.sizes = {.tp = shape.sizes.tp, .cp = shape.sizes.cp, .ep = shape.sizes.ep, .etp = shape.sizes.etp};
  return shape;
}

} // namespace

void PartTimesTable::set_model(const workloads::ModelSpec& model) {
  if (model == model_)
    return;
  model_ = model;
  kinds_.clear();
  for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
    if (std::ranges::find(kinds_, model.kind_of(layer)) == kinds_.end())
      kinds_.push_back(model.kind_of(layer));
  shapes_.clear();
  pieces_.clear();
  times_.clear();
  busy_times_.clear();
  inference_times_.clear();
}

PartTimesTable::Shape PartTimesTable::shape_of(const MicroBatchShape& micro_batch) {
  const MicroBatchShape key = without_replicas(micro_batch);
  return kept(shapes_, key, [&] {
    pieces_.push_back(pieces_of(key));
    return static_cast<Shape>(pieces_.size() - 1);
  });
}

const PartTimes& PartTimesTable::of(Shape shape, PlaceId place) {
  return kept(times_, std::uint64_t{shape} << 32U | place,
              [&] { return times_of(pieces_[shape], chains_.place(place)); });
}

const BusyTimes& PartTimesTable::busy(Shape shape, PlaceId place) {
  return kept(busy_times_, std::uint64_t{shape} << 32U | place,
              [&] { return busy_times_of(pieces_[shape], chains_.place(place)); });
}

const InferenceTimes& PartTimesTable::of(const workloads::InferenceJob& job, PlaceId place) {
  return kept(inference_times_,
              {shape_of(job.micro_batch(1)), place, job.inference.output_length, job.inference.overlaps_two_batches},
              [&] { return times_of(job, place); });
}

PartTimesTable::Pieces PartTimesTable::pieces_of(const workloads::Segments& segments) const {
  Pieces pieces;
  for (const workloads::Segment& segment : segments) {
    Piece piece{.kernels = {},
                .weight = {},
                .kind = segment.kind,
                .over = segment.over,
                .bytes = segment.work.bytes,
                .routing = segment.work.routing,
                .beside_next = segment.beside_next};
    for (const Operator& op : segment.work.operators) {
      const Seconds time = platforms::time_of(op, cluster_.gpu);
      piece.kernels += time;
      if (op.gives_weight_gradient)
        piece.weight += time;
    }
    pieces.push_back(piece);
  }
  return pieces;
}

namespace {

// Who gets less than the others is not known here, and of what is dropped nothing is computed: where experts are not
// even, a rank is only sure to have none of their work. The bound stays one, and is as loose as the experts are busy.
const workloads::RankLoad* least_load(const MicroBatchShape& shape) {
  static const workloads::RankLoad idle;
  return shape.experts_are_even ? nullptr : &idle;
}

} // namespace

PartTimesTable::ShapePieces PartTimesTable::pieces_of(const MicroBatchShape& shape) const {
  const bool is_training = !shape.cache;
  ShapePieces pieces;
  for (const LayerKind kind : kinds_) {
    PartPieces& layer = pieces.layers[index_of(kind)];
    layer.forward = pieces_of(layer_forward(model_, shape, kind, least_load(shape)));
    if (!is_training)
      continue;
    layer.backward = pieces_of(layer_backward(model_, shape, kind, least_load(shape)));
    layer.needed = pieces_of(layer_forward(model_, shape, kind, least_load(shape), workloads::Until::Needed));
  }
  pieces.embedding.forward = pieces_of(embedding_forward(model_, shape));
  if (!is_training) {
    pieces.head.forward = pieces_of(next_token(model_, shape));
    return pieces;
  }
  pieces.embedding.backward = pieces_of(embedding_backward(model_, shape));
  pieces.head = {pieces_of(head_forward(model_, shape)), pieces_of(head_backward(model_, shape))};
  if (model_.mtp_layers > 0)
    pieces.module_input = {pieces_of(mtp_input_forward(model_, shape)), pieces_of(mtp_input_backward(model_, shape))};
  return pieces;
}

Seconds PartTimesTable::communication_time(const Piece& piece, const Place& place) {
  return communication_.of(piece.kind, stream_of(piece.over), piece.bytes, place.group(piece.over), piece.routing);
}

// Each piece waits for the one before, and for what ran beside that: such is the order that StageWriter::play() writes.
Seconds PartTimesTable::span(const Pieces& pieces, const Place& place) {
  Seconds span;
  Seconds beside;
  for (const Piece& piece : pieces) {
    const bool computes = piece.kind == graph::Kind::Compute;
    const Seconds time = computes ? piece.kernels / place.speed : communication_time(piece, place);
    if (piece.beside_next) {
      beside += time;
      continue;
    }
    span += std::max(time, beside);
    beside = Seconds();
  }
  return span + beside;
}

// Those that nothing of their own micro-batch runs beside.
Seconds PartTimesTable::all_to_alls(const Pieces& pieces, const Place& place) {
  Seconds sum;
  for (const Piece& piece : pieces)
    if (graph::moves_tokens(piece.kind) && piece.over == graph::Dimension::Ep && !piece.beside_next)
      sum += communication_time(piece, place);
  return sum;
}

PartTimes::Passes PartTimesTable::span(const PartPieces& pieces, const Place& place) {
  PartTimes::Passes passes{.forward = span(pieces.forward, place),
                           .backward = span(pieces.backward, place),
                           .needed = span(pieces.needed, place),
                           .weight = {},
                           .forward_all_to_alls = all_to_alls(pieces.forward, place),
                           .backward_all_to_alls = all_to_alls(pieces.backward, place)};
  for (const Piece& piece : pieces.backward)
    passes.weight += piece.weight / place.speed;
  return passes;
}

PartTimes PartTimesTable::times_of(const ShapePieces& pieces, const Place& place) {
  PartTimes times;
  for (std::size_t kind = 0; kind < layer_kind_count; ++kind)
    times.layers[kind] = span(pieces.layers[kind], place);
  times.embedding = span(pieces.embedding, place);
  times.head = span(pieces.head, place);
  if (model_.mtp_layers == 0)
    return times;
  // Each module joins its input, runs a layer like the model's last and the head once more.
  const auto modules = static_cast<double>(model_.mtp_layers);
  const PartTimes::Passes input = span(pieces.module_input, place);
  const PartTimes::Passes layer = times.layers[index_of(model_.kind_of(model_.num_layers - 1))];
  const auto add = [&](Seconds PartTimes::Passes::*time) {
    times.head.*time += modules * (input.*time + layer.*time + times.head.*time);
  };
  for (const auto time : {&PartTimes::Passes::forward, &PartTimes::Passes::backward, &PartTimes::Passes::weight,
                          &PartTimes::Passes::forward_all_to_alls, &PartTimes::Passes::backward_all_to_alls})
    add(time);
  return times;
}

BusyTimes PartTimesTable::busy_times_of(const ShapePieces& pieces, const Place& place) {
  BusyTimes busy;
  const auto add = [&](const Pieces& of, double count) {
    for (const Piece& piece : of)
      if (piece.kind == graph::Kind::Compute)
        busy.streams[static_cast<std::size_t>(graph::Stream::Compute)] += count * piece.kernels / place.speed;
      else
        busy.streams[static_cast<std::size_t>(stream_of(piece.over))] += count * communication_time(piece, place);
  };
  std::array<double, layer_kind_count> layers{};
  for (std::int64_t layer = 0; layer < model_.num_layers; ++layer)
    ++layers[index_of(model_.kind_of(layer))];
  for (const Pieces PartPieces::*pass : {&PartPieces::forward, &PartPieces::backward}) {
    for (std::size_t kind = 0; kind < layer_kind_count; ++kind)
      add(pieces.layers[kind].*pass, layers[kind]);
    add(pieces.embedding.*pass, 1);
    add(pieces.head.*pass, 1);
  }
  return busy;
}

// Calls visit(step, into, count) for steps that stand for all: `count` of them, each at least as long as that one.
//
// A step that decodes takes no less than one before it: a layer's queries read as many blocks of the cache or more, and
// a kernel's time grows with them although its efficiency does, too. So where there are many steps, each stands for
// those that follow it up to the next whole block.
template <class Visit>
void visit_steps(const workloads::Inference& inference, const Visit& visit) {
  const std::int64_t steps = inference.output_length;
  visit(1, &StepTimes::first, 1.0);
  if (steps == 1)
    return;
  visit(2, &StepTimes::second, 1.0);
  visit(steps, &StepTimes::last, 1.0);
  const std::int64_t block = inference.kv_block_size;
  const std::int64_t blocks = std::max<std::int64_t>(1, (steps / block + most_decode_shapes - 1) / most_decode_shapes);
  for (std::int64_t step = 2; step < steps;) {
    const std::int64_t held = inference.cached_after(step - 1);
    const std::int64_t next = std::min(steps, step + (held / block + blocks) * block - held);
    visit(step, &StepTimes::between, static_cast<double>(next - step));
    step = next;
  }
}

InferenceTimes PartTimesTable::times_of(const workloads::InferenceJob& job, PlaceId id) {
  const Place& place = chains_.place(id);
  InferenceTimes times;
  visit_steps(job.inference, [&](std::int64_t step, Seconds StepTimes::*into, double count) {
    const ShapePieces& pieces = pieces_[shape_of(job.micro_batch(step))];
    const auto add_part = [&](StepTimes& part, const PartPieces& of) { part.*into += count * span(of.forward, place); };
    add_part(times.embedding, pieces.embedding);
    add_part(times.head, pieces.head);
    if (job.inference.overlaps_two_batches)
      return;
    for (const LayerKind kind : kinds_)
      add_part(times.layers[index_of(kind)], pieces.layers[index_of(kind)]);
  });
  return times;
}

StepTimes PartTimesTable::of_two_batches(const workloads::InferenceJob& job, std::int64_t stage, PlaceId id) {
  const Place& place = chains_.place(id);
  StepTimes times;
  visit_steps(job.inference, [&](std::int64_t step, Seconds StepTimes::*into, double count) {
    const ShapePieces& pieces = pieces_[shape_of(job.layer_batch(step))];
    std::array<std::vector<TwoBatchTurn>, layer_kind_count> turns;
    for (const LayerKind kind : kinds_)
      turns[index_of(kind)] = turns_of(pieces.layers[index_of(kind)].forward, place);
    TwoBatchClock clock;
    Seconds in_line; // from the last layer's end on
    const std::int64_t first = job.first_layer(stage);
    for (std::int64_t layer = first; layer < first + job.layers_of(stage); ++layer)
      for (const TwoBatchTurn& turn : turns[index_of(job.model.kind_of(layer))]) {
        in_line += turn.in_line;
        if (turn.sent > Seconds())
          clock.run({std::exchange(in_line, Seconds()), turn.sent});
      }
    clock.run({in_line, Seconds()});
    times.*into += count * clock.end();
  });
  return times;
}

// The last turn sends nothing: a layer ends with kernels.
std::vector<TwoBatchTurn> PartTimesTable::turns_of(const Pieces& pieces, const Place& place) {
  std::vector<TwoBatchTurn> turns(1);
  for (const Piece& piece : pieces) {
    const bool is_sent = workloads::runs_beside_other_half(piece.kind, piece.over);
    if (turns.back().sent > Seconds() && !is_sent)
      turns.emplace_back();
    (is_sent ? turns.back().sent : turns.back().in_line) += span({piece}, place);
  }
  return turns;
}

std::size_t PartTimesTable::ShapeHash::operator()(const MicroBatchShape& shape) const {
  std::uint64_t choices = 0;
  for (const bool choice : {shape.sequence_parallel, shape.overlaps_tp, shape.overlaps_experts})
    choices = 2 * choices + (choice ? 1 : 0);
  for (std::size_t module = 0; module < workloads::recompute_module_count; ++module)
    choices = 2 * choices + (shape.recomputed.contains(static_cast<workloads::RecomputeModule>(module)) ? 1 : 0);
  for (const auto choice :
       {static_cast<std::uint64_t>(shape.precision), static_cast<std::uint64_t>(shape.gradient_precision),
        static_cast<std::uint64_t>(shape.attention_backend), static_cast<std::uint64_t>(shape.cp_comm_type)})
    choices = 8 * choices + choice;
  const auto value = [](std::int64_t size) { return static_cast<std::uint64_t>(size); };
  return hash_of({choices, value(shape.sizes.tp), value(shape.sizes.cp), value(shape.sizes.ep), value(shape.sizes.etp),
                  value(shape.sequences), value(shape.seq_length), value(shape.cache ? 1 + shape.cache->held : 0)});
}

std::size_t PartTimesTable::InferenceHash::operator()(const InferenceKey& key) const {
  return hash_of(
      {key.prefill, key.place, static_cast<std::uint64_t>(key.output_length), std::uint64_t{key.overlaps_two_batches}});
}

} // namespace moesim::screen
