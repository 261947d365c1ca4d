// Hand-made records of a few rows: rank, stream, phase, start, end; the rest has defaults.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::testing {

struct Row {
  std::uint32_t rank = 0;
  std::string stream = "compute";
  std::string phase = "forward";
  double start = 0;
  double end = 0;
  std::int32_t micro_batch = 0;
  std::string name = "attention";
};

inline std::size_t index_of(const std::vector<std::string>& words, const std::string& word) {
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

// Rank i sits on stage stages[i]; every rank represents itself. Every row is a task of its own, with the number of the
// row, that waits for nothing; see same_task() and wait(). The makespan is the last end.
inline record::RunRecord record_of(const std::vector<std::uint32_t>& stages, std::vector<Row> rows) {
  record::RunRecord run;
  for (std::uint32_t rank = 0; rank < stages.size(); ++rank) {
    for (auto* column :
         {&run.ranks.node, &run.ranks.tp, &run.ranks.cp, &run.ranks.dp, &run.ranks.etp, &run.ranks.ep, &run.ranks.edp})
      column->push_back(0);
    run.ranks.pp.push_back(stages[rank]);
    run.ranks.representative.push_back(rank);
  }
  record::TaskTable& tasks = run.tasks;
  tasks.streams = {"compute", "tp", "cp", "ep", "dp", "pp-send-next", "pp-send-prev", "pp-recv-next", "pp-recv-prev"};
  tasks.kinds = {"compute", "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "send-recv"};
  tasks.names = {"attention", "experts", "transfer", "optimizer", "grad-reduce"};
  tasks.phases = {"forward",   "backward",   "backward-weight", "gradients",
                  "optimizer", "parameters", "prefill",         "decode"};
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    return std::tuple(a.rank, a.start, index_of(tasks.streams, a.stream)) <
           std::tuple(b.rank, b.start, index_of(tasks.streams, b.stream));
  });
  for (const Row& row : rows) {
    tasks.start.push_back(row.start);
    tasks.end.push_back(row.end);
    tasks.rank.push_back(row.rank);
    tasks.stream.push_back(static_cast<std::uint8_t>(index_of(tasks.streams, row.stream)));
    tasks.kind.push_back(row.stream == "compute" ? 0 : row.stream.starts_with("pp") ? 5 : 1);
    tasks.name.push_back(static_cast<std::uint16_t>(index_of(tasks.names, row.name)));
    tasks.layer.push_back(0);
    tasks.micro_batch.push_back(row.micro_batch);
    tasks.chunk.push_back(0);
    tasks.phase.push_back(static_cast<std::uint8_t>(index_of(tasks.phases, row.phase)));
    tasks.task.push_back(static_cast<std::uint32_t>(tasks.task.size())); // of its own
    tasks.bytes.push_back(1e6);
    tasks.flops.push_back(0);
    run.figures.makespan = std::max(run.figures.makespan, row.end);
  }
  run.dependencies.first.assign(tasks.size() + 1, 0);
  run.figures.name = "made by hand";
  return run;
}

// The row of a rank that starts at `start`; on `stream` when several do.
inline std::uint32_t row_at(const record::RunRecord& run, std::uint32_t rank, double start,
                            const std::string& stream = {}) {
  for (std::uint32_t row = 0; row < run.tasks.size(); ++row)
    if (run.tasks.rank[row] == rank && run.tasks.start[row] == start &&
        (stream.empty() || run.tasks.streams[run.tasks.stream[row]] == stream))
      return row;
  throw std::invalid_argument("no such row");
}

// Makes one task of the rows of a collective or transfer; call before wait().
inline void same_task(record::RunRecord& run, const std::vector<std::uint32_t>& rows) {
  for (const std::uint32_t row : rows)
    run.tasks.task[row] = run.tasks.task[rows.front()];
}

// Makes the task of row `row` wait for those of `before`.
inline void wait(record::RunRecord& run, std::uint32_t row, const std::vector<std::uint32_t>& before) {
  const std::uint32_t task = run.tasks.task[row];
  for (const std::uint32_t other : before) {
    record::Dependencies& dependencies = run.dependencies;
    const auto list = dependencies.of(task);
    const auto place = std::ranges::upper_bound(list, run.tasks.task[other]) - list.begin();
    dependencies.before.insert(dependencies.before.begin() + dependencies.first[task] + place, run.tasks.task[other]);
    for (std::size_t next = task + 1; next < dependencies.first.size(); ++next)
      ++dependencies.first[next];
  }
}

} // namespace moesim::testing
