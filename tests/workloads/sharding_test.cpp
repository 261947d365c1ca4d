// ZeRO stages 2 and 3 (arXiv 1910.02054): what is sent, and what is held.
#include <array>
#include <map>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

constexpr std::array all_shardings{Sharding::None, Sharding::Zero1, Sharding::Zero2, Sharding::Zero3};

// Jobs of many kinds: models, stages (of which the first and last may hold no layers), recomputation and overlap.
std::vector<TrainingJob> many_jobs(Sharding sharding) {
  std::vector<TrainingJob> jobs;
  for (const ModelSpec& model : small_models()) {
    for (const bool overlaps : {false, true}) {
      for (const ParallelSizes& sizes :
           {ParallelSizes{.dp = 4}, ParallelSizes{.tp = 2, .pp = 4, .ep = model.moe ? 2 : 1, .dp = 2},
            ParallelSizes{.cp = 2, .pp = 2, .ep = model.moe ? 4 : 1, .dp = 2}})
        jobs.push_back(sharded(model, sizes, sharding, overlaps));
      jobs.push_back(sharded(model, {.pp = 4, .dp = 2}, sharding, overlaps));
      jobs.back().layers_per_stage = {0, 3, 5, 0};
      jobs.back().model.tied_embeddings = true;
      jobs.push_back(sharded(model, {.dp = 2}, sharding, overlaps));
      jobs.back().model.tied_embeddings = true;
      for (const std::int64_t stages : {1, 2}) {
        jobs.push_back(sharded(model, {.pp = stages, .dp = 2}, sharding, overlaps));
        jobs.back().model.mtp_layers = 2;
        jobs.push_back(jobs.back());
        jobs.back().training.precision = Precision::Fp8;
      }
    }
  }
  const std::size_t plain = jobs.size();
  for (std::size_t at = 0; at < plain; ++at) {
    jobs.push_back(jobs[at]);
    jobs.back().training.recompute = {
        .granularity = Recompute::Granularity::Full, .modules = {}, .num_layers = 1 + static_cast<int>(at % 3)};
  }
  return jobs;
}

graph::TaskGraph graph_of(const TrainingJob& job) {
  return graph::expand(training_iteration(job), Layout(job.sizes).membership());
}

// Elements that each kind of collective moves, over all groups.
struct Moved {
  double gathered = 0;
  double reduced = 0;
};
Moved moved_by(const TrainingJob& job) {
  const graph::TaskGraph graph = graph_of(job);
  Moved moved;
  for (const graph::Task& task : graph.tasks()) {
    const std::string& name = graph.names()[task.name];
    if (name == "gather-parameters" || name == "gather-expert-parameters")
      moved.gathered += graph.work(task).bytes.value() / 2;
    if (name == "reduce-gradients" || name == "reduce-expert-gradients")
      moved.reduced += graph.work(task).bytes.value() / job.training.gradient_bytes();
  }
  return moved;
}

// Section 7 counts elements per rank and iteration: 2 psi for stages 1 and 2, 3 psi for stage 3. With m micro-batches
// these are psi + psi, (m + 1) psi and 3 m psi.
TEST(Sharding, MovesWhatThePaperSays) {
  for (const bool overlaps : {false, true}) {
    for (const ParallelSizes& sizes : {ParallelSizes{.ep = 2, .dp = 4}, ParallelSizes{.pp = 4, .ep = 2, .dp = 4}}) {
      const double m = 16.0 / 4;
      double psi = 0; // over the groups: one of dense parts and ep of experts in each stage
      for (std::int64_t stage = 0; stage < sizes.pp; ++stage) {
        const RankParameters parameters = stage_parameters(job_of(small_moe(), sizes), stage);
        psi += parameters.dense + 2 * parameters.expert;
      }
      const std::array<std::pair<double, double>, 4> expected{{{0, 1}, {1, 1}, {1, m}, {2 * m, m}}};
      for (const Sharding sharding : all_shardings) {
        const Moved moved = moved_by(sharded(small_moe(), sizes, sharding, overlaps));
        const auto [gathers, reductions] = expected[static_cast<std::size_t>(sharding)];
        EXPECT_DOUBLE_EQ(moved.gathered, gathers * psi) << name_of(sharding);
        EXPECT_DOUBLE_EQ(moved.reduced, reductions * psi) << name_of(sharding);
      }
    }
  }
}

