#include "simulator/validation/expert_rows.hpp"

#include <gtest/gtest.h>

namespace moesim::validation {
namespace {

// 8 experts, 2 of them for a token: t and t + 4.
TEST(ExpertRows, TokensGoRoundTheExperts) {
  EXPECT_EQ(rows_of_first_rank({.tokens = 8, .experts = 8, .per_token = 2}), (ExpertRows{.active = 8, .rows = 16}));
  EXPECT_EQ(rows_of_first_rank({.tokens = 5, .experts = 8, .per_token = 2}), (ExpertRows{.active = 8, .rows = 10}));
  EXPECT_EQ(rows_of_first_rank({.tokens = 8, .experts = 8, .per_token = 2, .ranks = 4}),
            (ExpertRows{.active = 2, .rows = 4}));
}

// Two tokens of four first choices: experts 0 and 2, and four further each.
TEST(ExpertRows, FewTokensAreSpread) {
  EXPECT_EQ(rows_of_first_rank({.tokens = 2, .experts = 8, .per_token = 2}),
            (ExpertRows{.active = 4, .rows = 4, .idle = 4}));
  EXPECT_EQ(rows_of_first_rank({.tokens = 2, .experts = 8, .per_token = 2, .ranks = 4}),
            (ExpertRows{.active = 1, .rows = 1, .idle = 1}));
}

TEST(ExpertRows, ARankWithoutTokensCountsAsOneRow) {
  EXPECT_EQ(rows_of_first_rank({.tokens = 1, .experts = 4, .per_token = 1, .ranks = 4}),
            (ExpertRows{.active = 1, .rows = 1}));
}

// A token wants an expert in each of four groups of four; of two groups it gets one wanted expert each and, of these
// groups, the first others: 0 and 4, 1 and 2 for the first token.
TEST(ExpertRows, ALimitSendsTokensToFewGroups) {
  const ExpertBatch batch{.tokens = 4, .experts = 16, .per_token = 4, .limit = GroupLimit{.groups = 4, .chosen = 2}};
  // Expert 0 to 3 of both groups are wanted once; tokens fill up with 0 and 1, or 2 where these are theirs.
  EXPECT_EQ(rows_of_first_rank(batch), (ExpertRows{.active = 8, .rows = 16, .idle = 8}));
  ExpertBatch half = batch;
  half.ranks = 2;
  EXPECT_EQ(rows_of_first_rank(half), (ExpertRows{.active = 8, .rows = 16}));
  half.limit.reset();
  EXPECT_EQ(rows_of_first_rank(half), (ExpertRows{.active = 8, .rows = 8}));
}

} // namespace
} // namespace moesim::validation
