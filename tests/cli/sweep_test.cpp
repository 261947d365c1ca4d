// `moesim sweep` on this computer: tables, limits, interruptions.
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A folder with small.yaml and a sweep of it: 3 x 4 points, of which a quarter is invalid.
class Sweep : public ::testing::Test {
protected:
  Sweep() {
    place_.write("small.yaml", small_scenario());
    place_.write("sweep.yaml", "version: 1\nbase: small.yaml\n"
                               "axes:\n"
                               "  training.schedule: [1f1b, gpipe, zb-h1]\n"
                               "  training.global_batch_size: [4, 5, 8, 16]\n");
  }

  [[nodiscard]] std::string text(const std::string& file) const { return read_all(place_.path() / file); }

  // How often each point was started, and the files of finished points with their contents.
  [[nodiscard]] std::map<std::string, int> attempts(const std::string& folder) const {
    std::map<std::string, int> counts;
    for (const auto& file : fs::directory_iterator(place_.path() / folder / "attempts")) {
      std::istringstream lines(read_all(file.path()));
      for (std::string point; std::getline(lines, point);)
        ++counts[point];
    }
    return counts;
  }
  [[nodiscard]] std::size_t count(const std::string& folder) const {
    std::size_t finished = 0;
    if (fs::exists(place_.path() / folder / "points"))
      for (const auto& file : fs::directory_iterator(place_.path() / folder / "points"))
        finished += file.path().extension() == ".json" ? 1U : 0U;
    return finished;
  }
  [[nodiscard]] std::map<std::string, std::string> points(const std::string& folder) const {
    std::map<std::string, std::string> files;
    if (fs::exists(place_.path() / folder / "points"))
      for (const auto& file : fs::directory_iterator(place_.path() / folder / "points"))
        if (file.path().extension() == ".json")
          files[std::to_string(std::stoi(file.path().stem().string()))] = read_all(file.path());
    return files;
  }

  Workplace place_;
};

TEST_F(Sweep, WritesTheSameTablesWhateverTheNumberOfProcesses) {
  const Outcome one = place_.run({"sweep", "sweep.yaml", "-o", "one", "-j", "1"});
  EXPECT_EQ(one.status, 0);
  EXPECT_EQ(one.err, "");
  EXPECT_THAT(one.out, HasSubstr("12 points: 9 done, 3 invalid, 0 failed\n"
                                 "invalid: point 1 (training.schedule=1f1b training.global_batch_size=5): "
                                 "training.global_batch_size: 5 is not a multiple of micro_batch_size x dp"));
  EXPECT_THAT(one.out, HasSubstr("\nwrote one/sweep.h5, sweep.csv and timing.csv\n"));
  EXPECT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "three", "-j", "3"}).status, 0);
  EXPECT_EQ(text("one/sweep.csv"), text("three/sweep.csv"));
  EXPECT_EQ(text("one/sweep.h5"), text("three/sweep.h5"));
  EXPECT_THAT(text("one/sweep.csv"), HasSubstr("\n11,small.yaml,zb-h1,16,done,,"));
}

TEST_F(Sweep, APointIsWhatRunSaysOfItsSettings) {
  ASSERT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out", "--keep", "all"}).status, 0);
  ASSERT_EQ(place_
                .run({"run", "small.yaml", "--set", "training.schedule=zb-h1", "--set", "training.global_batch_size=16",
                      "-o", "run.h5"})
                .status,
            0);
  EXPECT_EQ(text("out/timelines/000011.h5"), text("run.h5"));
}

TEST_F(Sweep, KeepsTheTimelineOfTheBestPoint) {
  const Outcome outcome = place_.run({"sweep", "sweep.yaml", "-o", "out", "--keep", "best"});
  const std::size_t at = outcome.out.find("best: point ");
  ASSERT_NE(at, std::string::npos) << outcome.out;
  std::set<int> kept;
  for (const auto& file : fs::directory_iterator(place_.path() / "out" / "timelines"))
    kept.insert(std::stoi(file.path().stem().string()));
  EXPECT_EQ(kept, std::set<int>{std::stoi(outcome.out.substr(at + 12))});
}

