#include "workloads/model.hpp"

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
  EXPECT_TRUE(ignored.empty()) << ignored.front();
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

// Jiang et al., arXiv 2401.04088: 47B parameters in all, 13B active.
TEST(Model, MixtralHasItsPublishedParameters) {
  const ModelSpec model = read("mixtral-8x7b");
  EXPECT_NEAR(total_parameters(model) / 1e9, 46.7, 0.05);
  EXPECT_NEAR(active_parameters(model) / 1e9, 12.9, 0.05);
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

TEST(Model, ReportsUnknownFieldsInline) {
  EXPECT_THAT(error_of(std::string(tiny).replace(1, 0, "num_layers: 3, ")), HasSubstr("model.num_layers: unknown key"));
}

TEST(Model, ReportsHeadsThatDoNotDivide) {
  EXPECT_THAT(error_of("{model_type: llama, hidden_size: 8, num_hidden_layers: 3, num_attention_heads: 3, "
                       "num_key_value_heads: 2, intermediate_size: 16, vocab_size: 100}"),
              testing::AllOf(HasSubstr("model.num_attention_heads: 3 does not divide hidden_size 8; give head_dim"),
                             HasSubstr("model.num_key_value_heads: 2 does not divide num_attention_heads 3")));
}

} // namespace
} // namespace moesim::workloads
