#include "simulator/sweep/sweep_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "simulator/record/result_file.hpp"
#include "tests/sweep/sweep_files.hpp"

namespace moesim::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string sweep_text = "version: 1\nbase: base.yaml\naxes: {a: [1, 2, 3, 4]}\n";

PointResult done(double time) {
  return {Status::Done, "{\"iteration_time_s\":" + std::to_string(time) + "}", "", "", 0.5, "node1", "17_3"};
}

PointResult failed() {
  return {Status::Failed, "", "was ended by signal 9", "half a letter: \xc3", 1, "node2", ""};
}

TEST(SweepFolder, KeepsItsPlan) {
  const SweepFiles files;
  const Plan plan = files.plan(sweep_text);
  (void)SweepFolder::create(files.folder() / "out", plan);
  ASSERT_TRUE(SweepFolder::exists(files.folder() / "out"));
  const SweepFolder folder = SweepFolder::open(files.folder() / "out");
  EXPECT_EQ(folder.plan().points, plan.points);
  EXPECT_EQ(folder.plan().fields, plan.fields);
  EXPECT_TRUE(folder.holds(plan));
}

TEST(SweepFolder, TellsAnotherSweepFromItsOwn) {
  const SweepFiles files;
  const SweepFolder folder = SweepFolder::create(files.folder() / "out", files.plan(sweep_text));
  EXPECT_FALSE(folder.holds(files.plan("version: 1\nbase: base.yaml\naxes: {a: [1, 2, 3, 5]}\n")));
  EXPECT_FALSE(folder.holds(files.plan("version: 1\nbase: base.yaml\naxes: {b: [1, 2, 3, 4]}\n")));
  files.write("base.yaml", "version: 1 # changed\n");
  EXPECT_FALSE(folder.holds(files.plan(sweep_text)));
}

TEST(SweepFolder, StartsOnlyInAnEmptyFolder) {
  const SweepFiles files;
  const Plan plan = files.plan(sweep_text);
  EXPECT_THROW((void)SweepFolder::create(files.folder(), plan), InputError);
  std::filesystem::create_directory(files.folder() / "out");
  files.write("out/sweep.json.12-0.partial", "{\"fo"); // a sweep that was killed when it began
  EXPECT_FALSE(SweepFolder::exists(files.folder() / "out"));
  EXPECT_TRUE(SweepFolder::create(files.folder() / "out", plan).holds(plan));
}

TEST(SweepFolder, ResultsComeBack) {
  const SweepFiles files;
  const SweepFolder folder = SweepFolder::create(files.folder() / "out", files.plan(sweep_text));
  folder.write(2, done(1.5));
  folder.write(0, failed());
  EXPECT_THAT(folder.finished(), ElementsAre(0, 2));
  EXPECT_THAT(folder.to_do(false), ElementsAre(1, 3));
  EXPECT_THAT(folder.to_do(true), ElementsAre(0, 1, 3));
  EXPECT_FALSE(folder.read(1));
  const PointResult back = folder.read(2).value();
  EXPECT_EQ(back.status, Status::Done);
  EXPECT_EQ(back.summary, "{\"iteration_time_s\":1.5}");
  EXPECT_EQ(back.wall_time_s, 0.5);
  EXPECT_EQ(back.host, "node1");
  EXPECT_EQ(back.job, "17_3");
  EXPECT_EQ(folder.read(0)->reason, "was ended by signal 9");
  EXPECT_THAT(folder.read(0)->log, HasSubstr("half a letter: "));
  folder.write(0, done(1)); // another try
  EXPECT_EQ(folder.read(0)->status, Status::Done);
}

TEST(SweepFolder, CountsAttemptsOfAllProcesses) {
  const SweepFiles files;
  const SweepFolder folder = SweepFolder::create(files.folder() / "out", files.plan(sweep_text));
  const int own = folder.open_attempts();
  ASSERT_EQ(write(own, "1\n", 2), 2);
  ASSERT_EQ(write(own, "3\n", 2), 2);
  close(own);
  files.write("out/attempts/node7-1", "1\n0\n3"); // a node that died as it wrote
  EXPECT_THAT(folder.attempts(), ElementsAre(1, 2, 0, 2));
}

TEST(SweepFolder, NamesWhatIsDamaged) {
  const SweepFiles files;
  const std::filesystem::path path = files.folder() / "out";
  const SweepFolder folder = SweepFolder::create(path, files.plan(sweep_text));
  files.write("out/points/000001.json", "");
  EXPECT_THROW((void)folder.read(1), record::ResultFileError);
  files.write("out/sweep.json", "{}");
  EXPECT_THROW((void)SweepFolder::open(path), record::ResultFileError);
  std::filesystem::remove(path / "sweep.json");
  EXPECT_THROW((void)SweepFolder::open(path), InputError);
}

} // namespace
} // namespace moesim::sweep
