#include "workloads/training.hpp"

#include <array>
#include <span>

#include "simulator/base/check.hpp"
#include "workloads/data_parallel.hpp"
#include "workloads/optimizer_step.hpp"
#include "workloads/stage_parts.hpp"

namespace moesim::workloads {
namespace {

// Writes the program of one stage.
class StageBuilder {
public:
  StageBuilder(const TrainingJob& job, ProgramTables& tables, const StageParts& parts, std::int64_t stage,
               std::span<const schedulers::PipelinePass> passes)
      : tables_(tables), parts_(parts), stage_(job, stage), units_(units_of(stage_, passes)),
        writer_(job.training.overlap.pp), data_parallel_(stage_, tables, writer_, units_) {}

  graph::Program build() {
    data_parallel_.begin();
    for (std::size_t at = 0; at < units_.size(); ++at) {
      const Unit& unit = units_[at];
      if (unit.opens_pass)
        receive(unit);
      data_parallel_.before(at);
      play(unit);
      data_parallel_.after(at);
      if (unit.closes_pass)
        send(unit);
    }
    // Sharded gradients are sums already when the micro-batches end, and each rank has its share of them.
    const bool sharded = stage_.job.training.shards_gradients();
    if (!sharded)
      reduce_replicated_gradients(stage_, tables_, writer_);
    data_parallel_.finish_gradients();
    if (sharded)
      reduce_replicated_gradients(stage_, tables_, writer_);
    exchange_embedding_gradient(stage_, tables_, writer_);
    step_optimizer(stage_, tables_, writer_);
    data_parallel_.after_optimizer_step();
    return writer_.finish();
  }

private:
  using Runs = Unit::Runs;

  void receive(const Unit& unit) {
    if (unit.runs == Runs::Forward && !stage_.is_first)
      writer_.receive(parts_.activation, stage_.index - 1, unit.micro_batch);
    if (unit.runs != Runs::Forward && !stage_.is_last)
      writer_.receive(parts_.gradient, stage_.index + 1, unit.micro_batch);
  }

  void send(const Unit& unit) {
    if (unit.runs == Runs::Forward && !stage_.is_last)
      writer_.send(parts_.activation, stage_.index + 1, unit.micro_batch);
    if (unit.runs != Runs::Forward && !stage_.is_first)
      writer_.send(parts_.gradient, stage_.index - 1, unit.micro_batch);
  }

  void play(const Unit& unit) {
    const auto play = [&](const std::vector<SegmentStep>& steps) {
      writer_.play(steps, unit.micro_batch, stage_.layer_of(unit.part));
    };
    const bool is_forward = unit.runs == Runs::Forward;
    if (unit.part == 0)
      return play(is_forward ? parts_.embedding_forward : parts_.embedding_backward);
    if (unit.part == stage_.head())
      return is_forward ? predict(unit.micro_batch) : predict_backward(unit.micro_batch);
    const LayerSteps& layer = parts_.layers.at(stage_.kind_of(unit.part));
    const std::size_t keeps_input = unit.keeps_input ? 1 : 0;
    if (is_forward)
      return play(unit.is_recomputed ? layer.unkept[keeps_input] : layer.forward);
    if (unit.runs != Runs::Backward)
      play(layer.again[keeps_input]);
    if (unit.runs_backward())
      play(layer.backward);
  }

  // The head and the modules for multi-token prediction: each with a layer of the last one's kind, numbered on from it,
  // and the head once more.
  void predict(std::int32_t micro_batch) {
    const ModelSpec& model = stage_.job.model;
    const LayerSteps& layer = parts_.mtp_layer;
    writer_.play(parts_.head_forward.front(), micro_batch, -1);
    for (std::int64_t module = 1; module <= model.mtp_layers; ++module) {
      writer_.play(parts_.mtp_input_forward, micro_batch, -1);
      writer_.play(recomputes_modules() ? layer.unkept[1] : layer.forward, micro_batch, model.num_layers + module - 1);
      writer_.play(parts_.head_forward[static_cast<std::size_t>(module)], micro_batch, -1);
    }
  }

  void predict_backward(std::int32_t micro_batch) {
    const ModelSpec& model = stage_.job.model;
    const LayerSteps& layer = parts_.mtp_layer;
    for (std::int64_t module = model.mtp_layers; module > 0; --module) {
      writer_.play(parts_.head_backward[static_cast<std::size_t>(module)], micro_batch, -1);
      if (recomputes_modules())
        writer_.play(layer.again[1], micro_batch, model.num_layers + module - 1);
      writer_.play(layer.backward, micro_batch, model.num_layers + module - 1);
      writer_.play(parts_.mtp_input_backward, micro_batch, -1);
    }
    writer_.play(parts_.head_backward.front(), micro_batch, -1);
  }

  // Modules are not among the first layers of a stage, which method block is about.
  [[nodiscard]] bool recomputes_modules() const {
    const Recompute& recompute = stage_.job.training.recompute;
    return recompute.is_full() && recompute.method == Recompute::Method::Uniform;
  }

  ProgramTables& tables_;
  const StageParts& parts_;
  StageShape stage_;
  std::vector<Unit> units_;
  StageWriter writer_;
  DataParallel data_parallel_;
};

} // namespace

std::string_view name_of(Sharding sharding) {
  constexpr std::array<std::string_view, 4> names{"none", "zero-1", "zero-2", "zero-3"};
  return names[static_cast<std::size_t>(sharding)];
}

std::string_view name_of(ExpertOverlap overlap) {
  constexpr std::array<std::string_view, 3> names{"false", "chunked", "true"};
  return names[static_cast<std::size_t>(overlap)];
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
  const StageParts parts = make_parts(job, tables);
  const schedulers::PipelineOrder order = pipeline_order(job);
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    visit(StageBuilder(job, tables, parts, stage, order[static_cast<std::size_t>(stage)]).build(), shared);
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
