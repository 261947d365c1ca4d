// `moesim collective`: its table, its JSON, and what it refuses.
#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Outcome collective(const std::string& kind, std::initializer_list<std::string> options) {
  Workplace::Arguments words{"collective", kind};
  words.insert(words.end(), options);
  return Workplace().run(words);
}

json rows(const std::string& kind, std::initializer_list<std::string> options) {
  Workplace::Arguments words{"collective", kind, "--platform", "dgx-h100", "--json"};
  words.insert(words.end(), options);
  const Outcome outcome = Workplace().run(words);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return json::parse(outcome.out).at("rows");
}

// algbw = size / time, busbw = algbw x 2(n-1)/n: NVIDIA/nccl-tests, doc/PERFORMANCE.md.
TEST(Collective, RowsCountAsNcclTests) {
  const json all_reduce = rows("all-reduce", {"--nodes", "2", "--group", "16", "--sizes", "1MiB:8MiB"});
  ASSERT_EQ(all_reduce.size(), 4U);
  double size = 1 << 20;
  for (const json& row : all_reduce) {
    EXPECT_EQ(row.size(), 5U);
    EXPECT_EQ(row.at("size_bytes"), size);
    EXPECT_DOUBLE_EQ(row.at("algbw"), size / row.at("time_s").get<double>());
    EXPECT_DOUBLE_EQ(row.at("busbw"), row.at("algbw").get<double>() * 30 / 16);
    EXPECT_NE(row.at("algorithm"), "");
    size *= 2;
  }
}

TEST(Collective, PrintsTheTableOfNcclTests) {
  const Outcome outcome =
      collective("all-to-all", {"--platform", "dgx-h100", "--group", "8", "--sizes", "1GiB", "--algorithm", "direct"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("all-to-all, 8 of the 8 GPUs of dgx-h100 (8 a node), fluid\n"
                                     "          size          time      algbw      busbw  algorithm\n"
                                     "           (B)          (us)     (GB/s)     (GB/s)\n"
                                     "    1073741824"));
  EXPECT_THAT(outcome.out, HasSubstr("  direct\n"));
}

// A lone collective meets nobody, so that the fidelities agree.
TEST(Collective, FidelitiesAgree) {
  const json analytic = rows("all-gather", {"--group", "8", "--sizes", "1KiB:1GiB", "--fidelity", "analytic"});
  for (const char* fidelity : {"fluid", "flow"}) {
    const json other = rows("all-gather", {"--group", "8", "--sizes", "1KiB:1GiB", "--fidelity", fidelity});
    ASSERT_EQ(other.size(), 21U);
    for (std::size_t at = 0; at < other.size(); ++at)
      EXPECT_NEAR(other[at].at("time_s").get<double>() / analytic[at].at("time_s").get<double>(), 1, 0.01);
  }
}

// A NIC of half the bandwidth moves a large message in twice the time.
TEST(Collective, TakesFieldsOfThePlatform) {
  const auto time = [](const std::string& bandwidth) {
    return rows("send-recv", {"--nodes", "2", "--group", "16", "--sizes", "16GiB", "--set",
                              "platform.node.nic.bandwidth=" + bandwidth})
        .at(0)
        .at("time_s")
        .get<double>();
  };
  EXPECT_NEAR(time("200Gbps") / time("400Gbps"), 2, 0.001);
}

TEST(Collective, SaysAllThatIsWrong) {
  const Outcome outcome = collective("al-reduce", {"--platform", "dgx-h10", "--group", "1", "--sizes", "1:3Gi",
                                                   "--fidelity", "exact", "--set", "modl.x=2"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, lines({"--fidelity:1:1: unknown fidelity 'exact'; expected one of analytic, fluid, flow",
                                "--platform:1:1: platform.base: unknown cluster 'dgx-h10'; did you mean 'dgx-h100'?",
                                "--set:1:1: modl: unknown key 'modl'; known keys are platform",
                                "--sizes:1:1: 1 has no unit; write for example 1GB",
                                "--sizes:1:3: unknown unit 'Gi'; expected a size such as 80GB or 64GiB",
                                "KIND:1:1: unknown collective 'al-reduce'; did you mean 'all-reduce'?"}));
}

void expect_refusal(std::initializer_list<std::string> options, const std::string& message) {
  const Outcome outcome = collective("all-reduce", options);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, message + "\n");
}

TEST(Collective, RefusesWhatDoesNotFit) {
  expect_refusal({"--platform", "dgx-h100", "--group", "1"},
                 "--group:1:1: 1 ranks have nobody to talk to; use 2 or more");
  expect_refusal({"--platform", "dgx-h100", "--group", "17"},
                 "--group:1:1: 17 ranks do not fit the 8 GPUs of dgx-h100; use --nodes 3");
  expect_refusal({"--platform", "dgx-h100", "--group", "8", "--sizes", "2MiB:1MiB"},
                 "--sizes:1:1: 2MiB:1MiB ends before it starts; write the smaller one first");
  expect_refusal({"--platform", "dgx-h100", "--group", "8", "--sizes", "100TB"},
                 "--sizes:1:1: 100TB is too large; use 4e+13 bytes at most");
  EXPECT_THAT(collective("all-reduce", {"--platform", "dgx-h100", "--group", "8", "--algorithm", "pairwise"}).err,
              HasSubstr("--algorithm:1:1: unknown algorithm of all-reduce 'pairwise'; expected one of auto, ring"));
}

} // namespace
} // namespace moesim::testing
