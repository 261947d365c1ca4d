// Files that are no scenarios or no models.
#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

TEST(BadFile, Missing) {
  const Outcome outcome = Workplace().run({"run", "scenario.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "scenario.yaml:1:1: cannot be opened (No such file or directory); expected a YAML or JSON file\n");
}

TEST(BadFile, Folder) {
  const Outcome outcome = Workplace().run({"check", "."});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, ".:1:1: this is a folder; expected a YAML or JSON file\n");
}

TEST(BadFile, NotAMap) {
  EXPECT_EQ(problems(""), "scenario.yaml:1:1: the document is empty; expected a map of fields, such as 'version: 1'\n");
  EXPECT_EQ(problems("# only a comment\n"),
            "scenario.yaml:1:1: the document is empty; expected a map of fields, such as 'version: 1'\n");
  EXPECT_EQ(problems("- 1\n"),
            "scenario.yaml:1:1: the document is a list; expected a map of fields, such as 'version: 1'\n");
  EXPECT_EQ(problems("moesim\n"), "scenario.yaml:1:1: the document is the text \"moesim\"; expected a map of fields, "
                                  "such as 'version: 1'\n");
}

TEST(BadFile, NotYaml) {
  EXPECT_EQ(problems(small_scenario({{"tp: 2", "tp: [2"}})),
            "scenario.yaml:14:32: not valid YAML (illegal flow end); check indentation, quotes and brackets here and "
            "just above\n");
  EXPECT_EQ(problems(small_scenario({{"  seq_length", "\tseq_length"}})),
            "scenario.yaml:17:1: not valid YAML (illegal tab when looking for indentation); check indentation, quotes "
            "and brackets here and just above\n");
  EXPECT_EQ(problems(small_scenario({{"training:", "---\ntraining:"}})),
            "scenario.yaml:15:1: a second document starts here; expected one document per file\n");
}

TEST(BadFile, NotText) {
  EXPECT_EQ(problems(small_scenario({{"small\n", std::string_view("sm\0all\n", 7)}})),
            "scenario.yaml:3:9: the control character 0x00 is not text; expected a text file in UTF-8\n");
  EXPECT_EQ(problems(small_scenario({{"small\n", "sm\xFF"
                                                 "all\n"}})),
            "scenario.yaml:3:9: the byte 0xff is not UTF-8; expected a text file in UTF-8\n");
}

TEST(BadFile, KeyGivenTwice) {
  EXPECT_EQ(problems(small_scenario({{"ep: 2}", "ep: 2, pp: 2}"}})),
            "scenario.yaml:14:33: the key 'pp' is already given at line 14, column 19; keep one of the two\n");
}

// What moesim says about a scenario whose model is the file model.json.
std::string problems_of_model(std::string_view json) {
  const Workplace place;
  place.write("model.json", json);
  const Outcome outcome = place.check(small_scenario({{small_model(), "model: model.json\n"}}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

TEST(BadFile, ModelIsNotJson) {
  EXPECT_EQ(problems_of_model(R"({"model_type": "mixtral",})"),
            "model.json:1:26: not valid JSON: unexpected '}'; expected string literal\n");
  EXPECT_EQ(problems_of_model(""), "model.json:1:1: the document is empty; expected a map of fields in JSON\n");
  EXPECT_EQ(problems_of_model("[]"),
            "model.json:1:1: the document is a list; expected a map of fields, such as 'version: 1'\n");
}

TEST(BadFile, ModelLacksFields) {
  EXPECT_EQ(problems_of_model(R"({"model_type": "mixtral"})"),
            lines({"model.json:1:1: hidden_size: missing; expected a whole number from 1 to 10000000",
                   "model.json:1:1: num_hidden_layers: missing; expected a whole number from 1 to 10000",
                   "model.json:1:1: num_attention_heads: missing; expected a whole number from 1 to 100000",
                   "model.json:1:1: intermediate_size: missing; expected a whole number from 1 to 10000000",
                   "model.json:1:1: vocab_size: missing; expected a whole number from 1 to 100000000"}));
}

constexpr std::string_view model_json = R"({
  "model_type": "llama",
  "hidden_size": 256,
  "num_hidden_layers": 2,
  "num_attention_heads": 4,
  "intermediate_size": 512,
  "vocab_size": 1000
}
)";

std::string edited(std::string_view from, std::string_view to) {
  std::string text(model_json);
  return text.replace(text.find(from), from.size(), to);
}

TEST(BadFile, ModelOfUnknownType) {
  EXPECT_EQ(
      problems_of_model(edited("llama", "bert")),
      "model.json:2:17: model_type: unknown model type 'bert'; known types are gpt, gpt3, mpt, llama, "
      "llama4_text, mistral, mixtral, moe, nemotron, grok-1, deepseek_v2, deepseek_v3, kimi_k2, qwen2, qwen2_moe, "
      "qwen3, qwen3_moe, olmoe, gpt_oss\n");
  EXPECT_EQ(
      problems_of_model(edited("llama", "qwen3_next")),
      "model.json:2:17: model_type: models of type 'qwen3_next' are not simulated: three of four layers have linear "
      "attention, and only transformers are modelled\n");
}

TEST(BadFile, ModelWhoseSizesDoNotFit) {
  EXPECT_EQ(problems_of_model(edited("\"num_attention_heads\": 4", "\"num_attention_heads\": 5")),
            "model.json:5:26: num_attention_heads: 5 does not divide hidden_size 256; give head_dim\n");
  EXPECT_EQ(problems_of_model(edited("\"vocab_size\"", "\"num_key_value_heads\": 3, \"vocab_size\"")),
            "model.json:7:26: num_key_value_heads: 3 does not divide num_attention_heads 4; each key-value head serves "
            "equally many query heads\n");
  EXPECT_EQ(problems_of_model(
                edited("\"vocab_size\"", "\"num_local_experts\": 4, \"num_experts_per_tok\": 5, \"vocab_size\"")),
            "model.json:7:50: num_experts_per_tok: 5 experts per token, but there are only 4; use at most as many\n");
}

// A size that is wrong by itself is not compared with others.
TEST(BadFile, ModelWithOneMistakeGivesOneMessage) {
  EXPECT_EQ(problems_of_model(edited("256", "1e300")), "model.json:3:18: hidden_size: found the number 1e300; expected "
                                                       "a whole number from 1 to 10000000\n");
}

TEST(BadFile, ModelFieldsWithoutMeaningAreWarnings) {
  const Workplace place;
  place.write("model.json", edited("\"vocab_size\"", "\"sparsity\": 3, \"quantization\": null, \"vocab_size\""));
  const Outcome outcome =
      place.check(small_scenario({{small_model(), "model: model.json\n"}, {"tp: 2, pp: 2, ep: 2", "tp: 2"}}));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "warning: model.json:7:15: sparsity: unknown field of a model, ignored\n");
}

TEST(BadFile, ModelElsewhere) {
  EXPECT_EQ(problems(small_scenario({{small_model(), "model: model.json\n"}})),
            "scenario.yaml:5:8: model: there is no file model.json; expected a path relative to the folder of "
            "scenario.yaml\n");
  EXPECT_EQ(problems(small_scenario({{small_model(), "model: ./\n"}})),
            ".:1:1: this is a folder; expected a YAML or JSON file\n");
}

TEST(BadFile, NamesThatNoCatalogueHas) {
  EXPECT_EQ(problems(small_scenario({{"dgx-h100", "dgx-h10"}})),
            "scenario.yaml:4:18: platform.base: unknown cluster 'dgx-h10'; did you mean 'dgx-h100'?\n");
  EXPECT_EQ(problems(small_scenario({{"nodes: 2,", "nodes: 2, gpu: h100-sxm-80g,"}})),
            "scenario.yaml:4:43: platform.gpu: unknown GPU 'h100-sxm-80g'; did you mean 'h100-sxm-80gb'?\n");
  EXPECT_EQ(problems(small_scenario({{small_model(), "model: mixtral-8x7\n"}})),
            "scenario.yaml:5:8: model: unknown model 'mixtral-8x7'; did you mean 'mixtral-8x7b'?\n");
}

TEST(BadFile, SectionsThatAreNoSections) {
  EXPECT_EQ(
      problems(small_scenario({{small_model(), "model: [1]\n"}})),
      "scenario.yaml:5:8: model: found a list; expected a catalogue name, a path to a config.json or its fields\n");
  EXPECT_EQ(problems(small_scenario({{small_model(), ""}})),
            "scenario.yaml:2:1: model: missing; expected a model of the catalogue, such as mixtral-8x7b, a config.json "
            "or its fields\n");
  EXPECT_EQ(problems("version: 1\nplatform:\nmodel: mixtral-8x7b\ntraining: {global_batch_size: 1, seq_length: 1}\n"),
            "scenario.yaml:2:1: platform: no value given; expected a catalogue name, a path or a map with the "
            "figures\n");
}

} // namespace
} // namespace moesim::testing
