// What is recomputed costs its forward pass once more, and saves its activations.
#include <map>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/iteration_size.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using Granularity = Recompute::Granularity;
using Method = Recompute::Method;

// Of all layers and micro-batches.
double layer_flops(const TrainingJob& job, graph::Phase phase) {
  const graph::Programs programs = training_iteration(job);
  double flops = 0;
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : program.steps())
      if (step.task.phase == phase && step.task.layer >= 0)
        flops += programs.works[step.task.work].flops.value();
  return flops;
}

double micro_batches(const TrainingJob& job) {
  return static_cast<double>(job.training.micro_batches(job.sizes));
}

TEST(Recompute, FullRepeatsTheForwardOfTheLayersItNames) {
  for (const ModelSpec& model : small_models()) {
    TrainingJob job = job_of(model, {.pp = 2});
    const double forward = layer_flops(job, graph::Phase::Forward);
    const double backward = layer_flops(job, graph::Phase::Backward);
    const Bytes memory = stage_memories(job)[0].at_peak[graph::Memory::Activations];
    for (const std::int64_t layers : {1, 2, 3, 4}) {
      job.training.recompute = {.granularity = Granularity::Full, .modules = {}, .num_layers = layers};
      EXPECT_DOUBLE_EQ(layer_flops(job, graph::Phase::Forward), forward);
      EXPECT_DOUBLE_EQ(layer_flops(job, graph::Phase::Backward), backward + forward);
      EXPECT_LT(stage_memories(job)[0].at_peak[graph::Memory::Activations], memory);
    }
  }
}

TEST(Recompute, BlockRecomputesTheFirstLayersOfEachStage) {
  TrainingJob job = job_of(small_dense(), {.pp = 2});
  const double forward = layer_flops(job, graph::Phase::Forward);
  const double backward = layer_flops(job, graph::Phase::Backward);
  job.training.recompute = {.granularity = Granularity::Full, .modules = {}, .method = Method::Block, .num_layers = 3};
  EXPECT_DOUBLE_EQ(layer_flops(job, graph::Phase::Backward), backward + forward * 3 / 4);
}

// Full recomputation makes four passes of three.
TEST(Recompute, FactorIsWhatIsComputedAgain) {
  TrainingJob job = job_of(small_dense(), {.pp = 2});
  EXPECT_EQ(recompute_factor(job), 1);
  job.training.recompute.granularity = Granularity::Full;
  const double layers = forward_flops_of_layers(job.model, 32);
  const double head = 2.0 * 64 * 512;
  EXPECT_DOUBLE_EQ(recompute_factor(job), (4 * layers + 3 * head) / (3 * layers + 3 * head));
}

// FLOPs and kept bytes of one layer, by the modules recomputed.
struct Cost {
  double flops = 0;
  double kept = 0;
};

Cost cost_of(const ModelSpec& model, RecomputeModules modules) {
  TrainingJob job = job_of(model, {.tp = 2, .ep = model.moe ? 4 : 1, .dp = 4});
  job.training.recompute.modules = modules;
  const LayerKind kind = model.kind_of(7);
  Cost cost{.kept = layer_activations(model, job.micro_batch(), kind).value()};
  for (const Segment& segment : layer_backward(model, job.micro_batch(), kind))
    cost.flops += segment.work.flops.value();
  return cost;
}

// Extra FLOPs of a layer of 32 tokens on 2 tensor ranks, by hand: two for each weight, and attention's pairs.
TEST(Recompute, AModuleCostsItsForwardAndSavesItsActivations) {
  struct Case {
    RecomputeModule module;
    ModelSpec model;
    double flops;
  };
  const double tokens = 32;
  const double routed = 2 * tokens / 2; // copies a rank's experts work on
  const std::vector<Case> cases{
      {RecomputeModule::CoreAttn, small_dense(), 2 * 4 * (tokens * tokens / 2) * (8 + 8)},
      {RecomputeModule::Layernorm, small_dense(), 0},
      {RecomputeModule::Mlp, small_dense(), 2 * tokens * 3 * 64 * 48},
      {RecomputeModule::MoeAct, small_moe(), 0},
      {RecomputeModule::Moe, small_moe(), 2 * routed * 3 * 64 * 48 + 2 * (tokens / 2) * 64 * 8},
      {RecomputeModule::SharedExperts, small_latent(), 2 * tokens * 3 * 64 * 48},
      {RecomputeModule::MlaUpProj, small_latent(), 2 * tokens * (24 * 4 * 12 + 16 * 4 * (8 + 8))},
      {RecomputeModule::Op, small_dense(), 2 * tokens * 64 * (2 * 8 + 48)}, // keys of two heads, and up
  };
  for (const auto& [module, model, flops] : cases) {
    RecomputeModules modules;
    modules.add(module);
    const Cost plain = cost_of(model, {});
    const Cost recomputed = cost_of(model, modules);
    EXPECT_DOUBLE_EQ(recomputed.flops - plain.flops, flops) << name_of(module);
    EXPECT_LT(recomputed.kept, plain.kept) << name_of(module);
  }
}

