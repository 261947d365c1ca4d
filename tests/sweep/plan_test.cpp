// From a sweep file to the points that it means.
#include "simulator/sweep/plan.hpp"

#include <gmock/gmock.h>

#include "tests/sweep/sweep_files.hpp"

namespace moesim::sweep {
namespace {

using ::testing::ElementsAre;

const std::string head = "version: 1\nbase: base.yaml\n";

TEST(SweepPlan, TheLastAxisVariesFastest) {
  EXPECT_THAT(SweepFiles().points(head + "axes:\n  a.x: [1, two]\n  a.y: [{z: true}, [3]]\n"),
              ElementsAre("a.x=1 a.y={z: true}", "a.x=1 a.y=[3]", "a.x=two a.y={z: true}", "a.x=two a.y=[3]"));
}

TEST(SweepPlan, RangesIncludeTheirEndWhereAStepMeetsIt) {
  const SweepFiles files;
  EXPECT_THAT(files.points(head + "axes:\n  n: {from: 2, to: 8, step: 3}\n"), ElementsAre("n=2", "n=5", "n=8"));
  EXPECT_THAT(files.points(head + "axes:\n  n: {from: 2, to: 7, step: 3}\n"), ElementsAre("n=2", "n=5"));
  EXPECT_THAT(files.points(head + "axes:\n  n: {from: 0, to: 0.3, step: 0.1}\n"),
              ElementsAre("n=0", "n=0.1", "n=0.2", "n=0.3"));
  EXPECT_THAT(files.points(head + "axes:\n  n: {from: 8, to: 100, factor: 2}\n"),
              ElementsAre("n=8", "n=16", "n=32", "n=64"));
  EXPECT_THAT(files.points(head + "axes:\n  n: {from: 1, to: 1000, factor: 10}\n"),
              ElementsAre("n=1", "n=10", "n=100", "n=1000"));
}

TEST(SweepPlan, ZippedFieldsGoTogether) {
  EXPECT_THAT(SweepFiles().points(head + "axes:\n  size: {zip: {nodes: [1, 2], dp: [8, 16]}}\n  n: [3, 4]\n"),
              ElementsAre("nodes=1 dp=8 n=3", "nodes=1 dp=8 n=4", "nodes=2 dp=16 n=3", "nodes=2 dp=16 n=4"));
}

TEST(SweepPlan, AnAxisWithAConditionLeavesOtherPointsAlone) {
  EXPECT_THAT(
      SweepFiles().points(head + "axes:\n  s: [plain, chunks, other]\n"
                                 "  v: {values: [2, 4], when: {s: [chunks, other]}}\n"
                                 "  w: {from: 1, to: 2, step: 1, when: {s: other, v: 4}}\n"),
      ElementsAre("s=plain", "s=chunks v=2", "s=chunks v=4", "s=other v=2", "s=other v=4 w=1", "s=other v=4 w=2"));
}

TEST(SweepPlan, AnExclusionTakesThePointsThatMeetAllOfIt) {
  EXPECT_THAT(SweepFiles().points(head + "axes: {a: [1, 2], b: [1, 2, 3]}\n"
                                         "exclude: [{a: 1, b: [2, 3]}, {a: 2.0, b: 1}]\n"),
              ElementsAre("a=1 b=1", "a=2 b=2", "a=2 b=3"));
}

TEST(SweepPlan, ScenariosAreTheSlowestAxis) {
  const SweepFiles files;
  files.write("other.yaml", "version: 1\n");
  const Plan plan = files.plan("version: 1\nscenarios: [base.yaml, other.yaml]\naxes: {a: [1, 2]}\n");
  EXPECT_EQ(plan.name, "sweep");
  EXPECT_EQ(plan.scenarios[1].reference, "other.yaml");
  EXPECT_EQ(plan.scenarios[1].file, files.folder() / "other.yaml");
  EXPECT_THAT(plan.fields, ElementsAre("a"));
  EXPECT_THAT(plan.points, ElementsAre(Point{0, {{"a", "1"}}}, Point{0, {{"a", "2"}}}, Point{1, {{"a", "1"}}},
                                       Point{1, {{"a", "2"}}}));
}

TEST(SweepPlan, WithoutAxesEachScenarioIsAPoint) {
  EXPECT_THAT(SweepFiles().plan(head).points, ElementsAre(Point{0, {}}));
}

TEST(SweepPlan, ATableOfSettingsNamesItsPoints) {
  const SweepFiles files;
  files.write("points.csv", "a.x,b\n1,\n,\"{c: 2, d: 3}\"\n");
  EXPECT_THAT(files.points(head + "settings: points.csv\n"), ElementsAre("a.x=1", "b={c: 2, d: 3}"));
}

TEST(SweepPlan, SaysAllThatIsWrong) {
  const SweepFiles files;
  EXPECT_EQ(files.problems("version: 1\nbase: bse.yaml\naxes:\n"
                           "  a: 5\n"
                           "  b: {from: 4, to: 1, step: 1}\n"
                           "  c: {from: 1, to: 4, factor: 1}\n"
                           "  d: {zip: {x: [1, 2], y: [1]}}\n"
                           "  e..f: [1]\n"
                           "  x: [1]\n"
                           "  g: {values: [1], when: {h: 1}}\n"
                           "  i: {from: 1, to: 4}\n"
                           "  j: {values: [1], unless: 2}\n"
                           "exclude: [{k: 1}, {}]\n"
                           "axis: 1\n"),
            "sweep.yaml:2:7: base: there is no file bse.yaml; expected a path relative to the folder of sweep.yaml\n"
            "sweep.yaml:4:6: axes.a: found the number 5; expected a list of values, a range such as {from: 1, to: 8, "
            "step: 1}, or {zip: {field: [...], field: [...]}}\n"
            "sweep.yaml:5:20: axes.b.to: 1 is less than from, 4; expected at least that\n"
            "sweep.yaml:6:31: axes.c.factor: 1 does not lead upwards; expected a number greater than 1\n"
            "sweep.yaml:7:27: axes.d.zip.y: has 1 values beside the 2 of x; zipped lists have the same length\n"
            "sweep.yaml:8:3: axes.e..f: 'e..f' is not the path of a field; expected such as training.micro_batch_size\n"
            "sweep.yaml:9:3: axes.x: 'x' has an axis already; keep one of the two\n"
            "sweep.yaml:10:27: axes.g.when.h: no axis before this one sets it; expected one of b, c, x, e..f, x\n"
            "sweep.yaml:11:6: axes.i: a range needs either a step or a factor; expected such as {from: 1, to: 8, step: "
            "1} or {from: 1, to: 64, factor: 2}\n"
            "sweep.yaml:12:20: axes.j.unless: unknown key 'unless'; known keys are zip, values, when\n"
            "sweep.yaml:13:12: exclude.0.k: no axis sets it; expected one of b, c, x, e..f, x, g, i, j\n"
            "sweep.yaml:13:19: exclude.1: this would exclude every point; expected at least one field\n"
            "sweep.yaml:14:1: axis: unknown key 'axis'; did you mean 'axes'?\n");
}

TEST(SweepPlan, RefusesWhatHasNoPointsOrTooMany) {
  const SweepFiles files;
  EXPECT_EQ(files.problems(head + "axes: {a: []}\n"), "sweep.yaml:3:8: axes.a: has no values; expected at least one\n");
  EXPECT_EQ(files.problems(head + "axes: {a: [1]}\nexclude: [{a: 1}]\n"),
            "sweep.yaml:3:7: exclude: every point is excluded; expected at least one that is not\n");
  EXPECT_EQ(files.problems(head + "axes: {a: {from: 1, to: 2000, step: 1}, b: {from: 1, to: 2000, step: 1}}\n"),
            "sweep.yaml:3:7: axes: the axes span more than 100,000 points; leave out values, or exclude points\n");
  EXPECT_EQ(files.problems(head + "axes: {a: {from: 1, to: 20000, step: 1}, b: {from: 1, to: 20000, step: 1}}\n"
                                  "exclude: [{a: 1, b: 1}]\n"),
            "sweep.yaml:3:7: axes: the axes span more than 100,000 points; leave out values, or exclude points\n");
  EXPECT_EQ(files.problems(head + "axes: {a: {from: 1, to: 1e12, step: 1}}\n"),
            "sweep.yaml:3:25: axes.a.to: the range is too large; expected at most 100,000 values, up to 2^53\n");
}

TEST(SweepPlan, AsksForOneBaseAndOneKindOfSettings) {
  const SweepFiles files;
  files.write("points.csv", "a\n1\n");
  EXPECT_EQ(files.problems("version: 1\n"),
            "sweep.yaml:1:1: base: missing; expected a scenario, or a list of them as scenarios: [...]\n");
  EXPECT_EQ(files.problems(head + "scenarios: [base.yaml]\n"),
            "sweep.yaml:3:12: scenarios: given beside base; keep one of the two\n");
  EXPECT_EQ(files.problems(head + "settings: points.csv\naxes: {a: [1]}\n"),
            "sweep.yaml:3:11: settings: given beside axes; keep one of the two\n");
  EXPECT_EQ(files.problems(head + "settings: nowhere.csv\n"),
            "sweep.yaml:3:11: settings: there is no file nowhere.csv; expected a path relative to the folder of "
            "sweep.yaml\n");
}

} // namespace
} // namespace moesim::sweep
