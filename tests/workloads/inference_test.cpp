// What a batch computes, keeps and sends: against the training forward, closed forms and published figures.
#include "workloads/inference.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/config/node.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/rank_shape.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::Phase;

InferenceJob batch_of(const ModelSpec& model, const ParallelSizes& sizes) {
  InferenceJob job;
  job.model = model;
  job.sizes = sizes;
  job.sequence_parallel = model.moe && sizes.tp > 1;
  job.inference = {.batch_size = 4 * sizes.dp, .micro_batch_size = 2, .prompt_length = 32, .output_length = 20};
  return job;
}

// Of all ranks, in one phase.
Flops flops(const InferenceJob& job, Phase phase) {
  Flops sum;
  const graph::Programs programs = inference_run(job);
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : program.steps())
      if (step.task.phase == phase)
        sum += programs.works[step.task.work].flops;
  return sum * static_cast<double>(job.sizes.world() / job.sizes.pp);
}

double head_flops(const ModelSpec& model) {
  return 2 * static_cast<double>(model.hidden_size * model.vocab_size);
}

TEST(Inference, PrefillComputesTheForwardOfTraining) {
  for (const ModelSpec& model : small_models()) {
    for (const ParallelSizes& sizes : {ParallelSizes{}, ParallelSizes{.tp = 2, .pp = 2, .dp = 2}}) {
      const InferenceJob job = batch_of(model, sizes);
      const auto sequences = static_cast<double>(job.inference.batch_size);
      const double layers = sequences * 32 * forward_flops_of_layers(model, 32);
      const double expected = layers + sequences * head_flops(model);
      EXPECT_NEAR(flops(job, Phase::Prefill).value() / expected, 1, 1e-12) << model.model_type << " tp " << sizes.tp;
    }
  }
}

// The same for one query at a time, whose keys are whole blocks; latents are met in place of heads.
TEST(Inference, ADecodeStepComputesOneTokenOfEachSequence) {
  for (const ModelSpec& model : {small_dense(), small_moe(), small_shared()}) {
    InferenceJob job = batch_of(model, {.pp = 2, .dp = 2});
    job.inference.output_length = 2; // a query that sees 33 keys, in 3 blocks of 16
    const double attention = 2 * static_cast<double>(model.query_width() + model.output_width()) * 8;
    const double projections = forward_flops_of_layers(model, 32) - attention * 16; // less half of 32 keys
    const double expected = projections + attention * 48 + head_flops(model);
    EXPECT_NEAR(flops(job, Phase::Decode).value() / (expected * 8), 1, 1e-12) << model.model_type;
  }
}

TEST(Inference, ADecodeStepNeverCostsLessWithMoreBeforeIt) {
  for (const ModelSpec& model : small_models()) {
    const InferenceJob job = batch_of(model, {});
    graph::Work before;
    Bytes first;
    for (std::int64_t step = 2; step < 100; ++step) {
      graph::Work sum;
      for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
        for (const Segment& segment : layer_forward(model, job.micro_batch(step), model.kind_of(layer))) {
          sum.flops += segment.work.flops;
          sum.bytes += segment.work.bytes;
        }
      EXPECT_GE(sum.flops, before.flops) << model.model_type << ", step " << step;
      EXPECT_GE(sum.bytes, before.bytes) << model.model_type << ", step " << step;
      first = step == 2 ? sum.bytes : first;
      before = sum;
    }
    EXPECT_GT(before.bytes, first) << model.model_type; // some layer reaches as far as the sequence is long
  }
}

ModelSpec catalogue_model(const std::string& name) {
  config::Node section;
  section.kind = config::Node::Kind::Scalar;
  section.scalar = name;
  Problems problems;
  std::vector<std::string> ignored;
  ModelSpec model = read_model(section, "model", problems, ignored);
  problems.throw_if_any();
  return model;
}