// A table that is embedding and head of one stage is read by both, and reduced once, after its last use.
TEST(Sharding, TiedTableOfOneStageIsReducedOnce) {
  const double m = 8;
  const double table = 512 * 64;
  TrainingJob job = sharded(small_dense(), {.dp = 2}, Sharding::Zero3);
  job.model.tied_embeddings = true;
  const double psi = stage_parameters(job, 0).dense;
  EXPECT_DOUBLE_EQ(moved_by(job).gathered, 2 * m * (psi + table));
  EXPECT_DOUBLE_EQ(moved_by(job).reduced, m * psi);
}

// Figure 1 and section 5: 16 psi bytes, of which each stage divides 12, 2 more and 2 more by N; gradients are FP32
// here, so 18 psi, of which it divides 12, 4 more and 2 more.
TEST(Sharding, HoldsAtRestWhatFigure1Says) {
  const auto per_parameter = [](const TrainingJob& job) {
    return stage_memories(job)[0].at_rest.total().value() / stage_parameters(job, 0).dense;
  };
  for (const auto& [sharding, bytes] : {std::pair(Sharding::None, 18.0),
                                        {Sharding::Zero1, 6 + 12.0 / 8},
                                        {Sharding::Zero2, 2 + 16.0 / 8},
                                        {Sharding::Zero3, 18.0 / 8}}) {
    EXPECT_DOUBLE_EQ(per_parameter(sharded(small_dense(), {.dp = 8}, sharding)), bytes);
    EXPECT_DOUBLE_EQ(per_parameter(sharded(small_dense(), {.cp = 4, .dp = 2}, sharding)), bytes);
    EXPECT_DOUBLE_EQ(per_parameter(sharded(small_dense(), {}, sharding)), 18.0); // nobody to share with
  }
  // The copies that FP8 products read are made anew of what is gathered.
  TrainingJob fp8 = sharded(small_dense(), {.dp = 8}, Sharding::Zero3);
  fp8.training.precision = Precision::Fp8;
  EXPECT_DOUBLE_EQ(per_parameter(fp8), 18.0 / 8);
}

TEST(Sharding, ExpertsAreSharedAmongTheirOwnReplicas) {
  const TrainingJob job = sharded(small_moe(), {.ep = 4, .dp = 8}, Sharding::Zero3);
  const RankParameters parameters = stage_parameters(job, 0);
  EXPECT_DOUBLE_EQ(stage_memories(job)[0].at_rest.total().value(), 18 * (parameters.dense / 8 + parameters.expert / 2));
  // With one replica of each expert nothing of them is sent, and all of them kept.
  const TrainingJob single = sharded(small_moe(), {.ep = 8, .dp = 8}, Sharding::Zero3);
  const RankParameters spread = stage_parameters(single, 0);
  EXPECT_DOUBLE_EQ(stage_memories(single)[0].at_rest.total().value(), 18 * (spread.dense / 8 + spread.expert));
  EXPECT_DOUBLE_EQ(moved_by(single).gathered, 2 * 2 * spread.dense);
}

// What is taken is given back, and never before it was taken.
TEST(Sharding, MemoryReturnsToRest) {
  for (const Sharding sharding : all_shardings) {
    for (const TrainingJob& job : many_jobs(sharding)) {
      const graph::Programs programs = training_iteration(job);
      for (const graph::Program& program : programs.stages) {
        graph::MemoryUse held;
        for (const graph::Step& step : program.steps()) {
          held += programs.works[step.task.work].allocated;
          held -= programs.works[step.task.work].freed;
          EXPECT_GE(held[Memory::Weights], Bytes());
          EXPECT_GE(held[Memory::Gradients], Bytes());
        }
        EXPECT_EQ(held, graph::MemoryUse()) << name_of(sharding) << " " << job.model.model_type;
      }
    }
  }
}

