// What fields of training entries and their frameworks become, as fields of a scenario.
#include "simulator/validation/training_fields.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

const Vocabulary vocabulary = read_vocabulary();

Aliases aliases() {
  return Aliases(MOESIM_TEST_DIR "/aliases.yaml");
}

// Functional tests are deterministic, which FlashAttention-2 is, and drop out what Megatron does by default.
TEST(TrainingFields, MegatronsTestsDropOutAndAreDeterministic) {
  const auto fields_of = [](const std::string& source) {
    const Entry entry = entry_of("DGX H100",
                                 "  config: {model: tiny, num_gpus: 4, global_batch_size: 16, seq_length: 1024}\n  "
                                 "measured: {step_time_s: 2.0}\n",
                                 source);
    return assignments(training_fields(entry, aliases(), vocabulary), {2, 2, 1}, vocabulary);
  };
  EXPECT_THAT(fields_of("Megatron-LM CI functional tests"),
              IsSupersetOf({"training.attention_backend=flash-2", "training.attention_dropout=0.1",
                            "training.hidden_dropout=0.1"}));
  EXPECT_THAT(fields_of("A paper on Megatron-LM"), Not(Contains("training.hidden_dropout=0.1")));
}

// 8 layers in 2 stages, and experts: what Megatron Core does when its command line says neither chunks nor how experts
// are cut.
TEST(TrainingFields, ARuleSaysWhatItsSourceLeavesOpen) {
  const auto fields_of = [](const std::string& method, const std::string& given = "") {
    const Entry entry =
        entry_of("DGX H100",
                 "  config: {model: tiny mixture, num_gpus: 16, global_batch_size: 16, seq_length: 1024, "
                 "extra: {method: " +
                     method + "}" + given + "}\n  measured: {mfu: 0.4}\n",
                 "MoE Parallel Folding");
    return assignments(training_fields(entry, aliases(), vocabulary), {2, 2, 4}, vocabulary);
  };
  EXPECT_THAT(fields_of("MCore"), IsSupersetOf({"parallel.vpp=4", "parallel.etp=2"}));
  EXPECT_THAT(fields_of("MCore w/ Folding"), AllOf(Contains("parallel.vpp=4"), Not(Contains("parallel.etp=2"))));
  EXPECT_THAT(fields_of("MCore", ", virtual_pipeline_model_parallel_size: 2, expert_tensor_parallel_size: 1"),
              IsSupersetOf({"parallel.vpp=2", "parallel.etp=1"}));
}

TEST(TrainingFields, ARouterLeftToItselfIsUneven) {
  const auto fields_of = [](const std::string& balancing) {
    const Entry entry =
        entry_of("DGX H100",
                 "  config: {model: tiny mixture, num_gpus: 16, global_batch_size: 16, seq_length: 1024, "
                 "moe_load_balancing: " +
                     balancing + "}\n  measured: {mfu: 0.4}\n",
                 "ModelZoo");
    return assignments(training_fields(entry, aliases(), vocabulary), {1, 2, 4}, vocabulary);
  };
  const std::string uneven = "moe.routing={type: dirichlet, alpha: 0.5}";
  EXPECT_THAT(fields_of("dropless (real router load)"), Contains(uneven));
  EXPECT_THAT(fields_of("forced balance"), Not(Contains(uneven)));
}

TEST(TrainingFields, UlyssesIsContextParallelAndNoTensorParallel) {
  const Entry entry = entry_of("HGX H800",
                               "  config: {model: tiny mixture, num_gpus: 16, global_batch_size: 16, seq_length: 1024, "
                               "extra: {attention_sequence_parallel_ulysses_size: 4}}\n  measured: {mfu: 0.4}\n",
                               "MegaScale-MoE");
  EXPECT_THAT(assignments(training_fields(entry, aliases(), vocabulary), {1, 2, 4}, vocabulary),
              IsSupersetOf({"parallel.cp=4", "parallel.cp_comm_type=a2a", "parallel.dp=2"}));
}

