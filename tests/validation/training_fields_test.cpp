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

// Of an entry of 16 GPUs, with `fields` besides its model, batch and sequence.
std::vector<std::string> fields_of(const std::string& source, const std::string& model, const Degrees& degrees,
                                   const std::string& fields = "", const std::string& system = "DGX H100") {
  const Entry entry = entry_of(system,
                               fmt::format("  config: {{model: {}, num_gpus: 16, global_batch_size: 16, "
                                           "seq_length: 1024{}}}\n  measured: {{mfu: 0.4}}\n",
                                           model, fields),
                               source);
  return assignments(training_fields(entry, Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary), degrees, vocabulary);
}

// Functional tests drop out what Megatron does by default, and are deterministic: with both Transformer Engine takes
// FlashAttention-2.
TEST(TrainingFields, MegatronsTestsDropOutAndAreDeterministic) {
  EXPECT_THAT(fields_of("Megatron-LM CI functional tests", "tiny", {2, 2, 1}),
              IsSupersetOf({"training.attention_backend=flash-2", "training.attention_dropout=0.1",
                            "training.hidden_dropout=0.1"}));
  EXPECT_THAT(fields_of("A paper on Megatron-LM", "tiny", {2, 2, 1}), Not(Contains("training.hidden_dropout=0.1")));
}

// 8 layers in 2 stages, and experts: what Megatron Core does when its command line says neither chunks nor how experts
// are cut.
TEST(TrainingFields, ARuleSaysWhatItsSourceLeavesOpen) {
  const auto of = [](const std::string& method, const std::string& given = "") {
    return fields_of("MoE Parallel Folding", "tiny mixture", {2, 2, 4}, ", extra: {method: " + method + "}" + given);
  };
  EXPECT_THAT(of("MCore"), IsSupersetOf({"parallel.vpp=4", "parallel.etp=2"}));
  EXPECT_THAT(of("MCore w/ Folding"), AllOf(Contains("parallel.vpp=4"), Not(Contains("parallel.etp=2"))));
  EXPECT_THAT(of("MCore", ", virtual_pipeline_model_parallel_size: 2, expert_tensor_parallel_size: 1"),
              IsSupersetOf({"parallel.vpp=2", "parallel.etp=1"}));
}

TEST(TrainingFields, ARouterLeftToItselfIsUneven) {
  const auto of = [](const std::string& balancing) {
    return fields_of("ModelZoo", "tiny mixture", {1, 2, 4}, ", moe_load_balancing: " + balancing);
  };
  const std::string uneven = "moe.routing={type: dirichlet, alpha: 0.5}";
  EXPECT_THAT(of("dropless (real router load)"), Contains(uneven));
  EXPECT_THAT(of("forced balance"), Not(Contains(uneven)));
}

TEST(TrainingFields, UlyssesIsContextParallelAndNoTensorParallel) {
  EXPECT_THAT(fields_of("MegaScale-MoE", "tiny mixture", {1, 2, 4},
                        ", extra: {attention_sequence_parallel_ulysses_size: 4}", "HGX H800"),
              IsSupersetOf({"parallel.cp=4", "parallel.cp_comm_type=a2a", "parallel.dp=2"}));
}

// NeMo's script for DeepSeek-V3 has one layer less on the first stage and two on the last, whatever the number of
// stages.
TEST(TrainingFields, LayersThatDoNotDivideAreFewerAtTheEnds) {
  const auto stages_of = [](int layers, std::int64_t stages) {
    return fields_of("Megatron-LM", "tiny", {1, stages, 1}, fmt::format(", num_layers: {}", layers));
  };
  EXPECT_THAT(stages_of(61, 8), Contains("parallel.layers_per_stage=[7, 8, 8, 8, 8, 8, 8, 6]"));
  EXPECT_THAT(stages_of(30, 8), Contains("parallel.layers_per_stage=[3, 4, 4, 4, 4, 4, 4, 3]"));
  EXPECT_THAT(stages_of(13, 8), Contains("parallel.layers_per_stage=[1, 2, 2, 2, 2, 2, 1, 1]")); // no stage is empty
}

// 60 layers of 33 experts with 3 x 4,096 x 14,336 parameters are 349 of the 352 billion.
TEST(TrainingFields, ARuleAddsToTheFileOfAModel) {
  EXPECT_THAT(fields_of("MegaScale-MoE", "'Internal-352B MoE'", {1, 2, 4}, "", "HGX H800"),
              Contains("model.n_shared_experts=1"));
}

TEST(TrainingFields, NeMosDeepSeekHasARecipe) {
  EXPECT_THAT(fields_of("dgxc-benchmarking v25.08.02", "'DeepSeek tiny'", {2, 2, 4}),
              IsSupersetOf({"moe.dispatcher=deepep", "training.overlap.tp=false"}));
}

// torchtitan's recipe of that name, with tensor parallelism overlapped or not.
TEST(TrainingFields, RowwiseIsAScalingOfFp8) {
  const auto of = [](const std::string& technique) {
    return fields_of("torchtitan", "tiny", {8, 1, 1},
                     ", precision: FP8 rowwise, extra: {techniques: " + technique + "}");
  };
  EXPECT_THAT(of("vanilla-tp"), AllOf(Contains("training.fp8_scaling=row"), Not(Contains("training.overlap.tp=true"))));
  EXPECT_THAT(of("async-tp"), IsSupersetOf({"training.fp8_scaling=row", "training.overlap.tp=true"}));
}

TEST(TrainingFields, KernelsOfASourceAreWordsOfIt) {
  const auto of = [](const std::string& kernels) {
    return fields_of("NeMo AutoModel Performance Summary", "tiny", {1, 1, 1}, ", extra: {kernels: " + kernels + "}");
  };
  EXPECT_THAT(of("TE + FlexAttn"), Contains("training.attention_backend=flash-2"));
  EXPECT_THAT(of("TE"), Not(Contains("training.attention_backend=flash-2")));
}

} // namespace
} // namespace moesim::validation
