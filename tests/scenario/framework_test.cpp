#include "simulator/scenario/framework.hpp"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "simulator/config/catalogue.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {
namespace {

using ::testing::HasSubstr;

Scenario with(const std::string& framework, const std::string& parallel = "", const std::string& training = "",
              const std::string& model = "llama-3.1-8b") {
  return parse(fmt::format("version: 1\nframework: {}\nplatform: {{base: dgx-h100, nodes: 2}}\nmodel: {}\n"
                           "parallel: {{{}}}\ntraining: {{global_batch_size: 64, seq_length: 2048{}}}\n",
                           framework, model, parallel, training),
               "scenario.yaml", {});
}

std::string error_of(const std::string& framework, const std::string& training = "") {
  try {
    static_cast<void>(with(framework, "", training));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Of `folder`, in which it is all there is.
std::string framework_file(const std::string& text) {
  const std::string path = testing::TempDir() + "/moesim_framework.yaml";
  std::ofstream(path) << text;
  return path;
}

TEST(Framework, SetsWhatTheScenarioLeavesOpen) {
  const workloads::Training training = with("torchtitan").training_job().training;
  EXPECT_EQ(training.sharding, workloads::Sharding::Zero3);
  EXPECT_TRUE(training.overlap.grad_reduce);
  EXPECT_EQ(training.attention_backend, workloads::AttentionBackend::Flash2);
  EXPECT_EQ(with("megatron-lm-2021").precision(), Precision::Fp16);
}

TEST(Framework, TheScenarioHasTheLastWord) {
  const workloads::Training training =
      with("torchtitan", "", ", sharding: zero-2, overlap: {grad_reduce: false}").training_job().training;
  EXPECT_EQ(training.sharding, workloads::Sharding::Zero2);
  EXPECT_FALSE(training.overlap.grad_reduce);
  EXPECT_TRUE(training.overlap.param_gather); // of the same map
}

// What a map of the scenario leaves out has its own default, not what the framework's map has.
TEST(Framework, RecomputationIsReplacedAsAWhole) {
  const auto recompute = [](const std::string& given) {
    return with("torchtitan", "", ", recompute: " + given).training_job().training.recompute;
  };
  EXPECT_TRUE(recompute("{granularity: full, method: block, num_layers: 4}").is_full());
  const workloads::Recompute selective = recompute("{granularity: selective}");
  EXPECT_TRUE(selective.modules.contains(workloads::RecomputeModule::CoreAttn));
  EXPECT_FALSE(selective.modules.contains(workloads::RecomputeModule::Op));
}

TEST(Framework, APipelineMayChangeWhatItDoes) {
  const auto sharding = [](const std::string& parallel) {
    return with("torchtitan", parallel).training_job().training.sharding;
  };
  EXPECT_EQ(sharding("pp: 1"), workloads::Sharding::Zero3);
  EXPECT_EQ(sharding("pp: 2"), workloads::Sharding::Zero1);
  EXPECT_EQ(sharding("pipeline_model_parallel_size: 2"), workloads::Sharding::Zero1);
}

TEST(Framework, OneFieldUnderTwoNamesIsOne) {
  const std::string file = framework_file("version: 1\nparallel: {tp: 4}\n");
  EXPECT_EQ(with(file, "tensor_model_parallel_size: 2").job().sizes.tp, 2);
  EXPECT_EQ(with(file).job().sizes.tp, 4);
}

TEST(Framework, AllOfTheCatalogueDescribeThemselvesAndLoad) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Framework);
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const config::Node file =
        config::load(config::resolve(config::CatalogueKind::Framework, name, "", {}, "framework"));
    EXPECT_NE(file.find("description"), nullptr) << name;
    EXPECT_EQ(error_of(name, name == "hai-llm" || name == "megascale-moe" ? ", overlap: {expert: false}, schedule: 1f1b"
                                                                          : ""),
              "")
        << name;
  }
}

TEST(Framework, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("tochtitan"),
              HasSubstr("scenario.yaml:2:12: framework: unknown framework 'tochtitan'; did you mean 'torchtitan'?"));
  EXPECT_THAT(error_of("[a]"), HasSubstr("scenario.yaml:2:12: framework: "));
  EXPECT_THAT(error_of(framework_file("version: 1\ntrainin: {}\n")),
              HasSubstr("moesim_framework.yaml:2:1: trainin: unknown key 'trainin'; did you mean 'training'?"));
  EXPECT_THAT(error_of(framework_file("version: 1\ntraining: {sharding: zero-9}\n")),
              HasSubstr("moesim_framework.yaml:2:22: training.sharding"));
  try {
    static_cast<void>(parse("version: 1\nframework: fsdp\nplatform: {base: dgx-h100, nodes: 1}\nmodel: llama-3.1-8b\n"
                            "inference: {batch_size: 8, prompt_length: 16, output_length: 1}\n",
                            "scenario.yaml", {}));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("scenario.yaml:2:12: framework: is about training, and this is inference"));
  }
}

} // namespace
} // namespace moesim::scenario