// Bytes of a token in BF16: DeepSeek-V3 at ISCA '25 (arXiv 2505.09343), table 1. The Qwen-2.5 72B there has the 80
// layers of 8 key-value heads of 128 that Llama 3.1 70B has.
TEST(Inference, KeysAndValuesTakeThePublishedBytes) {
  for (const auto& [name, kilobytes] :
       {std::pair("deepseek-v3", 70.272), std::pair("llama-3.1-70b", 327.680), std::pair("llama-3.1-405b", 516.096)}) {
    const ModelSpec model = catalogue_model(name);
    EXPECT_DOUBLE_EQ(static_cast<double>(model.num_layers * kv_elements(model, 1) * 2), kilobytes * 1000) << name;
  }
}

TEST(Inference, KeysAndValuesAreSplitOverHeadsAndLatentsAreNot) {
  EXPECT_EQ(kv_elements(small_dense(), 1), 2 * 4 * 8); // 4 heads of 8
  EXPECT_EQ(kv_elements(small_dense(), 4), 2 * 8);
  EXPECT_EQ(kv_elements(small_dense(), 8), 2 * 8); // a copy each
  EXPECT_EQ(kv_elements(small_latent(), 1), 16 + 4);
  EXPECT_EQ(kv_elements(small_latent(), 8), 16 + 4);
}

TEST(Inference, TheCacheIsWholeBlocksAndNoLongerThanTheWindow) {
  InferenceJob job = batch_of(small_dense(), {.dp = 2}); // 4 sequences a replica, 51 tokens in the end: 4 blocks
  EXPECT_EQ(kv_cache_bytes(job), Bytes(4.0 * 64 * (2 * 4 * 8) * 8 * 2));
  job.inference.kv_cache_precision = Precision::Fp8;
  EXPECT_EQ(kv_cache_bytes(job), Bytes(4.0 * 64 * (2 * 4 * 8) * 8));
  job = batch_of(small_windowed(), {}); // four layers see 8 tokens: one block
  EXPECT_EQ(kv_cache_bytes(job), Bytes(4.0 * (4 * 64 + 4 * 16) * (2 * 4 * 8) * 2));
}

// What the tasks take, block by block, is what the closed form says; nothing gives any of it back.
TEST(Inference, TasksTakeTheCache) {
  for (const ModelSpec& model : small_models()) {
    const InferenceJob job = batch_of(model, {.tp = 2, .pp = 2, .dp = 2});
    const graph::Programs programs = inference_run(job);
    for (std::size_t stage = 0; stage < 2; ++stage) {
      Bytes taken;
      for (const graph::Step& step : programs.stages[stage].steps()) {
        taken += programs.works[step.task.work].allocated[Memory::KvCache];
        EXPECT_EQ(programs.works[step.task.work].freed[Memory::KvCache], Bytes());
        EXPECT_EQ(programs.works[step.task.work].allocated[Memory::Activations], Bytes());
      }
      EXPECT_EQ(taken, kv_cache_bytes(job, static_cast<std::int64_t>(stage), 51)) << model.model_type;
    }
  }
}

// Steps within a block differ in nothing; only the one that takes a block has works of its own.
TEST(Inference, EqualStepsShareTheirWorks) {
  InferenceJob job = batch_of(small_moe(), {.tp = 2});
  const auto works = [&](std::int64_t output) {
    job.inference.output_length = output;
    return inference_run(job).works.size();
  };
  EXPECT_EQ(works(17), works(3));      // all decode steps are in the third block, the first of them takes it
  EXPECT_EQ(works(18), works(17) + 1); // attention that takes a fourth block
  EXPECT_EQ(works(19), works(18) + 1); // attention that reads it
  EXPECT_EQ(works(33), works(19));
}

TEST(Inference, CountsItsRowsWithoutBuildingThem) {
  for (const ParallelSizes& sizes : {ParallelSizes{}, ParallelSizes{.tp = 2, .pp = 4, .ep = 2, .dp = 2}})
    for (const std::int64_t output : {1, 2, 3, 9}) {
      InferenceJob job = batch_of(small_latent(), sizes);
      job.inference.output_length = output;
      std::size_t steps = 0;
      for (const graph::Program& program : inference_run(job).stages)
        steps += program.steps().size();
      EXPECT_EQ(row_count(job), static_cast<std::int64_t>(steps) * sizes.world() / sizes.pp) << output;
    }
}

