// What a scenario file means. What is said of a wrong one is tested in tests/cli, with the whole output.
#include "simulator/scenario/scenario.hpp"

#include <gmock/gmock.h>

#include "simulator/config/catalogue.hpp"
#include "simulator/config/yaml_text.hpp"
#include "tests/scenario/scenario_text.hpp"
#include "workloads/rank_parameters.hpp"

namespace moesim::scenario {
namespace {

const char* const minimal = "version: 1\n"
                            "platform: {base: dgx-h100, nodes: 2}\n"
                            "model: mixtral-8x7b\n"
                            "training: {global_batch_size: 64, seq_length: 4096}\n";

TEST(Scenario, DefaultsAreThoseOfTheDesign) {
  const Scenario scenario = load_text(minimal);
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  EXPECT_EQ(sizes.tp, 1);
  EXPECT_EQ(sizes.pp, 1);
  EXPECT_EQ(sizes.ep, 1);
  EXPECT_EQ(sizes.dp, 16); // what is left of the cluster
  EXPECT_EQ(scenario.training_job().training.micro_batch_size, 1);
  EXPECT_EQ(scenario.training_job().training.schedule, "1f1b");
  EXPECT_EQ(scenario.training_job().training.sharding, workloads::Sharding::Zero1);
  EXPECT_EQ(scenario.network, cost::same_for_all(cost::Fidelity::Fluid));
  EXPECT_EQ(scenario.seed, 1u);
  EXPECT_FALSE(scenario.training_job().training.overlap.grad_reduce);
}

TEST(Scenario, OverlapsAreReadAndWritten) {
  const Scenario scenario =
      load_text(std::string(minimal) + "parallel: {tp: 2, ep: 2}\n", {"training.overlap={tp: true, expert: chunked}"});
  EXPECT_TRUE(scenario.training_job().training.overlap.tp);
  EXPECT_EQ(scenario.training_job().training.overlap.expert, workloads::ExpertOverlap::Chunked);
  EXPECT_NE(
      resolved_yaml(scenario).find("param_gather: false, tp: true, tp_backward: true, expert: chunked, pp: false}"),
      std::string::npos);
  const std::string batch = "version: 1\nplatform: {base: dgx-h100, nodes: 2}\nmodel: mixtral-8x7b\nparallel: {ep: 8}\n"
                            "inference: {batch_size: 64, prompt_length: 100, output_length: 10, overlap: {two_batch: "
                            "true}}\n";
  EXPECT_TRUE(load_text(batch).inference_job().inference.overlaps_two_batches);
  EXPECT_NE(resolved_yaml(load_text(batch)).find("overlap: {two_batch: true}"), std::string::npos);
}

TEST(Scenario, MegatronsNamesMeanTheSame) {
  const Scenario brief = load_text(std::string(minimal) + "parallel: {tp: 2, pp: 4, ep: 4, dp: 2}\n");
  const Scenario lengthy =
      load_text(std::string(minimal) + "parallel: {tensor_model_parallel_size: 2, pipeline_model_parallel_size: 4, "
                                       "expert_model_parallel_size: 4, data_parallel_size: 2}\n");
  EXPECT_EQ(resolved_yaml(lengthy).substr(resolved_yaml(lengthy).find("parallel:")),
            resolved_yaml(brief).substr(resolved_yaml(brief).find("parallel:")));
}

TEST(Scenario, AssignmentsApplyInOrder) {
  const std::vector<std::string> assignments{"training.global_batch_size=128", "parallel.tp=2", "parallel.tp=4",
                                             "simulation={network: analytic}"};
  const Scenario scenario = load_text(minimal, assignments);
  EXPECT_EQ(scenario.training_job().training.global_batch_size, 128);
  EXPECT_EQ(scenario.job().sizes.tp, 4);
  EXPECT_EQ(scenario.job().sizes.dp, 4);
  EXPECT_TRUE(scenario.job().sequence_parallel); // the default with tensor parallelism
  EXPECT_EQ(scenario.network, cost::same_for_all(cost::Fidelity::Analytic));
}

TEST(Scenario, EveryShippedScenarioResolvesToItself) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Scenario);
  EXPECT_GE(names.size(), 2u);
  for (const std::string& name : names) {
    const Scenario scenario = load(config::catalogue_root() / "workloads/scenarios" / (name + ".yaml"), {});
    EXPECT_TRUE(scenario.warnings.empty()) << name;
    const Scenario again = load_text(resolved_yaml(scenario));
    EXPECT_EQ(resolved_yaml(again), resolved_yaml(scenario));
  }
}

