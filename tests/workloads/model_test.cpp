#include "workloads/model.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <gmock/gmock.h>

#include "simulator/config/catalogue.hpp"

namespace moesim::workloads {
namespace {

using testing::HasSubstr;

ModelSpec read(const std::string& yaml) {
  const config::Node root = config::parse_yaml("model: " + yaml, "test.yaml");
  Problems problems;
  std::vector<std::string> ignored;
  ModelSpec model = read_model(*root.find("model"), "model", problems, ignored);
  problems.throw_if_any();
  for (const std::string& line : ignored)
    EXPECT_THAT(line, HasSubstr("not simulated"));
  return model;
}

std::string error_of(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const char* const tiny = "{model_type: llama, hidden_size: 8, num_hidden_layers: 3, num_attention_heads: 2, "
                         "intermediate_size: 16, vocab_size: 100}";

TEST(Model, CountsEveryParameter) {
  const ModelSpec model = read(tiny);
  // Query, key, value and output 8 x 8 each; gate, up and down 8 x 16 each; two norms of 8.
  EXPECT_EQ(total_parameters(model), 100 * 8 + 3 * (4 * 64 + 3 * 128 + 2 * 8) + 8 + 100 * 8);
  EXPECT_EQ(active_parameters(model), total_parameters(model));
}

TEST(Model, CountsBiasesAndLearnedPositionsOfGpt) {
  const ModelSpec model = read("{model_type: gpt, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, "
                               "intermediate_size: 32, vocab_size: 100, max_position_embeddings: 50, "
                               "tie_word_embeddings: true}");
  EXPECT_EQ(total_parameters(model), (100 + 50) * 8 + (4 * 64 + 4 * 8) + (2 * 8 * 32 + 32 + 8) + 2 * 16 + 16);
}

struct Published {
  const char* name;
  double total;                 // as the source prints them, in billions
  std::optional<double> active; // absent: all of them, or not printed
  const char* source;
};

// Printed as "37B": to half of the last digit or to 1 %, whichever is more.
void expect_as_printed(double counted, double printed, const Published& row) {
  const double digit = printed == std::floor(printed) ? 1 : 0.1;
  EXPECT_NEAR(counted / 1e9, printed, std::max(digit / 2, 0.01 * printed)) << row.name << ": " << row.source;
}

TEST(Model, TheCatalogueHasItsPublishedParameters) {
  const Published published[] = {
      {"deepseek-v2", 236, 21, "arXiv 2405.04434, abstract"},
      {"deepseek-v3", 671, 37, "arXiv 2412.19437, abstract"},
      {"gpt-oss-120b", 116.8, 5.1, "arXiv 2508.10925, table 1"},
      {"gpt-oss-20b", 20.9, 3.6, "arXiv 2508.10925, table 1"},
      {"gpt3-175b", 175, {}, "arXiv 2005.14165, table 2.1"},
      {"grok-1", 314, {}, "xai-org/grok-1 on GitHub"},
      {"llama-2-7b", 6.7, {}, "arXiv 2302.13971, table 2"},
      {"llama-2-13b", 13.0, {}, "arXiv 2302.13971, table 2"},
      {"llama-2-70b", 69, {}, "Hugging Face, meta-llama/Llama-2-70b-hf"},
      {"llama-3.1-8b", 8.0, {}, "arXiv 2407.21783"},
      {"llama-3.1-70b", 70.6, {}, "Hugging Face, meta-llama/Llama-3.1-70B"},
      {"llama-3.1-405b", 405, {}, "arXiv 2407.21783"},
      {"llama-4-maverick", 400, 17, "Meta's model card"},
      {"mixtral-8x7b", 46.7, 12.9, "Mistral, Mixtral of experts"},
      {"mixtral-8x22b", 141, 39, "Mistral, Cheaper, better, faster, stronger"},
      {"nemotron-4-340b", 340, {}, "arXiv 2406.11704"},
      {"olmoe-1b-7b", 6.9, 1.3, "arXiv 2409.02060, abstract"},
      {"qwen1.5-moe-a2.7b", 14.3, 2.7, "Qwen's model card"},
      {"qwen2-57b-a14b", 57, 14, "arXiv 2407.10671, table 1"},
      {"qwen3-8b", 8.2, {}, "Qwen's model card"},
      {"qwen3-32b", 32.8, {}, "Qwen's model card"},
      {"qwen3-235b-a22b", 235, 22, "arXiv 2505.09388, table 2"},
  };
  for (const Published& row : published) {
    const ModelSpec model = read(row.name);
    expect_as_printed(total_parameters(model), row.total, row);
    if (row.active)
      expect_as_printed(active_parameters(model), *row.active, row);
  }
}

// Printed figures that the sizes of the model do not give, each within what is known of the reason.
TEST(Model, SomePublishedParametersAreRoundedInTheirOwnWay) {
  // Qwen's model card prints 3.3 B active.
  EXPECT_NEAR(active_parameters(read("qwen3-30b-a3b")) / 1e9, 3.353, 0.0005);
  EXPECT_NEAR(total_parameters(read("qwen3-30b-a3b")) / 1e9, 30.5, 0.05);
  // arXiv 2405.04434, appendix B, prints 2.4 B active.
  EXPECT_NEAR(active_parameters(read("deepseek-v2-lite")) / 1e9, 2.451, 0.0005);
  EXPECT_NEAR(total_parameters(read("deepseek-v2-lite")) / 1e9, 15.7, 0.05);
  // arXiv 2507.20534 prints 1.04 T and, in its table of the architecture, one dense layer; the sum is 1.04 T if that
  // one has experts, too.
  ModelSpec kimi = read("kimi-k2");
  EXPECT_NEAR(active_parameters(kimi) / 1e9, 32, 0.5);
  kimi.layer_kinds[0].has_experts = true;
  EXPECT_NEAR(total_parameters(kimi) / 1e12, 1.04, 0.005);
}

// DeepSeek-V3's attention by hand: 7168 to a query latent of 1536 and a key-value latent of 512 with 64 rotary
// channels, norms of both, up to 128 heads of 192 (queries) and of 128 + 128 (keys and values), and back from 128 x
// 128.
TEST(Model, CountsTheProjectionsOfLatentAttention) {
  EXPECT_EQ(attention_parameters(read("deepseek-v3")),
            7168.0 * (1536 + 512 + 64) + 1536 + 512 + 1536.0 * 128 * 192 + 512.0 * 128 * 256 + 128.0 * 128 * 7168);
}

// Megatron-LM's formula (training.py) for one token of DeepSeek-V3's layers, forward: latent attention, a dense MLP in
// three layers, eight experts and a shared one in the others. Its factor of a half on attention and its norms left out.
TEST(Model, FlopsOfDeepSeekFollowMegatron) {
  const double attention = 2 * (1536.0 * (7168 + 128 * 192) + 512.0 * (7168 + 128 * 256) + 64.0 * 7168 +
                                7168.0 * 128 * 128 + 4096.0 * 128 * (192 + 128));
  const double layers = 61 * attention + 3 * 6 * 7168.0 * 18432 + 58 * 6 * 7168.0 * 2048 * (8 + 1);
  const double head = 2 * 7168.0 * 129280;
  const double prediction = attention + 6 * 7168.0 * 2048 * (8 + 1) + 4 * 7168.0 * 7168 + head; // of one token further
  EXPECT_NEAR(model_flops(read("deepseek-v3"), 10, 4096) / (30 * (layers + head + prediction)), 1, 1e-12);
}

TEST(Model, KnowsWhichLayersHaveExperts) {
  const auto sparse_layers = [](const std::string& rule) {
    const ModelSpec model = read(std::string("{model_type: llama, hidden_size: 8, num_hidden_layers: 6, "
                                             "num_attention_heads: 2, intermediate_size: 16, vocab_size: 100, "
                                             "num_experts: 4, num_experts_per_tok: 2") +
                                 rule + "}");
    std::vector<std::int64_t> layers;
    for (std::int64_t layer = 0; layer < 6; ++layer)
      if (model.kind_of(layer).has_experts)
        layers.push_back(layer);
    return layers;
  };
  using testing::ElementsAre;
  EXPECT_THAT(sparse_layers(""), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(sparse_layers(", first_k_dense_replace: 2"), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(sparse_layers(", moe_layer_freq: 2"), ElementsAre(0, 2, 4));
  EXPECT_THAT(sparse_layers(", decoder_sparse_step: 2"), ElementsAre(1, 3, 5));
  EXPECT_THAT(sparse_layers(", interleave_moe_layer_step: 3"), ElementsAre(2, 5));
  EXPECT_THAT(sparse_layers(", mlp_only_layers: [0, 4]"), ElementsAre(1, 2, 3, 5));
}

TEST(Model, KnowsHowFarLayersReach) {
  const ModelSpec oss = read("gpt-oss-20b");
  EXPECT_EQ(oss.keys_seen(oss.kind_of(0), 4096), 128);
  EXPECT_EQ(oss.keys_seen(oss.kind_of(1), 4096), 4096);
  const ModelSpec maverick = read("llama-4-maverick");
  EXPECT_EQ(maverick.kind_of(2).reach, Reach::Chunked);
  EXPECT_EQ(maverick.kind_of(3).reach, Reach::Full);
  // Qwen's window counts only when it is asked for.
  EXPECT_EQ(read("qwen2-57b-a14b").attention_span, 0);
}

// Six FLOPs per parameter of a matrix and token, and 12 x layers x hidden x length per token for attention
// (Narayanan et al., arXiv 2104.04473, equation 3, with its factor of 96 for recomputation taken back to 72).
TEST(Model, FlopsOfGptFollowThePublishedFormula) {
  const ModelSpec model = read("{model_type: gpt, hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, "
                               "intermediate_size: 4096, vocab_size: 51200, max_position_embeddings: 2048}");
  const double layers = 24;
  const double hidden = 1024;
  const double length = 2048;
  const double batch = 7;
  const double published =
      72 * batch * length * layers * hidden * hidden * (1 + length / (6 * hidden) + 51200 / (12 * layers * hidden));
  EXPECT_NEAR(model_flops(model, batch * length, 2048) / published, 1, 1e-12);
}

TEST(Model, WritesItselfAsYamlThatReadsBack) {
  for (const std::string& name : config::catalogue_names(config::CatalogueKind::Model)) {
    const ModelSpec model = read(name);
    const ModelSpec again = read("\n" + to_yaml(model, 2));
    EXPECT_EQ(to_yaml(again, 2), to_yaml(model, 2));
    EXPECT_EQ(total_parameters(again), total_parameters(model));
  }
}

TEST(Model, RefusesAnUnknownTypeByName) {
  EXPECT_THAT(error_of("{model_type: mamba, hidden_size: 8, num_hidden_layers: 3, num_attention_heads: 2, "
                       "intermediate_size: 16, vocab_size: 100}"),
              HasSubstr("test.yaml:1:21: model.model_type: unknown model type 'mamba'; known types are gpt, "));
}

TEST(Model, RefusesWhatIsNoTransformer) {
  EXPECT_THAT(error_of("{model_type: nemotron_h}"),
              HasSubstr("test.yaml:1:21: model.model_type: models of type 'nemotron_h' are not simulated: it mixes "
                        "state-space layers with attention, and only transformers are modelled"));
  EXPECT_THAT(error_of("{model_type: qwen3_next}"), HasSubstr("three of four layers have linear attention"));
  EXPECT_THAT(error_of("{model_type: deepseek_v4}"), HasSubstr("its attention compresses and selects keys"));
}

TEST(Model, ReportsLayersThatAreNotModelled) {
  const auto with = [](const std::string& fields) { return std::string(tiny).replace(1, 0, fields); };
  EXPECT_THAT(error_of(with("layer_types: [full_attention], ")),
              HasSubstr("model.layer_types: expected a list of at least num_hidden_layers = 3 names"));
  EXPECT_THAT(error_of(with("layer_types: [full_attention, linear_attention, full_attention], ")),
              HasSubstr("model.layer_types: item 1 is the text \"linear_attention\"; expected full_attention"));
  EXPECT_THAT(error_of(with("layer_types: [full_attention, sliding_attention, full_attention], ")),
              HasSubstr("model.layer_types: some layers do not reach fully; give sliding_window"));
}

TEST(Model, ReportsWhatItAssumes) {
  const config::Node root = config::parse_yaml(
      "model: {model_type: mixtral, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: "
      "16, "
      "vocab_size: 100, num_local_experts: 4, num_experts_per_tok: null, n_group: 2, topk_group: 1}",
      "test.yaml");
  Problems problems;
  std::vector<std::string> ignored;
  const ModelSpec model = read_model(*root.find("model"), "model", problems, ignored);
  problems.throw_if_any();
  EXPECT_EQ(model.moe->experts_per_token, 2);
  EXPECT_EQ(model.moe->groups, 2);
  EXPECT_EQ(model.moe->groups_per_token, 1);
  EXPECT_THAT(ignored,
              testing::ElementsAre(HasSubstr("num_experts_per_tok: not given; 2 is used, the default of mixtral")));
}

TEST(Model, ReportsGroupsThatDoNotFit) {
  const auto error = [](const std::string& groups) {
    return error_of("{model_type: mixtral, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, "
                    "intermediate_size: 16, vocab_size: 100, num_local_experts: 8, num_experts_per_tok: 3, " +
                    groups + "}");
  };
  EXPECT_THAT(error("n_group: 3"), HasSubstr("model.n_group: 3 groups do not divide 8 experts; use a divisor"));
  EXPECT_THAT(error("n_group: 4, topk_group: 5"),
              HasSubstr("model.topk_group: 5 groups a token, but there are only 4; use at most as many"));
  EXPECT_THAT(error("n_group: 4, topk_group: 1"),
              HasSubstr("model.topk_group: 3 experts a token, but its groups have only 2; use 2 groups or more"));
}

TEST(Model, ReportsUnknownFieldsInline) {
  EXPECT_THAT(error_of(std::string(tiny).replace(1, 0, "num_layers: 3, ")), HasSubstr("model.num_layers: unknown key"));
}

TEST(Model, ReportsHeadsThatDoNotDivide) {
  EXPECT_THAT(error_of("{model_type: llama, hidden_size: 8, num_hidden_layers: 3, num_attention_heads: 3, "
                       "num_key_value_heads: 2, intermediate_size: 16, vocab_size: 100}"),
              testing::AllOf(HasSubstr("model.num_attention_heads: 3 does not divide hidden_size 8; give head_dim"),
                             HasSubstr("model.num_key_value_heads: 2 does not divide num_attention_heads 3")));
}

// A map with a base says what differs from a model of the catalogue.
TEST(Model, RefinesAnother) {
  const ModelSpec whole = read("mixtral-8x7b");
  const ModelSpec cut = read("{base: mixtral-8x7b, num_hidden_layers: 4, num_experts: 16}");
  EXPECT_EQ(cut.num_layers, 4);
  EXPECT_EQ(cut.moe->num_experts, 16); // the file calls them num_local_experts
  EXPECT_EQ(cut.hidden_size, whole.hidden_size);
  EXPECT_EQ(cut.name, whole.name);
  EXPECT_THAT(error_of("{base: mixtral-8x7b, num_hidden_lairs: 4}"),
              HasSubstr("model.num_hidden_lairs: unknown field of a model"));
  EXPECT_THAT(error_of("{base: mixtral-8x7b, num_hidden_layers: four}"), HasSubstr("model.num_hidden_layers: found"));
  EXPECT_THAT(error_of("{base: mixtral}"), HasSubstr("model.base: unknown model 'mixtral'"));
}

} // namespace
} // namespace moesim::workloads