TEST_F(Sweep, DryRunCountsEstimatesAndWritesNothing) {
  const Outcome outcome = place_.run({"sweep", "sweep.yaml", "--dry-run", "-j", "2"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("12 points: 9 valid, 3 invalid\ninvalid: point 1 ("));
  EXPECT_THAT(outcome.out, HasSubstr("estimated time: 0 s with 2 processes\n"));
  EXPECT_EQ(place_.names(), (std::vector<std::string>{"small.yaml", "sweep.yaml"}));
}

TEST_F(Sweep, PointsOverALimitFailAndAreTriedAgain) {
  const Outcome outcome = place_.run({"sweep", "sweep.yaml", "-o", "out", "--time-limit", "1ns"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("12 points: 0 done, 0 invalid, 12 failed\n"));
  EXPECT_THAT(outcome.out, HasSubstr("took longer than the time limit of 1 ns\n"));
  EXPECT_THAT(place_.run({"sweep", "--status", "out"}).out, "12 points: 0 done, 0 invalid, 12 failed, 0 missing\n");
  EXPECT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out", "--resume"}).status, 0);
  EXPECT_THAT(place_.run({"sweep", "--status", "out"}).out, "12 points: 9 done, 3 invalid, 0 failed, 0 missing\n");
}

TEST_F(Sweep, ResumesOnlyItsOwnSweep) {
  ASSERT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out", "--resume"}).status, 0) << "nothing there: it starts";
  const Outcome again = place_.run({"sweep", "sweep.yaml", "-o", "out"});
  EXPECT_EQ(again.status, 2);
  EXPECT_EQ(again.err,
            "out:1:1: there is a sweep in this folder already; expected --resume to go on with it, or another "
            "folder\n");
  place_.write("other.yaml", "version: 1\nbase: small.yaml\n");
  const Outcome other = place_.run({"sweep", "other.yaml", "-o", "out", "--resume"});
  EXPECT_EQ(other.status, 2);
  EXPECT_EQ(other.err, "out:1:1: there is another sweep in this folder, whose points or scenarios are not those of "
                       "other.yaml; expected another folder\n");
  EXPECT_EQ(place_.run({"sweep", "-o", "out", "--resume"}).status, 0) << "the folder knows its plan";
  EXPECT_EQ(place_.run({"sweep", "other.yaml", "-o", "."}).status, 2);
}

TEST_F(Sweep, ReportsAreOfCompleteSweeps) {
  const Outcome early = place_.run({"sweep-report", ".", "-o", "out.svg"});
  EXPECT_EQ(early.status, 2);
  EXPECT_EQ(early.err,
            ".:1:1: there is no sweep.h5 here; expected the folder of a sweep that is complete (moesim sweep "
            "--status says how far it is, --resume goes on with it)\n");
  ASSERT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out"}).status, 0);
  EXPECT_EQ(place_.run({"sweep-report", "out", "-o", "out.svg"}).out, "wrote out.svg\n");
  EXPECT_EQ(place_.run({"sweep-report", "out", "-o", "out.html"}).out, "wrote out.html\n");
  EXPECT_THAT(text("out.svg"), HasSubstr("9 of 12 points fit and are compared"));
  EXPECT_EQ(place_.run({"sweep-report", "out", "-o", "out.png"}).status, 2);
}

TEST_F(Sweep, SaysThatSlurmIsNotHere) {
  const Outcome outcome =
      place_.run({"sweep", "sweep.yaml", "-o", "out", "--slurm"}, [] { setenv("PATH", "/nowhere", 1); });
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "Slurm is not here: there is no squeue on PATH; use a login node of its cluster, or leave out "
                         "--slurm to run the sweep on this computer\n");
  EXPECT_FALSE(fs::exists(place_.path() / "out"));
}

TEST_F(Sweep, CtrlCEndsItAndResumeFinishesIt) {
  place_.write("sweep.yaml",
               "version: 1\nbase: small.yaml\naxes: {training.seq_length: {from: 8, to: 1000, step: 8}}\n");
  const Outcome outcome =
      place_.interrupt({"sweep", "sweep.yaml", "-o", "out", "-j", "2"}, SIGINT, [&] { return count("out") >= 5; });
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.out, "");
  EXPECT_LT(points("out").size(), 125U);
  EXPECT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out", "--resume"}).status, 0);
  EXPECT_EQ(points("out").size(), 125U);
}

// Killed at random moments, twenty times: what was finished stays as it is and is not started again, and the tables are
// those of a sweep that nobody disturbed.
TEST_F(Sweep, SurvivesTwentyKills) {
  constexpr int kills = 20;
  constexpr int workers = 2;
  place_.write("sweep.yaml",
               "version: 1\nbase: small.yaml\naxes: {training.seq_length: {from: 8, to: 3200, step: 8}}\n");
  ASSERT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "undisturbed"}).status, 0);
  std::mt19937 random(20261128);
  for (int kill = 0; kill < kills; ++kill) {
    const auto finished = points("out");
    const auto tried = fs::exists(place_.path() / "out/attempts") ? attempts("out") : std::map<std::string, int>();
    ASSERT_LT(finished.size(), 400U) << "too late to kill anything";
    const std::size_t target = finished.size() + random() % 19;
    const std::chrono::microseconds more(random() % 8000);
    const Outcome outcome =
        place_.interrupt({"sweep", "sweep.yaml", "-o", "out", "-j", std::to_string(workers), "--resume"}, SIGKILL, [&] {
          if (count("out") < target)
            return false;
          std::this_thread::sleep_for(more);
          return true;
        });
    ASSERT_EQ(outcome.status, 128 + SIGKILL);
    const auto now = points("out");
    const auto tried_now = fs::exists(place_.path() / "out/attempts") ? attempts("out") : std::map<std::string, int>();
    for (const auto& [point, contents] : finished) {
      ASSERT_EQ(now.at(point), contents) << "point " << point << " after kill " << kill;
      ASSERT_EQ(tried_now.at(point), tried.at(point)) << "point " << point << " after kill " << kill;
    }
  }
  ASSERT_EQ(place_.run({"sweep", "sweep.yaml", "-o", "out", "--resume"}).status, 0);
  EXPECT_EQ(text("out/sweep.csv"), text("undisturbed/sweep.csv"));
  EXPECT_EQ(text("out/sweep.h5"), text("undisturbed/sweep.h5"));
  int extra = 0;
  for (const auto& [point, count] : attempts("out"))
    extra += count - 1;
  // Under way when a kill comes: what runs, and as much that has just ended and is being written.
  EXPECT_LE(extra, kills * 2 * workers);
  for (const auto& entry : fs::recursive_directory_iterator(place_.path() / "out"))
    EXPECT_NE(entry.path().extension(), ".partial") << entry.path();
}

} // namespace
} // namespace moesim::testing