// Every way of throwing two tokens, each at 2 different ones of 4 experts: an expert stays idle with (1/2)^2.
TEST(ActiveExperts, AreThoseThatAreExpected) {
  const MoeSpec moe{.num_experts = 4, .experts_per_token = 2, .intermediate_size = 1};
  constexpr std::array<int, 6> pairs{0b0011, 0b0101, 0b1001, 0b0110, 0b1010, 0b1100};
  int hit = 0;
  for (const int first : pairs)
    for (const int second : pairs)
      hit += std::popcount(static_cast<unsigned>(first | second));
  EXPECT_DOUBLE_EQ(expected_active_experts(moe, 4, 2), hit / 36.0);
  EXPECT_DOUBLE_EQ(expected_active_experts(moe, 2, 2), hit / 72.0); // half of them are here
  EXPECT_DOUBLE_EQ(expected_active_experts(moe, 4, 1), 2);
  EXPECT_NEAR(expected_active_experts(moe, 4, 1000), 4, 1e-12);
}

// DeepSeek-V3 shapes: one sequence over 8 ranks of tp and ep is one token, 8 of 256 experts, 1 of each rank's 32.
TEST(ActiveExperts, FewTokensReadFewWeights) {
  const ModelSpec model = catalogue_model("deepseek-v3");
  InferenceJob job = batch_of(model, {.tp = 8, .ep = 8});
  job.inference.micro_batch_size = 1;
  const MicroBatchShape decode = job.micro_batch(2);
  const RankShape one{model, decode, {.has_experts = true}};
  EXPECT_EQ(one.local(), 1);
  EXPECT_EQ(one.expert_rows(), 1);
  EXPECT_EQ(one.active_experts(), 1);
  job.inference.micro_batch_size = 256;
  const MicroBatchShape many = job.micro_batch(2);
  const RankShape at{model, many, {.has_experts = true}};
  EXPECT_EQ(at.local(), 32);
  EXPECT_EQ(at.expert_rows(), 256); // 256 x 8 copies over 8 ranks
  EXPECT_EQ(at.active_experts(), std::lround(32 * (1 - std::pow(1 - 8.0 / 256, 256))));
}

TEST(Inference, Fp8WeightsAreOneByte) {
  InferenceJob job = batch_of(small_dense(), {});
  const double all = stage_parameters(job, 0).dense;
  EXPECT_DOUBLE_EQ(stage_memories(job)[0].at_rest.total().value(), 2 * all);
  job.inference.precision = Precision::Fp8;
  // Embedding, head and the norms (two of each of 8 layers, and the last) stay BF16.
  const double others = 2.0 * 512 * 64 + 17 * 64;
  EXPECT_DOUBLE_EQ(stage_memories(job)[0].at_rest.total().value(), all + others);
}

// Of all decode steps of the first stage.
std::vector<Operator> decode_operators(const InferenceJob& job) {
  const graph::Programs programs = inference_run(job);
  std::vector<Operator> operators;
  for (const graph::Step& step : programs.stages[0].steps())
    if (step.task.phase == Phase::Decode)
      std::ranges::copy(programs.works[step.task.work].operators, std::back_inserter(operators));
  return operators;
}

Bytes bytes_of(const std::vector<Operator>& operators) {
  Bytes sum;
  for (const Operator& op : operators)
    sum += op.bytes;
  return sum;
}

