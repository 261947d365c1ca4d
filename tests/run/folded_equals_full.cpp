#include "tests/run/folded_equals_full.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/time_budget.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/record/temporary_folder.hpp"

namespace moesim::run {
namespace {

// SimGrid allows one simulation per process.
record::RunRecord simulate_in_child(const scenario::Scenario& scenario) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "result.h5";
  const pid_t child = fork();
  if (child == 0) {
    try {
      record::RunRecord run = simulate(scenario, {});
      run.summary_json = "{}";
      record::write(run, file);
      _exit(EXIT_SUCCESS);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(EXIT_FAILURE);
    }
  }
  int status = EXIT_FAILURE;
  if (waitpid(child, &status, 0) != child || status != EXIT_SUCCESS)
    throw std::runtime_error("a run failed");
  return record::read(file);
}

// The rows of a rank, stream by stream, each in the order in which they ran.
std::map<std::uint8_t, std::vector<std::size_t>> rows_by_stream(const record::RunRecord& run, std::uint32_t rank) {
  std::map<std::uint8_t, std::vector<std::size_t>> streams;
  const record::RowRange rows = rows_of(run, rank);
  for (std::size_t row = rows.first; row < rows.last; ++row)
    streams[run.tasks.stream[row]].push_back(row);
  return streams;
}

void expect_same_task(const record::RunRecord& folded, std::size_t at, const record::RunRecord& full, std::size_t row) {
  const record::TaskTable& a = folded.tasks;
  const record::TaskTable& b = full.tasks;
  const double tolerance = 1e-9 * full.figures.makespan;
  ASSERT_NEAR(a.start[at], b.start[row], tolerance);
  ASSERT_NEAR(a.end[at], b.end[row], tolerance);
  ASSERT_EQ(a.kind[at], b.kind[row]);
  ASSERT_EQ(a.name[at], b.name[row]);
  ASSERT_EQ(a.layer[at], b.layer[row]);
  ASSERT_EQ(a.micro_batch[at], b.micro_batch[row]);
  ASSERT_EQ(a.phase[at], b.phase[row]);
  ASSERT_EQ(a.bytes[at], b.bytes[row]);
  ASSERT_EQ(a.flops[at], b.flops[row]);
}

void expect_same_tasks(const record::RunRecord& folded, const record::RunRecord& full) {
  for (std::uint32_t rank = 0; rank < full.ranks.size(); ++rank) {
    SCOPED_TRACE("rank " + std::to_string(rank));
    const auto expected = rows_by_stream(full, rank);
    const auto streams = rows_by_stream(folded, rank);
    ASSERT_EQ(streams.size(), expected.size());
    for (const auto& [stream, rows] : expected) {
      const std::vector<std::size_t>& folded_rows = streams.at(stream);
      ASSERT_EQ(folded_rows.size(), rows.size());
      for (std::size_t at = 0; at < rows.size(); ++at) {
        expect_same_task(folded, folded_rows[at], full, rows[at]);
        if (::testing::Test::HasFatalFailure())
          return;
      }
    }
  }
}

// What each rank holds from which moment on.
std::map<std::uint32_t, std::vector<std::size_t>> memory_rows(const record::RunRecord& run) {
  std::map<std::uint32_t, std::vector<std::size_t>> rows;
  for (std::size_t row = 0; row < run.memory.rank.size(); ++row)
    rows[run.memory.rank[row]].push_back(row);
  return rows;
}

void expect_same_memory(const record::RunRecord& folded, const record::RunRecord& full) {
  const auto expected = memory_rows(full);
  const auto rows = memory_rows(folded);
  for (std::uint32_t rank = 0; rank < full.ranks.size(); ++rank) {
    const std::vector<std::size_t>& a = rows.at(folded.ranks.representative[rank]);
    const std::vector<std::size_t>& b = expected.at(rank);
    ASSERT_EQ(a.size(), b.size()) << rank;
    for (std::size_t at = 0; at < a.size(); ++at) {
      ASSERT_NEAR(folded.memory.time[a[at]], full.memory.time[b[at]], 1e-9 * full.figures.makespan);
      for (std::size_t category = 0; category < full.memory.bytes.size(); ++category)
        ASSERT_NEAR(folded.memory.bytes[category][a[at]], full.memory.bytes[category][b[at]], 1e-3) << rank;
    }
  }
}

void expect_same_links(const record::RunRecord& folded, const record::RunRecord& full) {
  ASSERT_EQ(folded.links.row_of_link.size(), full.links.row_of_link.size());
  ASSERT_EQ(folded.links.bin_width, full.links.bin_width);
  for (std::size_t link = 0; link < full.links.row_of_link.size(); ++link) {
    const std::size_t a = folded.links.row_of_link[link];
    const std::size_t b = full.links.row_of_link[link];
    ASSERT_EQ(folded.links.capacity[a], full.links.capacity[b]) << full.links.names[b];
    double most = 0;
    for (std::size_t bin = 0; bin < full.links.bins; ++bin)
      most = std::max(most, full.links.bytes[b * full.links.bins + bin]);
    for (std::size_t bin = 0; bin < full.links.bins; ++bin)
      ASSERT_NEAR(folded.links.bytes[a * full.links.bins + bin], full.links.bytes[b * full.links.bins + bin],
                  1e-6 * most)
          << full.links.names[b] << ", slice " << bin;
  }
}

// Why each rank idles.
void expect_same_bubbles(const record::RunRecord& folded, const record::RunRecord& full) {
  const analysis::TimeBudgets a = analysis::time_budgets(folded);
  const analysis::TimeBudgets b = analysis::time_budgets(full);
  for (std::uint32_t rank = 0; rank < full.ranks.size(); ++rank)
    for (std::size_t cause = 0; cause < analysis::bubble_cause_count; ++cause)
      ASSERT_NEAR(a.ranks[rank].bubbles[cause], b.ranks[rank].bubbles[cause], 1e-9 * full.figures.makespan)
          << name_of(static_cast<analysis::BubbleCause>(cause)) << " on rank " << rank;
}

} // namespace

std::uint32_t expect_folded_equals_full(scenario::Scenario scenario) {
  scenario.symmetry = scenario::Symmetry::Off;
  const record::RunRecord full = simulate_in_child(scenario);
  scenario.symmetry = scenario::Symmetry::Auto;
  const record::RunRecord folded = simulate_in_child(scenario);

  EXPECT_NEAR(folded.figures.makespan, full.figures.makespan, 1e-9 * full.figures.makespan);
  EXPECT_NEAR(folded.figures.ttft, full.figures.ttft, 1e-9 * full.figures.makespan);
  EXPECT_NEAR(folded.figures.tpot, full.figures.tpot, 1e-9 * full.figures.makespan);
  expect_same_tasks(folded, full);
  expect_same_memory(folded, full);
  expect_same_links(folded, full);
  expect_same_bubbles(folded, full);
  double tokens = 0;
  for (std::size_t slice = 0; slice < full.throughput.time.size(); ++slice)
    tokens += folded.throughput.tokens_per_s[slice] - full.throughput.tokens_per_s[slice];
  EXPECT_NEAR(tokens, 0, 1e-6 * full.figures.tokens_per_iteration / full.figures.makespan);

  std::uint32_t classes = 0;
  for (std::uint32_t rank = 0; rank < folded.ranks.size(); ++rank)
    if (folded.ranks.representative[rank] == rank)
      ++classes;
  if (!folded.symmetry.classes.empty()) {
    EXPECT_EQ(folded.symmetry.classes.back(), classes);
  }
  return classes;
}

} // namespace moesim::run
