#include "workloads/training.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "simulator/base/check.hpp"
#include "workloads/program_tables.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_writer.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;
using graph::Phase;
using graph::Program;
using graph::Step;
using graph::Stream;
using schedulers::PipelinePass;

struct LayerSteps {
  std::vector<SegmentStep> forward, backward;
  // For layers that are recomputed as a whole, by whether it is their input that is kept: the first forward pass, and
  // the second.
  std::array<std::vector<SegmentStep>, 2> unkept, again;
};

// The steps of every part of the model, ready to be repeated for each layer and micro-batch.
struct Parts {
  std::map<LayerKind, LayerSteps> layers;
  std::vector<SegmentStep> embedding_forward, embedding_backward;
  std::vector<SegmentStep> head_forward, head_backward;
  std::vector<SegmentStep> mtp_input_forward, mtp_input_backward;
  Step activation, gradient; // transfers to the next and to the previous stage
};

LayerSteps layer_steps(const TrainingJob& job, LayerKind kind, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  const Segments forward = layer_forward(job.model, shape, kind);
  LayerSteps steps;
  steps.forward = tables.steps(forward, Phase::Forward);
  steps.backward = tables.steps(layer_backward(job.model, shape, kind), Phase::Backward);
  if (!job.training.recompute.is_full())
    return steps;
  const Bytes input = boundary_bytes(job.model, shape);
  steps.unkept = {tables.steps(without_keeping(forward), Phase::Forward),
                  tables.steps(keeping_input(without_keeping(forward), input), Phase::Forward)};
  steps.again = {tables.steps(forward, Phase::Backward),
                 tables.steps(input_kept_before(forward, input), Phase::Backward)};
  return steps;
}

Parts make_parts(const TrainingJob& job, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  Parts parts;
  for (std::int64_t layer = 0; layer < job.model.num_layers; ++layer) {
    const LayerKind kind = job.model.kind_of(layer);
    if (!parts.layers.contains(kind))
      parts.layers[kind] = layer_steps(job, kind, tables);
  }
  parts.embedding_forward = tables.steps(embedding_forward(job.model, shape), Phase::Forward);
  parts.embedding_backward = tables.steps(embedding_backward(job.model, shape), Phase::Backward);
  parts.head_forward = tables.steps(head_forward(job.model, shape), Phase::Forward);
  parts.head_backward = tables.steps(head_backward(job.model, shape), Phase::Backward);
  parts.mtp_input_forward = tables.steps(mtp_input_forward(job.model, shape), Phase::Forward);
  parts.mtp_input_backward = tables.steps(mtp_input_backward(job.model, shape), Phase::Backward);
  Segment transfer{"activation", Kind::SendRecv, Dimension::Tp, {}};
  transfer.work.bytes = boundary_bytes(job.model, shape);
  transfer.work.allocated[graph::Memory::Communication] = transfer.work.bytes;
  transfer.work.freed[graph::Memory::Communication] = transfer.work.bytes;
  parts.activation = tables.step(transfer, Phase::Forward);
  parts.activation.task.stream = Stream::PpSendNext;
  transfer.name = "gradient";
  parts.gradient = tables.step(transfer, Phase::Backward);
  parts.gradient.task.stream = Stream::PpSendPrev;
  return parts;
}

// Writes the program of one stage.
class StageBuilder {
public:
  StageBuilder(const TrainingJob& job, ProgramTables& tables, const Parts& parts, std::int64_t stage)
      : job_(job), tables_(tables), parts_(parts), stage_(stage), first_layer_(job.first_layer(stage)),
        is_first_(stage == 0), is_last_(stage == job.sizes.pp - 1), writer_(job.training.overlap.pp) {}

  Program build(std::span<const PipelinePass> passes) {
    if (sharded() && job_.training.overlap.param_gather)
      gather_parameters_ahead();
    const auto last_backward = std::ranges::find_if(
        passes.rbegin(), passes.rend(), [](const PipelinePass& pass) { return pass.pass == Pass::Backward; });
    for (const PipelinePass& pass : passes) {
      const bool reduce = job_.training.overlap.grad_reduce && &pass == &*last_backward;
      if (pass.pass == Pass::Forward)
        forward(pass.micro_batch);
      else
        backward(pass.micro_batch, reduce);
    }
    finish();
    return writer_.finish();
  }

private:
  using Index = StageWriter::Index;

