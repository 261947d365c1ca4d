#include "simulator/config/quantity.hpp"

#include <string>

#include <gtest/gtest.h>

namespace moesim::config {
namespace {

Reading<double> read(const std::string& text, const Dimension& dimension) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.scalar = text;
  return read_quantity(node, dimension);
}

double value(const std::string& text, const Dimension& dimension) {
  const Reading<double> reading = read(text, dimension);
  EXPECT_EQ(reading.problem, "");
  return reading.value.value_or(-1);
}

std::string problem(const std::string& text, const Dimension& dimension) {
  const Reading<double> reading = read(text, dimension);
  EXPECT_FALSE(reading.value) << text;
  return reading.problem;
}

TEST(Quantity, SizesTellDecimalFromBinary) {
  EXPECT_EQ(value("80GB", size_dimension), 80e9);
  EXPECT_EQ(value("64 GiB", size_dimension), 64.0 * (1 << 30));
  EXPECT_EQ(value("512MiB", size_dimension), 512.0 * (1 << 20));
  EXPECT_EQ(value("1.5  kB", size_dimension), 1500);
  EXPECT_EQ(value("900B", size_dimension), 900);
}

TEST(Quantity, BandwidthsOfBitsAreAnEighth) {
  EXPECT_EQ(value("450GB/s", bandwidth_dimension), 450e9);
  EXPECT_EQ(value("1.8 TB/s", bandwidth_dimension), 1.8e12);
  EXPECT_EQ(value("400Gbps", bandwidth_dimension), 50e9);
  EXPECT_EQ(value("400 Gb/s", bandwidth_dimension), 50e9);
}

TEST(Quantity, TimesMayBeZero) {
  EXPECT_EQ(value("2us", time_dimension), 2e-6);
  EXPECT_EQ(value("2 \u00b5s", time_dimension), 2e-6);
  EXPECT_EQ(value("1.5 ms", time_dimension), 1.5e-3);
  EXPECT_EQ(value("300ns", time_dimension), 3e-7);
  EXPECT_EQ(value("1s", time_dimension), 1);
  EXPECT_EQ(value("0", time_dimension), 0);
  EXPECT_EQ(value("0us", time_dimension), 0);
}

TEST(Quantity, FlopRatesHaveTwoSpellings) {
  EXPECT_EQ(value("989TFLOP/s", flops_rate_dimension), 989e12);
  EXPECT_EQ(value("989 TFLOPS", flops_rate_dimension), 989e12);
  EXPECT_EQ(value("1.979 PFLOP/s", flops_rate_dimension), 1.979e15);
}

TEST(Quantity, BareNumbersAreErrors) {
  EXPECT_EQ(problem("80", size_dimension), "80 has no unit; write for example 80GB");
  EXPECT_EQ(problem("2", time_dimension), "2 has no unit; write for example 2us");
  EXPECT_EQ(problem("450", bandwidth_dimension), "450 has no unit; write for example 450GB/s");
  EXPECT_EQ(problem("989", flops_rate_dimension), "989 has no unit; write for example 989TFLOP/s");
}

TEST(Quantity, UnitsOfAnotherDimensionAreUnknown) {
  EXPECT_EQ(problem("80Gb", size_dimension), "unknown unit 'Gb'; expected a size such as 80GB or 64GiB");
  EXPECT_EQ(problem("400GB", bandwidth_dimension),
            "unknown unit 'GB'; expected a bandwidth such as 450GB/s or 400Gbps");
  EXPECT_EQ(problem("2m", time_dimension), "unknown unit 'm'; expected a time such as 2us or 1.5ms");
  EXPECT_EQ(problem("5e3x", flops_rate_dimension), "unknown unit 'x'; expected a compute rate such as 989TFLOP/s");
}

// Reading 5us as 5 x 1e-6 gives 4.9999999999999996e-06.
TEST(Quantity, UnitsBelowOneAreExact) {
  for (int number = 1; number < 1000; ++number) {
    const std::string digits = std::to_string(number);
    EXPECT_EQ(value(digits + "ms", time_dimension), std::stod(digits + "e-3"));
    EXPECT_EQ(value(digits + "us", time_dimension), std::stod(digits + "e-6"));
    EXPECT_EQ(value(digits + "ns", time_dimension), std::stod(digits + "e-9"));
  }
}

TEST(Quantity, ValuesOutOfRangeNameTheRange) {
  const std::string size_range = "expected a size such as 80GB or 64GiB, from 1B to 1000PB";
  EXPECT_EQ(problem("-80GB", size_dimension), "-80GB is too small; " + size_range);
  EXPECT_EQ(problem("0GB", size_dimension), "0GB is too small; " + size_range);
  EXPECT_EQ(problem("1e308TB", size_dimension), "1e308TB is too large; " + size_range);
  EXPECT_EQ(problem("1e999B", size_dimension), "1e999B is beyond what a number can hold; " + size_range);
  EXPECT_EQ(problem("-1us", time_dimension),
            "-1us is too small; expected a time such as 2us or 1.5ms, from 0s to 1e6s");
  EXPECT_EQ(problem("1e300s", time_dimension),
            "1e300s is too large; expected a time such as 2us or 1.5ms, from 0s to 1e6s");
  EXPECT_EQ(problem("1e-300GB/s", bandwidth_dimension),
            "1e-300GB/s is too small; expected a bandwidth such as 450GB/s or 400Gbps, from 1B/s to 1000PB/s");
  EXPECT_EQ(problem("1e-300FLOP/s", flops_rate_dimension), "1e-300FLOP/s is too small; expected a compute rate such as "
                                                           "989TFLOP/s, from 1FLOP/s to 1000EFLOP/s");
}

TEST(Quantity, TextsAndListsAreErrors) {
  EXPECT_EQ(problem("big", size_dimension), "found the text \"big\"; expected a size such as 80GB or 64GiB");
  EXPECT_EQ(problem(".inf", size_dimension), "found the text \".inf\"; expected a size such as 80GB or 64GiB");
  Node list;
  list.kind = Node::Kind::Sequence;
  EXPECT_EQ(read_quantity(list, time_dimension).problem, "found a list; expected a time such as 2us or 1.5ms");
}

} // namespace
} // namespace moesim::config
