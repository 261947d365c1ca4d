// moesim calibrate: from a table to a GPU that scenarios can name. That fits find the right figures is tested below it.
#include <gmock/gmock.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view header = "kernel,precision,groups,m,n,k,launches,microseconds\n";

class Calibrate : public ::testing::Test {
protected:
  Calibrate() {
    // 2 us and 3 TB/s: 4 bytes for each of m x n elements.
    place_.write("measured.csv", std::string(header) + "copy,bf16,1,1000,750,1,30,3\n"
                                                       "copy,bf16,1,1000,7500,1,30,12\n"
                                                       "copy,bf16,1,1000,75000,1,30,102\n"
                                                       "copy,bf16,1,1000,750000,1,30,1002\n");
  }

  Workplace place_;
};

TEST_F(Calibrate, WritesAGpuThatReadsBack) {
  const Outcome outcome = place_.run({"calibrate", "measured.csv", "--base", "h100-sxm-80gb", "-o", "mine.yaml"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "curve                 kernels    error  within 20 %\n"
                         "memory                      4    0.0 %        100 %\n"
                         "wrote mine.yaml\n");
  place_.write("scenario.yaml", small_scenario());
  const Outcome check = place_.run({"check", "scenario.yaml", "--set", "platform.gpu=mine.yaml"});
  EXPECT_THAT(check.out, HasSubstr("name: \"mine\"")) << check.err;
  EXPECT_THAT(check.out, HasSubstr("launch_overhead: 2e-06s")) << check.err;
  EXPECT_THAT(check.out, HasSubstr("multiprocessors: 132")) << check.err;
}

TEST_F(Calibrate, SaysWhatIsWrongAndWritesNothing) {
  const auto error_of = [&](const Workplace::Arguments& arguments) {
    const Outcome outcome = place_.run(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_THAT(error_of({"calibrate", "none.csv", "--base", "h100-sxm-80gb", "-o", "mine.yaml"}),
              HasSubstr("none.csv:1:1: "));
  EXPECT_THAT(error_of({"calibrate", "measured.csv", "--base", "h100-sxm-80g", "-o", "mine.yaml"}),
              HasSubstr("did you mean 'h100-sxm-80gb'?"));
  EXPECT_THAT(error_of({"calibrate", "measured.csv", "--base", "moe30b-gpu", "-o", "mine.yaml"}),
              HasSubstr("measured.csv:1:1: moe30b-gpu does not say how many multiprocessors it has"));
  EXPECT_THAT(error_of({"calibrate", "measured.csv", "-o", "mine.yaml"}), HasSubstr("--base"));
  place_.write("bad.csv", std::string(header) + "copy,bf16,1,1000,750,1,30,fast\n");
  EXPECT_EQ(error_of({"calibrate", "bad.csv", "--base", "h100-sxm-80gb", "-o", "mine.yaml"}),
            "bad.csv:2:27: microseconds: found 'fast'; expected a time from 0.001 to 1e12\n");
  EXPECT_EQ(place_.names(), (std::vector<std::string>{"bad.csv", "measured.csv"}));
}

} // namespace
} // namespace moesim::testing
