#include "simulator/sweep/tables.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "tests/sweep/sweep_files.hpp"

namespace moesim::sweep {
namespace {

using ::testing::ElementsAre;

PointResult done(const std::string& summary) {
  return {Status::Done, summary, "", "", 0, "", ""};
}

class Tables : public ::testing::Test {
protected:
  SweepFiles files_;
  SweepFolder folder_ = SweepFolder::create(files_.folder() / "out",
                                            files_.plan("version: 1\nbase: base.yaml\naxes: {a: [1, 2, 3, 4]}\n"));
};

TEST_F(Tables, HaveEveryNumberOfEverySummary) {
  folder_.write(3, done(R"({"time_s": 4, "fits": true, "late_s": null, "name": "x"})"));
  folder_.write(0, done(R"({"time_s": 1.5, "bubbles": {"total": {"warm_up_s": 2}, "stages": [{"warm_up_s": 3}]}})"));
  folder_.write(1, {Status::Invalid, "", "no good", "", 0, "", ""});
  folder_.write(2, {Status::Failed, "", "no luck", "log", 0, "", ""});
  const record::SweepTable table = table_of(folder_);
  EXPECT_EQ(table.name, "sweep");
  EXPECT_THAT(table.status, ElementsAre("done", "invalid", "failed", "done"));
  EXPECT_THAT(table.reason, ElementsAre("", "no good", "no luck", ""));
  EXPECT_THAT(table.fields, ElementsAre("a"));
  EXPECT_THAT(table.settings, ElementsAre(ElementsAre("1", "2", "3", "4")));
  EXPECT_THAT(table.figures, ElementsAre("time_s", "bubbles.total.warm_up_s", "fits"));
  const std::vector<double>& time = *table.figure("time_s");
  EXPECT_EQ(time[0], 1.5);
  EXPECT_TRUE(std::isnan(time[1]) && std::isnan(time[2]));
  EXPECT_EQ(time[3], 4);
  EXPECT_EQ(table.figure("bubbles.total.warm_up_s")->front(), 2);
  EXPECT_EQ((*table.figure("fits"))[3], 1);
  EXPECT_EQ(table.figure("mfu"), nullptr);
}

TEST_F(Tables, TheBestPointFits) {
  const auto summary = [](int rate, bool fits) {
    return done("{\"tokens_per_s\": " + std::to_string(rate) + ", \"fits\": " + (fits ? "true" : "false") + "}");
  };
  folder_.write(0, summary(5, true));
  folder_.write(1, summary(9, false));
  folder_.write(2, summary(7, true));
  folder_.write(3, summary(7, true));
  EXPECT_EQ(best_point(table_of(folder_)), 2U);
  for (std::size_t point = 0; point < 4; ++point)
    folder_.write(point, summary(1, false));
  EXPECT_EQ(best_point(table_of(folder_)), std::nullopt);
}

} // namespace
} // namespace moesim::sweep
