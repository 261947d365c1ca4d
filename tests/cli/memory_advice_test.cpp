// What `run` and `check` propose when a model does not fit.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using Json = nlohmann::json;

const std::string tight = "platform.gpu.memory={capacity: 14MB, reserved: 0.5MB}"; // the scenario needs 14.5 MB

Json run(const Workplace& place, std::vector<std::string> assignments) {
  Workplace::Arguments arguments{"run", "--json", "small.yaml"};
  for (const std::string& assignment : assignments)
    arguments.insert(arguments.end(), {"--set", assignment});
  return Json::parse(place.run(arguments).out);
}

// Each proposal does what it says when it is followed.
TEST(MemoryAdvice, KeepsItsPromises) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Json before = run(place, {tight});
  EXPECT_EQ(before["fits"], false);
  ASSERT_GE(before["memory_advice"].size(), 4u);
  bool one_fits = false;
  for (const Json& advice : before["memory_advice"]) {
    std::vector<std::string> assignments{tight};
    for (const Json& assignment : advice["set"])
      assignments.push_back(assignment.get<std::string>());
    const Json after = run(place, assignments);
    EXPECT_LT(after["peak_memory_bytes"], before["peak_memory_bytes"]) << advice;
    EXPECT_NEAR(after["peak_memory_bytes"].get<double>() / advice["peak_memory_bytes"].get<double>(), 1, 1e-9)
        << advice;
    EXPECT_EQ(after["fits"], advice["fits"]) << advice;
    one_fits = one_fits || advice["fits"];
  }
  EXPECT_TRUE(one_fits);
}

TEST(MemoryAdvice, IsNotGivenUnasked) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  EXPECT_FALSE(run(place, {}).contains("memory_advice"));
}

TEST(MemoryAdvice, IsPrintedMostEffectiveFirst) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const std::string text = place.run({"run", "small.yaml", "--set", tight}).out;
  const std::size_t first = text.find(" MiB less, fits: --set parallel.ep=4\n");
  const std::size_t second = text.find("--set parallel.tp=4 --set parallel.dp=1\n");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_LT(first, second) << text;
  EXPECT_THAT(place.run({"check", "small.yaml", "--set", tight}).out,
              ::testing::ContainsRegex("does not fit, by [0-9]+ KiB\n#   [0-9.]+ MiB with parallel.ep=4\n"));
}

// A scenario with Megatron's names can follow advice, and any --set, under the short ones; and the other way round.
TEST(MemoryAdvice, FindsFieldsUnderTheirOtherName) {
  const Workplace place;
  place.write("small.yaml", small_scenario({{"tp: 2", "tensor_model_parallel_size: 2"}}));
  EXPECT_EQ(run(place, {"parallel.tp=1", "parallel.dp=4"})["world_size"], 8);
  place.write("small.yaml", small_scenario());
  EXPECT_EQ(run(place, {"parallel.tensor_model_parallel_size=1", "parallel.dp=4"})["world_size"], 8);
}

} // namespace
} // namespace moesim::testing
