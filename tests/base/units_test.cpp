#include "simulator/base/units.hpp"

#include <type_traits>

#include <gtest/gtest.h>

namespace moesim {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

static_assert(Addable<Bytes, Bytes>);
static_assert(!Addable<Bytes, Seconds>, "bytes and seconds do not add");
static_assert(!std::is_convertible_v<double, Bytes>, "a bare number is not an amount of bytes");
static_assert(sizeof(Flops) == sizeof(double), "a quantity costs no more than its number");

TEST(Units, SumsAndMultiplesStayInTheirDimension) {
  Bytes total(100);
  total += Bytes(20);
  total -= Bytes(60);
  EXPECT_EQ(total, Bytes(60));
  EXPECT_EQ(total * 2, Bytes(120));
  EXPECT_EQ(0.5 * total, Bytes(30));
  EXPECT_EQ(total / 3, Bytes(20));
  EXPECT_EQ(total + Bytes(1) - Bytes(2), Bytes(59));
  EXPECT_LT(Bytes(1), Bytes(2));
}

TEST(Units, RatioOfLikeQuantitiesIsANumber) {
  static_assert(std::is_same_v<decltype(Seconds(3) / Seconds(2)), double>);
  EXPECT_EQ(Seconds(3) / Seconds(2), 1.5);
}

TEST(Units, AmountOverRateIsTimeAndAmountOverTimeIsRate) {
  EXPECT_EQ(Bytes(900) / BytesPerSecond(450), Seconds(2));
  EXPECT_EQ(Flops(989e12) / FlopsPerSecond(989e12), Seconds(1));
  EXPECT_EQ(Bytes(900) / Seconds(2), BytesPerSecond(450));
  EXPECT_EQ(Flops(10) / Seconds(4), FlopsPerSecond(2.5));
}

TEST(Units, HoldsTheFlopsOfAWholeTrainingRun) {
  const Flops run = Flops(6.0) * 37e9 * 14.8e12; // DeepSeek-V3: beyond an int64
  EXPECT_DOUBLE_EQ(run.value(), 3.2856e24);
}

} // namespace
} // namespace moesim