// gpt-oss has its experts alone in few bits: what they read and take of the memory is less, and nothing else changes.
TEST(Inference, ExpertsMayHaveAPrecisionOfTheirOwn) {
  InferenceJob job = batch_of(small_moe(), {});
  const double usual = bytes_of(decode_operators(job)).value();
  const double resting = stage_memories(job)[0].at_rest.total().value();
  job.inference.expert_precision = Precision::Bf16;
  job.inference.expert_weight_precision = Precision::Nvfp4;
  const double saved = 2 - bytes_per_element(Precision::Nvfp4); // bytes of a weight
  EXPECT_NEAR(resting - stage_memories(job)[0].at_rest.total().value(), saved * stage_parameters(job, 0).expert, 1e-3);
  double read = 0; // weights of experts
  for (const Operator& op : decode_operators(job))
    if (op.groups_share_kernel) {
      read += static_cast<double>(op.groups * op.n * op.k);
      EXPECT_EQ(op.weight_bytes, bytes_per_element(Precision::Nvfp4));
      EXPECT_EQ(op.launches, 1);
      EXPECT_EQ(op.groups + op.idle_groups, job.model.moe->num_experts / job.sizes.ep);
    }
  EXPECT_GT(read, 0);
  EXPECT_NEAR(usual - bytes_of(decode_operators(job)).value(), saved * read, 1e-6 * usual);
}

// The router, latents and up-projections of DeepSeek, one query of one sequence, worked out by hand.
TEST(Inference, LatentQueriesAreAbsorbed) {
  const ModelSpec model = small_latent();
  InferenceJob job = batch_of(model, {});
  job.inference.micro_batch_size = 1;
  double sum = 0;
  for (const Segment& segment : layer_forward(model, job.micro_batch(2), {.has_experts = false}))
    if (segment.name == "attention")
      sum += segment.work.flops.value();
  const double down = 64 * (24 + 16 + 4);
  const double queries = 24 * (8 * 12);
  const double absorbed = 8 * 8 * 16;            // 8 heads, 8 channels to 16
  const double attention = 48.0 * 8 * (20 + 16); // 48 keys of 16 + 4, values of 16
  const double values = 8 * 16 * 8;
  const double output = 64 * 64;
  EXPECT_DOUBLE_EQ(sum, 2 * (down + queries + absorbed + attention + values + output));
}

TEST(Inference, PassesGoStepByStep) {
  InferenceJob job = batch_of(small_dense(), {.pp = 2});
  job.inference.output_length = 3;
  EXPECT_EQ(describe_passes(job), "stage 0: P0 P1 D0 D1 D0 D1\nstage 1: P0 P1 D0 D1 D0 D1\n");
}

// Forward FLOPs by hand: one layer's share is that of training with as many keys, the head runs per output token.
TEST(Inference, ModelFlopsAreThoseOfTheFormula) {
  InferenceJob job = batch_of(small_dense(), {});
  job.inference.output_length = 2;
  const double prompt = model_flops(job.model, 4.0 * 32, 32) / 3 - 4.0 * 31 * head_flops(job.model);
  EXPECT_DOUBLE_EQ(inference_flops(job), prompt + model_flops(job.model, 4, 33) / 3);
}

// Engines that keep all tokens on every tensor-parallel rank compute what those do that send them around: the same
// products in all, and one all-reduce for attention and one for the experts instead of every other communication.
TEST(Inference, ReplicatedTokensTakeTwoSumsALayer) {
  for (const ModelSpec& model : {small_moe(), small_shared()}) {
    const InferenceJob sent = batch_of(model, {.tp = 2, .ep = 2});
    InferenceJob kept = sent;
    kept.sequence_parallel = false;
    const LayerKind last = model.kind_of(model.num_layers - 1);
    Flops difference;
    for (const Segment& segment : layer_forward(model, sent.micro_batch(1), last))
      if (segment.name == "experts")
        difference += segment.work.flops;
    int sums = 0;
    for (const Segment& segment : layer_forward(model, kept.micro_batch(1), last)) {
      if (segment.name == "experts")
        difference -= segment.work.flops;
      if (segment.kind != graph::Kind::Compute) {
        EXPECT_EQ(segment.kind, graph::Kind::AllReduce) << segment.name;
        EXPECT_EQ(segment.work.bytes, kept.micro_batch(1).activation(64, model.hidden_size)) << segment.name;
        ++sums;
      }
    }
    EXPECT_EQ(difference, Flops(0)) << model.model_type;
    EXPECT_EQ(sums, 2) << model.model_type;
  }
}

} // namespace
} // namespace moesim::workloads