// Of sums over tp the output projection's is kept, so without tp it is computed again. Keys and up are; queries,
// values, gate and the two outputs are not: half of the products.
TEST(Recompute, EveryOtherProductIsComputedAgain) {
  const TrainingJob plain = job_of(small_dense(), {});
  TrainingJob op = plain;
  op.training.recompute = {.granularity = Granularity::Selective, .modules = {}};
  op.training.recompute.modules.add(RecomputeModule::Op);
  const double tokens = 32;
  EXPECT_DOUBLE_EQ(layer_flops(op, graph::Phase::Backward) - layer_flops(plain, graph::Phase::Backward),
                   8 * micro_batches(plain) * 2 * tokens * 64 * (4 * 8 + 64 + 96));
  const LayerKind kind = plain.model.kind_of(0);
  const double spared = layer_activations(plain.model, plain.micro_batch(), kind).value() -
                        layer_activations(op.model, op.micro_batch(), kind).value();
  EXPECT_DOUBLE_EQ(spared, 2 * tokens * (2 * 64 + 4 * 8 + 2 * 96)); // two norms, keys, up and the activation
}

// The backward reads neither what the last product gives nor the sum with the residual stream; the rest is as long as
// the forward. Where dropout or a norm comes behind it, it is needed.
TEST(Recompute, StopsOnceTheBackwardHasWhatItNeeds) {
  TrainingJob job = job_of(small_dense(), {.tp = 2});
  job.training.recompute = {.granularity = Granularity::Full, .modules = {}};
  const double whole = layer_flops(job, graph::Phase::Backward);
  job.training.recompute_early_stop = true;
  EXPECT_DOUBLE_EQ(whole - layer_flops(job, graph::Phase::Backward), 8 * micro_batches(job) * 2 * 32.0 * 64 * 48);
  const MicroBatchShape shape = job.micro_batch();
  const Segments stopped = layer_forward(job.model, shape, {}, nullptr, Until::Needed);
  EXPECT_EQ(kept_by(stopped), kept_by(layer_forward(job.model, shape, {})));
  EXPECT_EQ(stopped.back().name, "mlp"); // no sum over tp
  ModelSpec normed = job.model;
  normed.post_norms = true;
  EXPECT_EQ(layer_forward(normed, shape, {}, nullptr, Until::Needed).size(), layer_forward(normed, shape, {}).size());
}

// What experts keep of 16 local tokens, each with 2 of the 8: probabilities, and of each copy the input, the first
// product and what the activation makes of it. Their outputs nobody needs again.
TEST(Recompute, ExpertsSaveWhatTheyKeep) {
  RecomputeModules modules;
  modules.add(RecomputeModule::Moe);
  const double kept = 16 * 8 * 4 + 32 * (64 + 2 * 48 + 48) * 2;
  EXPECT_DOUBLE_EQ(cost_of(small_moe(), {}).kept - cost_of(small_moe(), modules).kept, kept);
}

// A module that a layer does not have changes nothing.
TEST(Recompute, AModuleThatIsNotThereCostsNothing) {
  for (const RecomputeModule module :
       {RecomputeModule::Moe, RecomputeModule::MlaUpProj, RecomputeModule::SharedExperts}) {
    RecomputeModules modules;
    modules.add(module);
    EXPECT_EQ(cost_of(small_dense(), modules).flops, cost_of(small_dense(), {}).flops);
    EXPECT_EQ(cost_of(small_dense(), modules).kept, cost_of(small_dense(), {}).kept);
  }
}

} // namespace
} // namespace moesim::workloads
