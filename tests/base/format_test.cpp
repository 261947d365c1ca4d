#include "simulator/base/format.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace moesim {
namespace {

TEST(Format, SecondsTakeTheUnitThatLeavesAtLeastOne) {
  EXPECT_EQ(format_seconds(Seconds(0)), "0 s");
  EXPECT_EQ(format_seconds(Seconds(12.3)), "12.3 s");
  EXPECT_EQ(format_seconds(Seconds(0.038414)), "38.41 ms");
  EXPECT_EQ(format_seconds(Seconds(2e-6)), "2 us");
  EXPECT_EQ(format_seconds(Seconds(3e-10)), "0.3 ns");
  EXPECT_EQ(format_seconds(Seconds(-0.5)), "-500 ms");
}

TEST(Format, BytesCountInPowersOf1024) {
  EXPECT_EQ(format_bytes(Bytes(0)), "0 B");
  EXPECT_EQ(format_bytes(Bytes(1023)), "1023 B");
  EXPECT_EQ(format_bytes(Bytes(1024)), "1 KiB");
  EXPECT_EQ(format_bytes(Bytes(1.5 * 1024 * 1024 * 1024)), "1.5 GiB");
  EXPECT_EQ(format_bytes(Bytes(-2048)), "-2 KiB");
}

TEST(Format, RatesAndFlopsCountInPowersOf1000) {
  EXPECT_EQ(format_bandwidth(BytesPerSecond(450e9)), "450 GB/s");
  EXPECT_EQ(format_flops(Flops(3.21e15)), "3.21 PFLOP");
  EXPECT_EQ(format_flops_rate(FlopsPerSecond(989e12)), "989 TFLOP/s");
  EXPECT_EQ(format_flops(Flops(999)), "999 FLOP");
}

TEST(Format, AmountsBeyondTheLargestUnitStayInIt) {
  EXPECT_EQ(format_flops(Flops(2e21)), "2000 EFLOP");
}

TEST(Format, CountsAreGroupedByThree) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-999), "-999");
  EXPECT_EQ(format_count(-1000), "-1,000");
  EXPECT_EQ(format_count(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

} // namespace
} // namespace moesim
