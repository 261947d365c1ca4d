// What the names in sums are worth, against the dimensions of a model and a cluster written down here.
#include "simulator/audit/field_values.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace moesim::audit {
namespace {

const std::filesystem::path folder = MOESIM_TEST_DIR "/../../workloads/scenarios";

double value(std::string_view name, const scenario::Scenario& scenario) {
  return value_of(std::ranges::find(claims::fields(), name, &claims::FieldWords::name)->field, scenario);
}

TEST(FieldValues, AreTheScenarios) {
  const scenario::Scenario scenario = scenario::load(folder / "moe30b-gpus512-tp8-pp4-ep16.yaml", {});
  const auto of = [&](std::string_view name) { return value(name, scenario); };
  EXPECT_EQ(of("gpus"), 512);
  EXPECT_EQ(of("tp") * of("pp") * of("dp") * of("cp"), 8 * 4 * 16);
  EXPECT_EQ(of("ep") * of("etp") * of("edp") * of("pp"), 512);
  EXPECT_EQ(of("ep"), 16);
  EXPECT_EQ(of("layers"), 16);
  EXPECT_EQ(of("heads"), 16);
  EXPECT_EQ(of("head_dim"), 64);
  EXPECT_EQ(of("hidden_size"), 1024);
  EXPECT_EQ(of("expert_size"), 2048);
  EXPECT_EQ(of("experts"), 64);
  EXPECT_EQ(of("experts_per_token"), 2);
  EXPECT_EQ(of("vocab_size"), 32000);
  EXPECT_EQ(of("batch_size"), 128);
  EXPECT_EQ(of("micro_batch_size"), 2);
  EXPECT_EQ(of("micro_batches"), 4);
  EXPECT_EQ(of("seq_length"), 1024);
  EXPECT_EQ(of("element_size"), 2);
  EXPECT_EQ(of("gpu_flops"), 400e12);
  EXPECT_EQ(of("gpu_bandwidth"), 1.8e12);
  EXPECT_EQ(of("gpu_memory"), 64e9);
  EXPECT_EQ(of("nvlink_bandwidth"), 450e9);
  EXPECT_EQ(of("nic_bandwidth"), 50e9);
  // Matrices of the layers, then routers, norms (weight and bias), embedding and head.
  const double experts = 16.0 * 64 * 2 * 1024 * 2048;
  const double attention = 16.0 * 4 * 1024 * 1024;
  const double rest = 16.0 * (64 * 1024 + 2 * 2 * 1024) + 2 * 1024 + 2.0 * 32000 * 1024;
  EXPECT_DOUBLE_EQ(of("parameters"), experts + attention + rest);
  EXPECT_DOUBLE_EQ(of("active_parameters"), experts * 2 / 64 + attention + rest);
  // Forward and backward are 3 x 2 FLOPs a parameter that a token meets in a product, and attention's scores and sums.
  const double products = experts * 2 / 64 + attention + 32000.0 * 1024;
  const double scores = 16.0 * 2 * 1024 * 1024;
  EXPECT_DOUBLE_EQ(of("flops_per_token"), 6 * (products + scores));
}

TEST(FieldValues, OfInferenceAreItsPrompts) {
  const scenario::Scenario scenario = scenario::load(folder / "moe10b-gpus64-ep8-tp4-pp2.yaml", {});
  EXPECT_EQ(value("seq_length", scenario), 10240);
  EXPECT_EQ(value("batch_size", scenario), 128);
  EXPECT_EQ(value("micro_batches", scenario), 16);
  EXPECT_EQ(value("etp", scenario), 4);
}

TEST(FieldValues, AreNamedInTheirOrder) {
  for (std::size_t at = 0; at < claims::fields().size(); ++at)
    EXPECT_EQ(static_cast<std::size_t>(claims::fields()[at].field), at) << claims::fields()[at].name;
}

} // namespace
} // namespace moesim::audit