TEST(Scenario, RoutingIsANameOrAMap) {
  const auto problem_of = [](const std::string& routing) -> std::string {
    try {
      (void)load_text(std::string(minimal) + "moe: {routing: " + routing + "}\n");
      return "";
    } catch (const InputError& error) {
      return error.problems().size() == 1 ? error.problems().front().field : error.what();
    }
  };
  EXPECT_EQ(problem_of("uniform"), "");
  EXPECT_EQ(problem_of("{type: uniform}"), "");
  EXPECT_EQ(problem_of("zipf"), "");
  EXPECT_EQ(problem_of("{type: zipf, exponent: 1.0, drift: 0.1, sampled: true}"), "");
  EXPECT_EQ(problem_of("{type: zipf, exponent: -1}"), "moe.routing.exponent");
  EXPECT_EQ(problem_of("{type: hot, hot_experts: 9}"), "moe.routing.hot_experts");
  EXPECT_EQ(problem_of("trace"), "moe.routing");
  EXPECT_EQ(problem_of("{type: trace, file: nowhere.csv}"), "moe.routing.file");
  EXPECT_EQ(problem_of("{type: uniform, exponent: 1.0}"), "moe.routing.exponent");
}

// Nothing is left to look up, a trace included.
TEST(Scenario, ResolvedExpertsAreReadBack) {
  std::string trace = "iteration,layer,micro_batch,expert,tokens\n";
  for (int layer = 0; layer < 32; ++layer)
    for (int expert = 0; expert < 8; ++expert)
      trace += "0," + std::to_string(layer) + ",0," + std::to_string(expert) + "," + std::to_string(1 + expert) + "\n";
  for (const std::string& moe :
       {std::string("{routing: {type: dirichlet, alpha: 0.5, seed: 7}, balancing: {type: predictive, interval: 3}}"),
        std::string("{routing: zipf, capacity_factor: 1.25, overflow_buffer: 0.1, balancing: reroute}"),
        std::string("{routing: hot, balancing: {type: work-stealing, threshold: 1.2, reaction_time: 2ms}, placement: "
                    "round-robin, router_padding: 16, iteration: 4}"),
        "{routing: {type: trace, loads: " + config::double_quoted(trace) + "}}"}) {
    const std::string resolved = resolved_yaml(load_text(std::string(minimal) + "moe: " + moe + "\n"));
    EXPECT_EQ(resolved_yaml(load_text(resolved)), resolved);
  }
}

TEST(Scenario, StagesMayBeUneven) {
  const std::string stages = "parallel: {pp: 4, layers_per_stage: [9, 8, 8, 7]}\n";
  const Scenario scenario = load_text(minimal + stages);
  EXPECT_EQ(scenario.job().first_layer(3), 25);
  EXPECT_EQ(resolved_yaml(load_text(resolved_yaml(scenario))), resolved_yaml(scenario));
  const auto problem_of = [](const std::string& parallel) -> std::string {
    try {
      (void)load_text(minimal + parallel);
      return "";
    } catch (const InputError& error) {
      return error.problems().front().field + ": " + error.problems().front().message;
    }
  };
  EXPECT_EQ(problem_of("parallel: {pp: 4, layers_per_stage: [9, 8, 8, 8]}\n"),
            "parallel.layers_per_stage: the stages hold 33 layers, but the model has 32; both must agree");
  EXPECT_EQ(problem_of("parallel: {pp: 4, layers_per_stage: [16, 16]}\n"),
            "parallel.layers_per_stage: lists 2 stages, but pp is 4; list as many");
  EXPECT_EQ(problem_of("parallel: {pp: 3, dp: 1}\n"),
            "parallel.pp: 3 does not divide the 32 layers; use 2 or 4, or list layers_per_stage");
}

