// The command line itself.
#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

Outcome moesim(const Workplace::Arguments& arguments) {
  return Workplace().run(arguments);
}

void expect_help(const Workplace::Arguments& arguments, std::initializer_list<std::string_view> mentioned) {
  const Outcome outcome = moesim(arguments);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const std::string_view word : mentioned)
    EXPECT_NE(outcome.out.find(word), std::string::npos) << "no '" << word << "' in\n" << outcome.out;
}

TEST(Usage, HelpMentionsEveryOption) {
  expect_help({"--help"}, {"--help", "--version", "run ", "check ", "dump ", "gantt ", "schedule ", "sweep ",
                           "sweep-report ", "audit ", "calibrate ", "list "});
  expect_help({"run", "--help"}, {"scenario", "-o,--output", "--set", "--json", "--strict", "path.to.field=value"});
  expect_help({"check", "--help"}, {"scenario", "--set", "path.to.field=value"});
  expect_help({"dump", "--help"}, {"graph", "layout", "schedule", "platform", "scenario", "--set"});
  expect_help({"gantt", "--help"}, {"result", "-o,--output", "--ranks", "--width", ".svg", ".json"});
  expect_help({"schedule", "--help"},
              {"name", "--order", "--stages", "--microbatches", "--chunks", "--forward", "--backward-input",
               "--backward-weight", "--p2p", "--max-in-flight", "-o,--output", "--width", "--json"});
  expect_help({"sweep", "--help"}, {"sweep", "-o,--output", "-j,--jobs", "--dry-run", "--resume", "--keep",
                                    "--time-limit", "--memory-limit", "--status", "--slurm", "--no-wait",
                                    "--array-size", "--partition", "--account", "--time", "--sbatch-args"});
  expect_help({"sweep-report", "--help"}, {"folder", "-o,--output", "--width", ".svg", ".html"});
  expect_help({"audit", "--help"}, {"scenario", "-o,--output", ".html", "--json", "--strict"});
  expect_help({"calibrate", "--help"}, {"measured", "--base", "-o,--output", "microseconds"});
  expect_help({"list", "--help"}, {"gpus", "clusters", "models", "schedules", "collectives", "--json"});
}

TEST(Usage, Version) {
  const Outcome outcome = moesim({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, MOESIM_VERSION "\n");
  EXPECT_EQ(outcome.err, "");
}

void expect_refusal(const Workplace::Arguments& arguments, const std::string& message) {
  const Outcome outcome = moesim(arguments);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, message + "\nRun with --help for more information.\n");
}

TEST(Usage, UnknownWords) {
  expect_refusal({}, "A subcommand is required");
  expect_refusal({"chekc", "a.yaml"}, "unknown command 'chekc'; did you mean 'check'?");
  const Outcome outcome = moesim({"simulate"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err.find("unknown command 'simulate'; expected one of run, check, dump, "), 0U) << outcome.err;
  expect_refusal({"run", "--fast", "a.yaml"}, "The following argument was not expected: --fast");
  expect_refusal({"check", "a.yaml", "b.yaml"}, "The following argument was not expected: b.yaml");
  expect_refusal({"dump", "graphs", "a.yaml"}, "what: graphs not in {graph,layout,classes,schedule,routing,platform}");
}

TEST(Usage, MissingWords) {
  expect_refusal({"run"}, "scenario is required");
  expect_refusal({"check"}, "scenario is required");
  expect_refusal({"dump", "graph"}, "scenario is required");
  expect_refusal({"run", "a.yaml", "--set"}, "--set: 1 required TEXT missing");
  expect_refusal({"run", "a.yaml", "-o"}, "--output: 1 required TEXT missing");
}

} // namespace
} // namespace moesim::testing