  [[nodiscard]] bool sharded() const { return job_.training.sharding == Sharding::Zero1; }
  [[nodiscard]] std::int64_t first_layer() const { return first_layer_; }
  [[nodiscard]] std::int64_t layers() const { return job_.layers_of(stage_); }
  // Of the stage's layer-th layer.
  [[nodiscard]] LayerKind kind_of(std::int64_t layer) const { return job_.model.kind_of(first_layer() + layer); }

  [[nodiscard]] const LayerSteps& steps_of(std::int64_t layer) const { return parts_.layers.at(kind_of(layer)); }

  // The layers that are recomputed together with the stage's layer-th one begin with this one.
  [[nodiscard]] std::int64_t chunk_start(std::int64_t layer) const {
    const Recompute& recompute = job_.training.recompute;
    return recompute.method == Recompute::Method::Uniform ? layer / recompute.num_layers * recompute.num_layers : layer;
  }
  [[nodiscard]] bool is_recomputed(std::int64_t layer) const {
    const Recompute& recompute = job_.training.recompute;
    return recompute.is_full() && (recompute.method == Recompute::Method::Uniform || layer < recompute.num_layers);
  }

  void forward(std::int32_t micro_batch) {
    if (is_first_) {
      wait_for_parameters(0, micro_batch);
      writer_.play(parts_.embedding_forward, micro_batch, -1);
    } else {
      writer_.receive(parts_.activation, stage_ - 1, micro_batch);
    }
    for (std::int64_t layer = 0; layer < layers(); ++layer) {
      wait_for_parameters(layer + 1, micro_batch);
      const LayerSteps& steps = steps_of(layer);
      const std::size_t keeps_input = chunk_start(layer) == layer ? 1 : 0;
      writer_.play(is_recomputed(layer) ? steps.unkept[keeps_input] : steps.forward, micro_batch,
                   first_layer() + layer);
    }
    if (is_last_) {
      wait_for_parameters(layers() + 1, micro_batch);
      writer_.play(parts_.head_forward, micro_batch, -1);
      predict_further(micro_batch);
    } else {
      writer_.send(parts_.activation, stage_ + 1, micro_batch);
    }
  }

  // Modules for multi-token prediction: each with a layer of the last one's kind, numbered on from it, and the head.
  void predict_further(std::int32_t micro_batch) {
    for (std::int64_t module = 0; module < job_.model.mtp_layers; ++module) {
      writer_.play(parts_.mtp_input_forward, micro_batch, -1);
      const LayerSteps& layer = last_kind();
      writer_.play(job_.training.recompute.is_full() ? layer.unkept[1] : layer.forward, micro_batch,
                   job_.model.num_layers + module);
      writer_.play(parts_.head_forward, micro_batch, -1);
    }
  }

  void predict_further_backward(std::int32_t micro_batch) {
    for (std::int64_t module = job_.model.mtp_layers - 1; module >= 0; --module) {
      const std::int64_t number = job_.model.num_layers + module;
      writer_.play(parts_.head_backward, micro_batch, -1);
      if (job_.training.recompute.is_full())
        writer_.play(last_kind().again[1], micro_batch, number);
      writer_.play(last_kind().backward, micro_batch, number);
      writer_.play(parts_.mtp_input_backward, micro_batch, -1);
    }
  }

  [[nodiscard]] const LayerSteps& last_kind() const {
    return parts_.layers.at(job_.model.kind_of(job_.model.num_layers - 1));
  }

  // The head and what shares it.
  [[nodiscard]] RankParameters last_parts() const {
    RankParameters parameters = head_share(job_);
    parameters += mtp_share(job_);
    return parameters;
  }

  // The layers of a chunk run forward again before the last of them runs backward.
  void recompute_chunk_of(std::int64_t layer, std::int32_t micro_batch) {
    const bool is_last_of_chunk = layer + 1 == layers() || chunk_start(layer + 1) == layer + 1;
    if (!is_recomputed(layer) || !is_last_of_chunk)
      return;
    for (std::int64_t at = chunk_start(layer); at <= layer; ++at)
      writer_.play(steps_of(at).again[at == chunk_start(layer) ? 1 : 0], micro_batch, first_layer() + at);
  }