// A layout string is another way to list the layers: the first stage may hold the embedding alone, the last the head.
TEST(Scenario, StagesMayBeLaidOut) {
  const Scenario scenario = load_text(std::string(minimal) + "parallel: {pp: 4, layout: \"E|(t*16|)*2,mL\"}\n",
                                      {"training.mtp_num_layers=1"});
  EXPECT_THAT(scenario.job().layers_per_stage, testing::ElementsAre(0, 16, 16, 0));
  EXPECT_EQ(resolved_yaml(load_text(resolved_yaml(scenario))), resolved_yaml(scenario));
  EXPECT_EQ(load_text(std::string(minimal) + "parallel: {pp: 2, pipeline_model_parallel_layout: \"Et*16|t*16,L\"}\n")
                .job()
                .layers_per_stage,
            (std::vector<std::int64_t>{16, 16}));
}

// PyTorch's name for ZeRO stage 3.
TEST(Scenario, FsdpIsZero3) {
  const Scenario scenario = load_text(minimal, {"training.sharding=fsdp"});
  EXPECT_EQ(scenario.training_job().training.sharding, workloads::Sharding::Zero3);
  EXPECT_THAT(resolved_yaml(scenario), testing::HasSubstr("sharding: zero-3"));
}

TEST(Scenario, InferenceHasDefaultsOfItsOwn) {
  const std::string batch = "version: 1\nplatform: {base: dgx-h100, nodes: 2}\ninference: {batch_size: 64, "
                            "prompt_length: 100, output_length: 10, precision: fp8}\n";
  const Scenario experts =
      load_text(batch + "model: deepseek-v3\nparallel: {tp: 2, pp: 2, dp: 4, layers_per_stage: [31, 30]}\n");
  const workloads::Inference& inference = experts.inference_job().inference;
  EXPECT_EQ(inference.micro_batch_size, 8); // two micro-batches for two stages
  EXPECT_EQ(inference.kv_cache_precision, Precision::Bf16);
  EXPECT_EQ(inference.kv_block_size, 16);
  EXPECT_TRUE(experts.job().sequence_parallel); // each rank routes its share of the tokens
  EXPECT_EQ(experts.job().model.mtp_layers, 0); // nothing is drafted, and that is said
  EXPECT_THAT(experts.warnings, testing::Contains(testing::HasSubstr("draft")));
  const Scenario dense = load_text(batch + "model: llama-3.1-70b\nparallel: {tp: 4, pp: 4, dp: 1}\n");
  EXPECT_FALSE(dense.job().sequence_parallel); // sums go to all
  EXPECT_EQ(dense.inference_job().inference.micro_batch_size, 16);
}

// A job may use fewer GPUs than the cluster has.
TEST(Scenario, AJobMayBeSmallerThanItsCluster) {
  EXPECT_EQ(load_text(std::string(minimal) + "parallel: {dp: 4}\n").job().sizes.world(), 4);
}

TEST(Scenario, OneMistakeOneMessage) {
  try {
    (void)load_text("version: 1\nplatform: {base: dgx-h100, nodes: 2}\nmodel: mixtral-8x7b\n"
                    "parallel: {tp: eight}\ntraining: {global_batch_size: 64, seq_length: 4096}\n");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.problems().size(), 1u) << error.what();
    EXPECT_EQ(error.problems().front().field, "parallel.tp");
  }
}

} // namespace
} // namespace moesim::scenario
