#include "simulator/pool/process_pool.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"

namespace moesim::pool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

Outcome outcome_of(const Work& work, const Options& options = {}) {
  const std::array<Work, 1> works{work};
  return run_all(works, options).front();
}

TEST(ProcessPool, BringsResultsBackInTheirOrderWhateverEndsFirst) {
  for (const std::size_t workers : {1U, 2U, 7U}) {
    std::vector<Work> works;
    for (int i = 0; i < 5; ++i)
      works.push_back([i] {
        std::this_thread::sleep_for(5ms * (5 - i));
        return std::string(static_cast<std::size_t>(i) * 100'000, static_cast<char>('a' + i)); // more than a pipe holds
      });
    const std::vector<Outcome> outcomes = run_all(works, {.workers = workers});
    ASSERT_EQ(outcomes.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(outcomes[i].ending, Ending::Done);
      EXPECT_EQ(outcomes[i].value, std::string(i * 100'000, static_cast<char>('a' + i)));
    }
  }
}

TEST(ProcessPool, TellsMistakesOfTheInputFromFailures) {
  const Outcome refused = outcome_of([]() -> std::string { throw InputError({"a.yaml", 2, 3}, "x", "wrong; right"); });
  EXPECT_EQ(refused.ending, Ending::Refused);
  EXPECT_EQ(refused.reason, "a.yaml:2:3: x: wrong; right\n");
  const Outcome failed = outcome_of([]() -> std::string { throw std::runtime_error("no luck"); });
  EXPECT_EQ(failed.ending, Ending::Failed);
  EXPECT_EQ(failed.reason, "no luck");
}

TEST(ProcessPool, ACrashEndsOnlyItsOwnPiece) {
  const std::vector<Work> works{
      [] { return std::string("before"); },
      []() -> std::string {
        std::fputs("about to crash\n", stderr);
        std::signal(SIGABRT, SIG_DFL);
        std::abort();
      },
      []() -> std::string { _exit(7); },
      [] { return std::string("after"); },
  };
  const std::vector<Outcome> outcomes = run_all(works, {.workers = 2});
  EXPECT_EQ(outcomes[0].value, "before");
  EXPECT_EQ(outcomes[1].ending, Ending::Failed);
  EXPECT_EQ(outcomes[1].reason, "was ended by signal 6 (Aborted); its last words: about to crash");
  EXPECT_EQ(outcomes[1].log, "about to crash\n");
  EXPECT_EQ(outcomes[2].ending, Ending::Failed);
  EXPECT_EQ(outcomes[2].reason, "ended with exit status 7");
  EXPECT_EQ(outcomes[3].value, "after");
}

TEST(ProcessPool, EndsWhatTakesTooLong) {
  const auto stubborn = []() -> std::string {
    std::signal(SIGTERM, SIG_IGN);
    while (true)
      pause();
  };
  const auto obedient = []() -> std::string {
    while (true)
      pause();
  };
  const std::vector<Work> works{stubborn, obedient, [] { return std::string("quick"); }};
  const std::vector<Outcome> outcomes = run_all(works, {.workers = 3, .limits = {.time = Seconds(0.2)}});
  for (const std::size_t late : {0U, 1U}) {
    EXPECT_EQ(outcomes[late].ending, Ending::Failed);
    EXPECT_EQ(outcomes[late].reason, "took longer than the time limit of 200 ms");
    EXPECT_GE(outcomes[late].wall_time, Seconds(0.2));
  }
  EXPECT_EQ(outcomes[2].value, "quick");
}

#ifndef __SANITIZE_ADDRESS__ // its shadow memory is far beyond any limit
TEST(ProcessPool, MemoryOverTheLimitIsAFailureWithThatReason) {
  const auto taking = [](std::size_t mebibytes) {
    return [mebibytes] { return std::string(mebibytes << 20U, 'x').substr(0, 1); };
  };
  const std::vector<Work> works{taking(1024), taking(16)};
  const std::vector<Outcome> outcomes = run_all(works, {.limits = {.memory = Bytes(256.0 * 1024 * 1024)}});
  EXPECT_EQ(outcomes[0].ending, Ending::Failed);
  EXPECT_EQ(outcomes[0].reason, "needed more memory than the limit of 256 MiB");
  EXPECT_EQ(outcomes[1].value, "x");
}
#endif

TEST(ProcessPool, CountsWhatIsDoneRunningAndFailed) {
  std::vector<Work> works(6, [] { return std::string(); });
  works[2] = []() -> std::string { throw std::runtime_error("no luck"); };
  works[4] = []() -> std::string { throw InputError({"a.yaml"}, "", "wrong; right"); };
  Progress last;
  std::size_t most = 0;
  (void)run_all(works, {.workers = 2}, [&](const Progress& progress) {
    EXPECT_LE(progress.done + progress.failed + progress.refused + progress.running, 6U);
    most = std::max(most, progress.running);
    last = progress;
  });
  EXPECT_EQ(most, 2U);
  EXPECT_EQ(last.done, 4U);
  EXPECT_EQ(last.failed, 1U);
  EXPECT_EQ(last.refused, 1U);
  EXPECT_EQ(last.running, 0U);
  EXPECT_EQ(last.total, 6U);
}

TEST(ProcessPool, StartsTheNextPieceBeforeAnOutcomeIsDealtWith) {
  std::array<int, 2> started{};
  ASSERT_EQ(pipe(started.data()), 0);
  run_each(
      2,
      [&](std::size_t index) {
        const char letter = index == 0 ? 'a' : 'b';
        EXPECT_EQ(write(started[1], &letter, 1), 1);
        return std::string();
      },
      {},
      [&](std::size_t index, const Outcome&) {
        std::array<char, 2> letters{};
        if (index > 0)
          return;
        for (char& letter : letters) // would wait for ever if the second one came later
          ASSERT_EQ(read(started[0], &letter, 1), 1);
      });
}

TEST(ProcessPool, AnExceptionOfTheSinkEndsAllProcesses) {
  const auto wait_for_ever = [](std::size_t index) -> std::string {
    while (index == 1)
      pause();
    return "";
  };
  EXPECT_THROW(run_each(2, wait_for_ever, {.workers = 2},
                        [](std::size_t, const Outcome&) { throw std::runtime_error("disk full"); }),
               std::runtime_error);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no process is left";
}

// The grandchild holds the write end of the pipe: its end is the end of the file.
TEST(ProcessPool, ProcessesEndWithTheirParentEvenIfItIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    (void)outcome_of([&]() -> std::string {
      EXPECT_EQ(write(ends[1], "x", 1), 1);
      while (true)
        pause();
    });
    _exit(0);
  }
  close(ends[1]);
  char letter = 0;
  ASSERT_EQ(read(ends[0], &letter, 1), 1);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_EQ(read(ends[0], &letter, 1), 0);
}

TEST(ProcessPool, NothingToDoIsDone) {
  EXPECT_THAT(run_all({}), ElementsAre());
}

} // namespace
} // namespace moesim::pool