  void backward(std::int32_t micro_batch, bool reduce) {
    if (is_last_) {
      predict_further_backward(micro_batch);
      writer_.play(parts_.head_backward, micro_batch, -1);
      if (reduce)
        reduce_gradients(last_parts(), -1);
    } else {
      writer_.receive(parts_.gradient, stage_ + 1, micro_batch);
    }
    for (std::int64_t layer = layers() - 1; layer >= 0; --layer) {
      recompute_chunk_of(layer, micro_batch);
      writer_.play(steps_of(layer).backward, micro_batch, first_layer() + layer);
      if (reduce)
        reduce_gradients(layer_parameters(job_, kind_of(layer)), first_layer() + layer);
    }
    if (is_first_) {
      writer_.play(parts_.embedding_backward, micro_batch, -1);
      if (reduce)
        reduce_gradients(embedding_share(job_), -1);
    } else {
      writer_.send(parts_.gradient, stage_ - 1, micro_batch);
    }
  }

  // Adds a collective over data-parallel ranks, unless there is nothing to send or nobody to send it to; the indices of
  // what was added go to `added`.
  void over_replicas(const char* name, Kind kind, Dimension over, Phase phase, double bytes, std::int64_t layer,
                     std::vector<Index>& added) {
    if (bytes == 0 || job_.sizes.group_size(over) == 1)
      return;
    Segment segment{name, kind, over, {}};
    segment.work.bytes = Bytes(bytes);
    Step step = tables_.step(segment, phase);
    step.task.layer = static_cast<std::int16_t>(layer);
    added.push_back(writer_.beside(step));
  }

  void reduce_gradients(const RankParameters& parameters, std::int64_t layer) {
    const Kind kind = sharded() ? Kind::ReduceScatter : Kind::AllReduce;
    over_replicas("reduce-gradients", kind, Dimension::Dp, Phase::Gradients, gradient_bytes * parameters.dense, layer,
                  reductions_);
    over_replicas("reduce-expert-gradients", kind, Dimension::Edp, Phase::Gradients, gradient_bytes * parameters.expert,
                  layer, reductions_);
  }

  void gather_parameters(const RankParameters& parameters, std::int64_t layer, std::vector<Index>& added) {
    const double bytes = bytes_per_element(precision_outside_products(job_.training.precision));
    over_replicas("gather-parameters", Kind::AllGather, Dimension::Dp, Phase::Parameters, bytes * parameters.dense,
                  layer, added);
    over_replicas("gather-expert-parameters", Kind::AllGather, Dimension::Edp, Phase::Parameters,
                  bytes * parameters.expert, layer, added);
  }

  // Gathers, at the start of the iteration, what the optimizer step of the one before has left scattered: the same
  // traffic as after this iteration's own step, moved to where it can hide. Part 0 is the embedding, then the layers,
  // then the head.
  void gather_parameters_ahead() {
    gathered_.resize(static_cast<std::size_t>(layers()) + 2);
    if (is_first_)
      gather_parameters(embedding_share(job_), -1, gathered_.front());
    for (std::int64_t layer = 0; layer < layers(); ++layer)
      gather_parameters(layer_parameters(job_, kind_of(layer)), first_layer() + layer,
                        gathered_[static_cast<std::size_t>(layer) + 1]);
    if (is_last_)
      gather_parameters(last_parts(), -1, gathered_.back());
  }

  void wait_for_parameters(std::int64_t part, std::int32_t micro_batch) {
    if (micro_batch != 0 || gathered_.empty())
      return;
    writer_.wait_for(gathered_[static_cast<std::size_t>(part)]);
  }

  // Gradients of norms, router and the like are summed over tp, where each rank saw its part of the sequence (Megatron
  // Core, finalize_model_grads.py); and so are those of biases that are added outside of tensor-parallel regions.
  void reduce_replicated_gradients() {
    if (!job_.sequence_parallel)
      return;
    const ModelSpec& model = job_.model;
    const auto hidden = static_cast<double>(model.hidden_size);
    double parameters = is_last_ ? norm_parameters(model) : 0;
    for (std::int64_t layer = 0; layer < layers(); ++layer) {
      const bool has_mlp_bias = model.mlp_bias && !kind_of(layer).has_experts;
      parameters +=
          replicated_parameters(model, kind_of(layer)) + (model.output_bias ? hidden : 0) + (has_mlp_bias ? hidden : 0);
    }
    Segment segment{"reduce-norm-gradients", Kind::AllReduce, Dimension::Tp, {}};
    segment.work.bytes = Bytes(gradient_bytes * parameters);
    writer_.follow(tables_.step(segment, Phase::Gradients));
  }

