// Output that cannot be written, and runs that are interrupted.
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using Names = std::vector<std::string>;

Outcome run_to(const Workplace& place, const std::string& output, const Workplace::Preparation& prepare = {}) {
  place.write("small.yaml", small_scenario());
  return place.run({"run", "small.yaml", "-o", output}, prepare);
}

TEST(Output, IntoAMissingFolder) {
  const Workplace place;
  const Outcome outcome = run_to(place, "missing/out.h5");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "missing/out.h5: cannot write: No such file or directory\n");
  EXPECT_EQ(place.names(), Names{"small.yaml"});
}

TEST(Output, OntoAFolder) {
  const Workplace place;
  std::filesystem::create_directory(place.path() / "folder");
  const Outcome outcome = run_to(place, "folder");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "folder: cannot write: Is a directory\n");
  EXPECT_EQ(place.names(), (Names{"folder", "small.yaml"}));
}

TEST(Output, IntoAReadOnlyFolder) {
  // Root may write anywhere by this capability; without it, root is asked like anybody else. (Others cannot drop it.)
  const auto obey_permissions = [] { prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0); };
  const Workplace place;
  std::filesystem::create_directory(place.path() / "folder");
  std::filesystem::permissions(place.path() / "folder",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const Outcome outcome = run_to(place, "folder/out.h5", obey_permissions);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "folder/out.h5: cannot write: Permission denied\n");
}

TEST(Output, OntoADevice) {
  const Workplace place;
  const Outcome outcome = run_to(place, "/dev/full");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "/dev/full: cannot write: Not a regular file\n");
}

// A limit on the size of files fails as a full disk does: after part of the file was written.
TEST(Output, OntoAFullDiskLeavesTheOlderFile) {
  const Workplace place;
  place.write("out.h5", "older");
  const Outcome outcome = run_to(place, "out.h5", [] {
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
  });
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "out.h5: cannot write: File too large\n");
  EXPECT_EQ(place.names(), (Names{"out.h5", "small.yaml"}));
  EXPECT_EQ(read_all(place.path() / "out.h5"), "older");
}

TEST(Output, NothingIsLeftOfBadInput) {
  const Workplace place;
  place.write("small.yaml", small_scenario({{"tp: 2", "tp: two"}}));
  EXPECT_EQ(place.run({"run", "small.yaml", "-o", "out.h5"}).status, 2);
  EXPECT_EQ(place.names(), Names{"small.yaml"});
}

TEST(Output, OneFileHoldsOneScenario) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run({"run", "small.yaml", "small.yaml", "-o", "out.h5"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "-o: one result file holds one scenario; run them one by one\nRun with --help for more information.\n");
  EXPECT_EQ(place.names(), Names{"small.yaml"});
}

class FullStdout : public ::testing::TestWithParam<Workplace::Arguments> {};

TEST_P(FullStdout, IsReported) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run(GetParam(), [] { dup2(open("/dev/full", O_WRONLY), 1); });
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "moesim: standard output cannot be written: the text above is incomplete\n");
}

INSTANTIATE_TEST_SUITE_P(Output, FullStdout,
                         ::testing::Values(Workplace::Arguments{"run", "small.yaml"},
                                           Workplace::Arguments{"run", "--json", "small.yaml", "small.yaml"},
                                           Workplace::Arguments{"check", "small.yaml"},
                                           Workplace::Arguments{"dump", "graph", "small.yaml"},
                                           Workplace::Arguments{"dump", "schedule", "small.yaml"},
                                           Workplace::Arguments{"--help"}, Workplace::Arguments{"--version"}));

TEST(Output, WithoutStderrTheStatusTells) {
  const Workplace place;
  const Workplace::Preparation close_stderr = [] { close(2); };
  EXPECT_EQ(place.run({"check", "missing.yaml"}, close_stderr).status, 2);
  EXPECT_EQ(place.run({"dump"}, close_stderr).status, 2);
}

class Interrupted : public ::testing::TestWithParam<int> {};

TEST_P(Interrupted, LeavesNothing) {
  const Workplace place;
  place.write("out.h5", "older");
  const auto begin = std::filesystem::file_time_type::clock::now();
  // Some twenty million tasks: at this time the simulation is under way.
  const auto is_time = [&] { return std::filesystem::file_time_type::clock::now() - begin > std::chrono::seconds(1); };
  const Outcome outcome =
      place.interrupt({"run",
                       MOESIM_TEST_DIR "/../../workloads/scenarios/"
                                       "moe30b-gpus512-tp8-pp4-ep16.yaml",
                       "--set", "training.global_batch_size=16384", "--set", "simulation.symmetry=off", "-o", "out.h5"},
                      GetParam(), is_time);
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(place.names(), Names{"out.h5"});
  EXPECT_EQ(read_all(place.path() / "out.h5"), "older");
}

INSTANTIATE_TEST_SUITE_P(Output, Interrupted, ::testing::Values(SIGINT, SIGTERM));

} // namespace
} // namespace moesim::testing