// NeMo's script for DeepSeek-V3 has one layer less on the first stage and two on the last, whatever the number of
// stages.
TEST(TrainingFields, LayersThatDoNotDivideAreFewerAtTheEnds) {
  const auto stages_of = [](int layers, std::int64_t stages) {
    const Entry entry = entry_of("DGX H100",
                                 fmt::format("  config: {{model: tiny, num_layers: {}, num_gpus: 16, "
                                             "global_batch_size: 16, seq_length: 1024}}\n"
                                             "  measured: {{mfu: 0.4}}\n",
                                             layers),
                                 "Megatron-LM");
    return assignments(training_fields(entry, aliases(), vocabulary), {1, stages, 1}, vocabulary);
  };
  EXPECT_THAT(stages_of(61, 8), Contains("parallel.layers_per_stage=[7, 8, 8, 8, 8, 8, 8, 6]"));
  EXPECT_THAT(stages_of(30, 8), Contains("parallel.layers_per_stage=[3, 4, 4, 4, 4, 4, 4, 3]"));
  EXPECT_THAT(stages_of(13, 8), Contains("parallel.layers_per_stage=[1, 2, 2, 2, 2, 2, 1, 1]")); // no stage is empty
}

// 60 layers of 33 experts with 3 x 4,096 x 14,336 parameters are 349 of the 352 billion.
TEST(TrainingFields, ARuleAddsToTheFileOfAModel) {
  const Entry entry = entry_of("HGX H800",
                               "  config: {model: 'Internal-352B MoE', num_gpus: 16, global_batch_size: 16, "
                               "seq_length: 1024}\n  measured: {mfu: 0.4}\n",
                               "MegaScale-MoE");
  EXPECT_THAT(assignments(training_fields(entry, aliases(), vocabulary), {1, 2, 4}, vocabulary),
              Contains("model.n_shared_experts=1"));
}

TEST(TrainingFields, NeMosDeepSeekHasARecipe) {
  const Entry deepseek = entry_of("DGX H100",
                                  "  config: {model: 'DeepSeek tiny', num_gpus: 16, global_batch_size: 16, "
                                  "seq_length: 1024}\n  measured: {mfu: 0.4}\n",
                                  "dgxc-benchmarking v25.08.02");
  EXPECT_THAT(assignments(training_fields(deepseek, aliases(), vocabulary), {2, 2, 4}, vocabulary),
              IsSupersetOf({"moe.dispatcher=deepep", "training.overlap.tp=false"}));
}

// torchtitan's recipe of that name, with tensor parallelism overlapped or not.
TEST(TrainingFields, RowwiseIsAScalingOfFp8) {
  const auto of = [](const std::string& technique) {
    const Entry entry = entry_of("DGX H100",
                                 "  config: {model: tiny, num_gpus: 16, global_batch_size: 16, seq_length: "
                                 "1024, precision: FP8 rowwise, extra: {techniques: " +
                                     technique + "}}\n  measured: {mfu: 0.4}\n",
                                 "torchtitan");
    return assignments(training_fields(entry, aliases(), vocabulary), {8, 1, 1}, vocabulary);
  };
  EXPECT_THAT(of("vanilla-tp"), AllOf(Contains("training.fp8_scaling=row"), Not(Contains("training.overlap.tp=true"))));
  EXPECT_THAT(of("async-tp"), IsSupersetOf({"training.fp8_scaling=row", "training.overlap.tp=true"}));
}

TEST(TrainingFields, KernelsOfASourceAreWordsOfIt) {
  const auto of = [](const std::string& kernels) {
    const Entry entry = entry_of("DGX H100",
                                 "  config: {model: tiny, num_gpus: 16, global_batch_size: 16, seq_length: 1024, "
                                 "extra: {kernels: " +
                                     kernels + "}}\n  measured: {mfu: 0.4}\n",
                                 "NeMo AutoModel Performance Summary");
    return assignments(training_fields(entry, aliases(), vocabulary), {1, 1, 1}, vocabulary);
  };
  EXPECT_THAT(of("TE + FlexAttn"), Contains("training.attention_backend=flash-2"));
  EXPECT_THAT(of("TE"), Not(Contains("training.attention_backend=flash-2")));
}

} // namespace
} // namespace moesim::validation