// Stage 1 of 4 holds two layers. One layer's weights are there at a time, or two when the next are fetched ahead; and
// the gradients of one layer, or of two when one is reduced beside the backward of the next.
TEST(Sharding, HoldsAFewLayersAtAPeak) {
  const auto extra = [](bool overlaps, Sharding sharding, Memory memory) {
    const TrainingJob job = sharded(small_dense(), {.pp = 4, .dp = 4}, sharding, overlaps);
    const StageMemory held = stage_memories(job)[1];
    return (held.at_peak[memory] - held.at_rest[memory]).value() / layer_parameters(job, job.model.kind_of(2)).dense;
  };
  EXPECT_DOUBLE_EQ(extra(false, Sharding::Zero3, Memory::Weights), 2);
  EXPECT_DOUBLE_EQ(extra(true, Sharding::Zero3, Memory::Weights), 2 * 2);
  EXPECT_DOUBLE_EQ(extra(true, Sharding::Zero2, Memory::Weights), 0);
  EXPECT_DOUBLE_EQ(extra(false, Sharding::Zero2, Memory::Gradients), 4);
  EXPECT_DOUBLE_EQ(extra(true, Sharding::Zero2, Memory::Gradients), 2 * 4);
  EXPECT_DOUBLE_EQ(extra(false, Sharding::Zero1, Memory::Gradients), 0);
}

// Recomputation reads what is gathered for the backward; weights are not gathered for it once more.
TEST(Sharding, RecomputationGathersOnce) {
  TrainingJob job = sharded(small_dense(), {.pp = 2, .dp = 4}, Sharding::Zero3, true);
  const double plain = moved_by(job).gathered;
  for (const std::int64_t layers : {1, 2, 3}) {
    for (const Recompute::Method method : {Recompute::Method::Uniform, Recompute::Method::Block}) {
      job.training.recompute = {
          .granularity = Recompute::Granularity::Full, .modules = {}, .method = method, .num_layers = layers};
      EXPECT_DOUBLE_EQ(moved_by(job).gathered, plain);
    }
  }
}

TEST(Sharding, ChangesNoFlopsAndCanBeRunInOrder) {
  const auto flops_of = [](const graph::TaskGraph& graph) {
    double flops = 0;
    for (const graph::Task& task : graph.tasks())
      flops += graph.work(task).flops.value();
    return flops;
  };
  const std::vector<TrainingJob> plain = many_jobs(Sharding::Zero1);
  for (const Sharding sharding : {Sharding::Zero2, Sharding::Zero3}) {
    const std::vector<TrainingJob> jobs = many_jobs(sharding);
    for (std::size_t at = 0; at < jobs.size(); ++at) {
      const graph::TaskGraph graph = graph_of(jobs[at]);
      EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count());
      EXPECT_DOUBLE_EQ(flops_of(graph), flops_of(graph_of(plain[at])));
    }
  }
}

// Gradients that others than replicas sum, too, are summed once per iteration, each rank its share.
TEST(Sharding, OtherSumsAreOfShares) {
  const auto bytes_by_name = [](Sharding sharding) {
    TrainingJob job = sharded(small_dense(), {.tp = 2, .pp = 2, .dp = 4}, sharding);
    job.model.tied_embeddings = true;
    const graph::TaskGraph graph = graph_of(job);
    std::map<std::string, double> bytes;
    for (const graph::Task& task : graph.tasks())
      bytes[graph.names()[task.name]] += graph.work(task).bytes.value();
    return bytes;
  };
  const auto whole = bytes_by_name(Sharding::Zero1);
  for (const Sharding sharding : {Sharding::Zero2, Sharding::Zero3})
    for (const std::string name : {"embedding-gradient", "add-embedding-gradient", "reduce-norm-gradients"})
      EXPECT_DOUBLE_EQ(bytes_by_name(sharding).at(name), whole.at(name) / 4) << name;
}

} // namespace
} // namespace moesim::workloads
