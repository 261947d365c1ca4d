#include "simulator/slurm/job_array.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace moesim::slurm {
namespace {

using ::testing::ElementsAre;

TEST(JobArray, AsksSbatchForWhatWasAsked) {
  JobArray array{.name = "sweep", .script = "", .tasks = 8, .cpus = 2, .logs = "/out/slurm/0001"};
  EXPECT_THAT(sbatch_words(array),
              ElementsAre("sbatch", "--parsable", "--requeue", "--open-mode=append", "--job-name=sweep", "--array=0-7",
                          "--cpus-per-task=2", "--output=/out/slurm/0001/%a.log"));
  array.partition = "batch";
  array.account = "ml";
  array.time = "1:00:00";
  array.more = {"--qos=low", "--mem=4G"};
  const std::vector<std::string> words = sbatch_words(array);
  EXPECT_THAT(std::vector(words.begin() + 8, words.end()),
              ElementsAre("--partition=batch", "--account=ml", "--time=1:00:00", "--qos=low", "--mem=4G"));
}

TEST(JobArray, ReadsWhereTasksAre) {
  EXPECT_THAT(
      parse_tasks("12|0|COMPLETED\n12|1|RUNNING\nslurm_load_jobs error\n12|N/A|PENDING\n13|27|TIMEOUT\n"),
      ElementsAre(ArrayTask{"12", 0, "COMPLETED"}, ArrayTask{"12", 1, "RUNNING"}, ArrayTask{"13", 27, "TIMEOUT"}));
}

// Slurm's states as squeue spells them (JOB STATE CODES of its manual page): each is running, queued, or over.
TEST(JobArray, EveryStateIsOneThing) {
  const auto task = [](const char* state) { return ArrayTask{"1", 0, state}; };
  for (const char* state : {"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED"})
    EXPECT_TRUE(task(state).is_running() && !task(state).is_queued()) << state;
  for (const char* state : {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
    EXPECT_TRUE(!task(state).is_running() && task(state).is_queued()) << state;
  for (const char* state : {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
                            "PREEMPTED", "TIMEOUT"})
    EXPECT_TRUE(!task(state).is_running() && !task(state).is_queued()) << state;
  EXPECT_TRUE(task("CANCELLED").is_cancelled());
  EXPECT_FALSE(task("TIMEOUT").is_cancelled());
}

TEST(JobArray, WithoutSlurmSaysWhatToDo) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  EXPECT_FALSE(is_available());
  try {
    (void)tasks_named("sweep");
    FAIL() << "there is no squeue";
  } catch (const SlurmError& error) {
    EXPECT_STREQ(error.what(),
                 "Slurm is not here: there is no squeue on PATH; use a login node of its cluster, or leave "
                 "out --slurm to run the sweep on this computer");
  }
  setenv("PATH", path.c_str(), 1);
}

} // namespace
} // namespace moesim::slurm
