#include "simulator/record/record_check.hpp"

#include "simulator/base/check.hpp"
#include "tests/record/sample_record.hpp"

#include <limits>

#include <gmock/gmock.h>

namespace moesim::record {
namespace {

using moesim::testing::sample_record;

TEST(RunRecord, FoldedRanksHaveTheRowsOfTheirRepresentative) {
  const RunRecord run = sample_record(); // two ranks a stage, the even one stands for both
  const RowRange even = rows_of(run, 2);
  const RowRange odd = rows_of(run, 3);
  EXPECT_EQ(even.first, odd.first);
  EXPECT_EQ(even.last, odd.last);
  ASSERT_GT(even.last, even.first);
  EXPECT_EQ(run.tasks.rank[even.first], 2U);
  EXPECT_EQ(run.tasks.rank[even.last - 1], 2U);
  EXPECT_EQ(run.tasks.rank[even.first - 1], 0U);
  EXPECT_EQ(run.tasks.rank[even.last], 4U);
}

TEST(RunRecord, RowsOfARankOutsideTheJobAreABug) {
  EXPECT_THROW((void)rows_of(sample_record(), 8), InternalError);
}

TEST(RecordCheck, AcceptsASoundRecord) {
  EXPECT_EQ(first_defect(sample_record()), "");
}

TEST(RecordCheck, NamesTheRuleThatIsBroken) {
  const auto defect_after = [](auto change) {
    RunRecord run = sample_record();
    change(run);
    return first_defect(run);
  };
  EXPECT_EQ(defect_after([](RunRecord& run) { run.tasks.end[3] = run.tasks.start[3] - 1e-9; }),
            "tasks: a task starts before 0 or ends before it starts");
  EXPECT_EQ(defect_after([](RunRecord& run) { std::swap(run.tasks.rank.front(), run.tasks.rank.back()); }),
            "tasks: rows are not sorted by rank, start and stream");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.tasks.bytes[0] = std::numeric_limits<double>::quiet_NaN(); }),
            "tasks: a number is not finite");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.tasks.rank.back() = 8; }),
            "tasks: a rank is not in the table of ranks");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.ranks.representative = {0, 0, 3, 3, 3, 4, 5, 6}; }),
            "ranks: a representative does not represent itself");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.memory.categories[0] = "time"; }),
            "memory: a category has an impossible name");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.memory.bytes.pop_back(); }), "memory: columns differ in length");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.memory.bytes[3][5] = std::numeric_limits<double>::infinity(); }),
            "memory: a number is not finite");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.links.bins = 9; }), "links: columns differ in length");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.links.row_of_link[1] = 2; }), "links: a link has no row");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.symmetry.classes.pop_back(); }),
            "symmetry: columns differ in length");
  EXPECT_EQ(defect_after([](RunRecord& run) { run.experts.experts = 3; }), "experts: columns differ in length");
}

} // namespace
} // namespace moesim::record
