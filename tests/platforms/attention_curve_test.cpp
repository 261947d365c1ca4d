#include "platforms/attention_curve.hpp"

#include <gtest/gtest.h>

namespace moesim::platforms {
namespace {

constexpr FlopsPerSecond peak(1e12);

// `seen`: share of the pairs of a query and a key that attend; half of them under a causal mask.
Operator attention(std::int64_t groups, std::int64_t queries, std::int64_t keys, double seen) {
  Operator op;
  op.kind = OperatorKind::Attention;
  op.groups = groups;
  op.m = queries;
  op.n = keys;
  op.k = 60;
  op.flops = Flops(4.0 * static_cast<double>(groups * queries * keys) * 60 * seen);
  return op;
}

Operator backward(Operator op) {
  op.pass = Pass::Backward;
  op.flops = 2 * op.flops;
  return op;
}

TEST(AttentionCurve, AWideHeadHidesTheSoftmax) {
  const AttentionCurve curve{.max_efficiency = 0.5, .half_head_size = 20};
  const Operator op = attention(8, 1024, 1024, 1);
  EXPECT_DOUBLE_EQ(attention_time(op, curve, peak, 0).value(), op.flops.value() / (0.5 * 60 / 80 * 1e12));
  EXPECT_DOUBLE_EQ(attention_time(op, {}, peak, 0).value(), op.flops.value() / 1e12);
}

// Five products where the forward has two, at 80 % of its FLOP/s.
TEST(AttentionCurve, TheBackwardRunsFiveProducts) {
  const Operator op = attention(8, 1024, 1024, 0.5);
  const AttentionCurve curve{.tile_time = Seconds(1e-6), .backward = 0.8};
  for (const std::int64_t processors : {0, 10})
    EXPECT_DOUBLE_EQ(attention_time(backward(op), curve, peak, processors).value(),
                     2.5 / 0.8 * attention_time(op, curve, peak, processors).value());
}

TEST(AttentionCurve, SinksSlowIt) {
  const Operator op = attention(8, 1024, 1024, 0.5);
  Operator with_sinks = op;
  with_sinks.has_sinks = true;
  const AttentionCurve curve{.tile_time = Seconds(1e-6), .sinks = 0.25};
  EXPECT_EQ(attention_time(op, curve, peak, 0), attention_time(op, {}, peak, 0));
  EXPECT_DOUBLE_EQ(attention_time(with_sinks, curve, peak, 0).value(), 4 * attention_time(op, curve, peak, 0).value());
}

// Under a causal mask each of the eight diagonal tiles of 128 x 128 is worked off whole: 9 / 8 of the pairs that count.
TEST(AttentionCurve, TilesOnTheDiagonalAreWorkedOffWhole) {
  const Operator causal = attention(80, 1024, 1024, 0.5);
  EXPECT_DOUBLE_EQ(attention_time(causal, {}, peak, 10).value(), causal.flops.value() * 9 / 8 / 1e12);
  const Operator full = attention(80, 1024, 1024, 1);
  EXPECT_DOUBLE_EQ(attention_time(full, {}, peak, 10).value(), full.flops.value() / 1e12);
}

// One head of one sequence: the last 128 queries see all keys, on one of ten processors.
TEST(AttentionCurve, TheLongestTileIsWaitedFor) {
  const Operator op = attention(1, 1024, 1024, 0.5);
  EXPECT_DOUBLE_EQ(attention_time(op, {}, peak, 10).value(), 4.0 * 128 * 1024 * 60 / 1e11);
}

// One query that sees all keys: ten processors share these, as long as each has 128 of them.
TEST(AttentionCurve, DecodingSplitsTheKeys) {
  const Operator op = attention(1, 1, 12'800, 1);
  EXPECT_DOUBLE_EQ(attention_time(op, {}, peak, 10).value(), op.flops.value() / 1e12);
  EXPECT_DOUBLE_EQ(attention_time(op, {}, peak, 1000).value(), 4.0 * 128 * 60 / 1e9);
  EXPECT_DOUBLE_EQ(attention_time(op, {.decode = 0.5}, peak, 10).value(), op.flops.value() / 0.5e12);
  const Operator prompt = attention(10, 12'800, 12'800, 1);
  EXPECT_EQ(attention_time(prompt, {.decode = 0.5}, peak, 10), attention_time(prompt, {}, peak, 10));
}

TEST(AttentionCurve, EachTileTakesItsTime) {
  const AttentionCurve curve{.tile_time = Seconds(1e-3)};
  const auto beside = [&](const Operator& op) {
    return (attention_time(op, curve, peak, 10) - attention_time(op, {}, peak, 10)).value();
  };
  EXPECT_NEAR(beside(attention(80, 1024, 1024, 0.5)), 80 * 8 / 10 * 1e-3, 1e-12);
  EXPECT_NEAR(beside(attention(1, 1, 1024, 1)), 1e-3, 1e-12); // one tile has a processor for itself
}

TEST(AttentionCurve, MoreWorkNeverTakesLess) {
  const AttentionCurve curve{.max_efficiency = 0.7, .half_head_size = 30, .tile_time = Seconds(3e-6), .backward = 0.8};
  double before = 0;
  for (std::int64_t length = 1; length < 20'000; length += 37) {
    const double now = attention_time(attention(4, length, length, 0.5), curve, peak, 132).value();
    EXPECT_GE(now, before * (1 - 1e-12)) << length;
    before = now;
  }
}

} // namespace
} // namespace moesim::platforms