  // A table that stands on the first and on the last stage: each sends its gradient to the other and adds what it gets,
  // an all-reduce of two (Megatron Core's embedding group, finalize_model_grads.py).
  void exchange_embedding_gradient() {
    if (!holds_embedding_twice(job_) || is_first_ == is_last_)
      return;
    Segment segment{"embedding-gradient", Kind::SendRecv, Dimension::Tp, {}};
    segment.work.bytes = Bytes(gradient_bytes * vocabulary_share(job_));
    Step transfer = tables_.step(segment, Phase::Gradients);
    transfer.peer_stage = static_cast<std::uint32_t>(is_first_ ? job_.sizes.pp - 1 : 0);
    transfer.task.stream = is_first_ ? Stream::PpSendNext : Stream::PpSendPrev;
    const Index sent = writer_.beside(transfer);
    transfer.task.stream = is_first_ ? Stream::PpSendPrev : Stream::PpSendNext;
    transfer.receives = true;
    writer_.wait_for({sent, writer_.beside(transfer)});
    Operator sum;
    sum.pass = Pass::Backward;
    sum.bytes = segment.work.bytes * 3; // reads both, writes one
    writer_.follow(
        tables_.step({"add-embedding-gradient", Kind::Compute, Dimension::Tp, work_of(sum)}, Phase::Gradients));
  }

  static graph::Work work_of(const Operator& op) {
    graph::Work work;
    work.operators = {op};
    work.bytes = op.bytes;
    return work;
  }

  void finish() {
    const RankParameters parameters = stage_parameters(job_, stage_);
    reduce_replicated_gradients();
    if (!job_.training.overlap.grad_reduce)
      reduce_gradients(parameters, -1);
    writer_.wait_for(reductions_);
    exchange_embedding_gradient();
    // Adam reads gradient, master weight and both moments, writes the latter three and the weight.
    const double weight_bytes = bytes_per_element(precision_outside_products(job_.training.precision));
    const double bytes = gradient_bytes + 2 * optimizer_bytes(job_.training.precision) + weight_bytes;
    Operator adam;
    adam.bytes = Bytes(bytes * optimizer_share(job_, parameters));
    writer_.follow(tables_.step({"adam", Kind::Compute, Dimension::Tp, work_of(adam)}, Phase::Optimizer));
    std::vector<Index> gathers;
    if (sharded() && !job_.training.overlap.param_gather)
      gather_parameters(parameters, -1, gathers);
  }

  const TrainingJob& job_;
  ProgramTables& tables_;
  const Parts& parts_;
  std::int64_t stage_;
  std::int64_t first_layer_;
  bool is_first_;
  bool is_last_;
  StageWriter writer_;
  std::vector<Index> reductions_; // what the optimizer waits for
  std::vector<std::vector<Index>> gathered_;
};

} // namespace

std::string_view name_of(Sharding sharding) {
  return sharding == Sharding::Zero1 ? "zero-1" : "none";
}

std::string_view name_of(Recompute::Granularity granularity) {
  constexpr std::array<std::string_view, 3> names{"none", "selective", "full"};
  return names[static_cast<std::size_t>(granularity)];
}

std::string_view name_of(Recompute::Method method) {
  return method == Recompute::Method::Uniform ? "uniform" : "block";
}

schedulers::PipelineOrder pipeline_order(const TrainingJob& job) {
  return schedulers::find_schedule(job.training.schedule)
      .order({.stages = job.sizes.pp, .micro_batches = job.training.micro_batches(job.sizes)});
}

void visit_stages(const TrainingJob& job, const StageVisitor& visit) {
  MOESIM_CHECK(job.sizes.vpp == 1, "the reader refuses what is not built yet");
  graph::Programs shared;
  ProgramTables tables(shared);
  const Parts parts = make_parts(job, tables);
  const schedulers::PipelineOrder order = pipeline_order(job);
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    visit(StageBuilder(job, tables, parts, stage).build(order[static_cast<std::size_t>(stage)]), shared);
}

graph::Programs training_iteration(const TrainingJob& job) {
  graph::Programs programs;
  visit_stages(job, [&](graph::Program program, const graph::Programs& tables) {
    programs.stages.push_back(std::move(program));
    programs.works = tables.works;
    programs.names = tables.names;
  });
  return programs;
}

} // namespace moesim::workloads
