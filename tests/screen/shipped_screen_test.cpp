// How close the bound is to the simulated time of the scenarios that ship with moesim, links shared and kernels slowed:
// README.md of simulator/screen prints these figures.
#include <filesystem>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/screen/simulated.hpp"

namespace moesim::screen {
namespace {

const std::filesystem::path shipped = MOESIM_TEST_DIR "/../../workloads/scenarios";

struct Tightness {
  const char* name;
  double least; // share of the simulated time that the bound is
};

std::ostream& operator<<(std::ostream& out, const Tightness& scenario) {
  return out << scenario.name;
}

const std::vector<Tightness> all{
    {"deepseek-v3-h800x2048", 0.98},
    {"gpus16-ep8-tp2", 0.999},
    {"llama-3-405b-h100x16384", 0.98},
    {"marin-moe-gb200x64", 0.98},
    {"mixtral-8x7b-h100x64", 0.99},
    {"mixtral-8x7b-h100x8-inference", 0.999},
    {"moe-h100x100352", 0.99},
    {"moe10b-gpus16-pp4-ep4-dp4", 0.999},
    {"moe10b-gpus16-pp4-ep4-dp4-prefill", 0.955},
    {"moe10b-gpus64-ep8-tp4-pp2", 0.99},
    {"moe10b-gpus64-ep8-tp4-pp2-train", 0.88}, // two streams are one
    {"moe30b-gpus512-tp8-pp4-ep16", 0.999},
    {"moe8l-gpus16-tp4-ep4-pp4", 0.999},
};

class ShippedScreen : public testing::TestWithParam<Tightness> {};

TEST_P(ShippedScreen, IsCloseToTheSimulatedTime) {
  const scenario::Scenario scenario = scenario::load(shipped / (std::string(GetParam().name) + ".yaml"), {});
  const Seconds simulated = simulated_time(scenario);
  const Seconds bound = bound_of(scenario);
  EXPECT_LE(bound, simulated * (1 + 1e-9));
  EXPECT_GE(bound / simulated, GetParam().least);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ShippedScreen, testing::ValuesIn(all));

TEST(ShippedScreens, AreAllInTheTable) {
  std::set<std::string> names;
  for (const Tightness& scenario : all)
    names.insert(scenario.name);
  for (const auto& file : std::filesystem::directory_iterator(shipped))
    EXPECT_TRUE(names.contains(file.path().stem().string())) << file.path();
}

} // namespace
} // namespace moesim::screen
