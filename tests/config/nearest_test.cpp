#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/config/map_reader.hpp"

namespace moesim::config {
namespace {

const std::vector<std::string> keys{"tp", "pp", "dp", "pipeline", "global_batch_size", "micro_batch_size", "zb-h1"};

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  EXPECT_EQ(nearest("pipelines", keys), "pipeline");
  EXPECT_EQ(nearest("pipelnie", keys), "pipeline");
  EXPECT_EQ(nearest("globl_batch_size", keys), "global_batch_size");
  EXPECT_EQ(nearest("microbatchsize", keys), "micro_batch_size");
  EXPECT_EQ(nearest("tpp", keys), "tp");
}

TEST(Nearest, CaseAndKindOfDashDoNotCount) {
  EXPECT_EQ(nearest("TP", keys), "tp");
  EXPECT_EQ(nearest("ZB_H1", keys), "zb-h1");
}

TEST(Nearest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("colour", keys), std::nullopt);
  EXPECT_EQ(nearest("tq", keys), std::nullopt);
  EXPECT_EQ(nearest("", keys), std::nullopt);
  EXPECT_EQ(nearest("tp", {}), std::nullopt);
}

TEST(Nearest, AnswersAtOnceForMegabytesOfNoise) {
  EXPECT_EQ(nearest(std::string(50'000'000, 'x'), keys), std::nullopt);
}

} // namespace
} // namespace moesim::config
