#include "simulator/run/recorder.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace moesim::run {
namespace {

// One row of the table before its columns are filled in.
struct Row {
  double start;
  std::uint32_t task;
  std::uint32_t member; // of the task
  std::uint8_t stream;
};

template <class Enum>
std::vector<std::string> words(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < count; ++at)
    names.emplace_back(graph::name_of(static_cast<Enum>(at)));
  return names;
}

// The rows of all ranks, rank by rank, each rank's in order of time.
std::vector<Row> sorted_rows(const graph::TaskGraph& graph, const std::vector<double>& start,
                             std::vector<std::size_t>& last_of_rank) {
  std::vector<std::size_t> next(graph.rank_count() + 1, 0);
  for (const graph::Task& task : graph.tasks())
    for (const RankId member : graph.members(task))
      ++next[member.value() + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<Row> rows(graph.row_count());
  for (std::uint32_t task = 0; task < graph.task_count(); ++task) {
    const graph::Task& of = graph.task(TaskId(task));
    const auto members = graph.members(of);
    for (std::size_t member = 0; member < members.size(); ++member)
      rows[next[members[member].value()]++] = {start[task], task, static_cast<std::uint32_t>(member),
                                               static_cast<std::uint8_t>(graph::stream_at(of, member))};
  }
  last_of_rank.assign(next.begin(), next.end() - 1);
  auto first = rows.begin();
  for (const std::size_t last : last_of_rank) {
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(last);
    std::sort(first, end, [](const Row& a, const Row& b) {
      return std::tie(a.start, a.stream, a.task) < std::tie(b.start, b.stream, b.task);
    });
    first = end;
  }
  return rows;
}

} // namespace

record::TaskTable empty_table() {
  record::TaskTable table;
  table.streams = words<graph::Stream>(graph::stream_count);
  table.kinds = words<graph::Kind>(graph::kind_count);
  table.phases = words<graph::Phase>(graph::phase_count);
  return table;
}

Recorder::Recorder(const graph::TaskGraph& graph, const execution::Costs& costs)
    : graph_(graph), costs_(costs), start_(graph.task_count(), 0), end_(graph.task_count(), 0),
      links_(costs.links.size()) {}

void Recorder::flow_ran(const execution::Flow& flow, Seconds start, Seconds end) {
  for (const execution::Crossing& crossing : flow.route)
    links_.add(crossing.link, static_cast<double>(crossing.times) * flow.bytes, start, end);
}

record::TaskTable Recorder::timeline() const {
  std::vector<std::size_t> last_of_rank;
  const std::vector<Row> rows = sorted_rows(graph_, start_, last_of_rank);
  record::TaskTable table = empty_table();
  table.names = graph_.names();
  const auto fill = [&](auto& column, auto value) {
    column.reserve(rows.size());
    for (const Row& row : rows)
      column.push_back(value(row, graph_.task(TaskId(row.task))));
  };
  using graph::Task;
  fill(table.start, [](const Row& row, const Task&) { return row.start; });
  fill(table.end, [this](const Row& row, const Task&) { return end_[row.task]; });
  fill(table.stream, [](const Row& row, const Task&) { return row.stream; });
  fill(table.kind, [](const Row&, const Task& task) { return static_cast<std::uint8_t>(task.kind); });
  fill(table.name, [](const Row&, const Task& task) { return task.name; });
  fill(table.layer, [](const Row&, const Task& task) { return task.layer; });
  fill(table.micro_batch, [](const Row&, const Task& task) { return task.micro_batch; });
  fill(table.chunk, [](const Row&, const Task& task) { return task.chunk; });
  fill(table.phase, [](const Row&, const Task& task) { return static_cast<std::uint8_t>(task.phase); });
  fill(table.bytes, [this](const Row& row, const Task& task) { return graph_.use_of(task, row.member).bytes.value(); });
  fill(table.flops, [this](const Row&, const Task& task) { return graph_.work(task).flops.value(); });
  table.rank.reserve(rows.size());
  for (std::uint32_t rank = 0; rank < last_of_rank.size(); ++rank)
    table.rank.resize(last_of_rank[rank], graph_.folding().representative[rank].value());
  fill(table.task, [](const Row& row, const Task&) { return row.task; });
  return table;
}

record::Dependencies Recorder::dependencies() const {
  record::Dependencies result;
  result.first.reserve(graph_.task_count() + 1);
  result.first.push_back(0);
  for (const std::uint32_t count : graph_.predecessor_counts())
    result.first.push_back(result.first.back() + count);
  result.before.resize(result.first.back());
  std::vector<std::uint32_t> next(result.first.begin(), result.first.end() - 1);
  for (std::uint32_t task = 0; task < graph_.task_count(); ++task)
    for (const std::uint32_t successor : graph_.successors(TaskId(task)))
      result.before[next[successor]++] = task;
  return result;
}

record::LinkLoad Recorder::link_load() const {
  record::LinkLoad load;
  for (const execution::Link& link : costs_.links) {
    load.names.push_back(link.name);
    load.capacity.push_back(link.capacity.value());
  }
  load.row_of_link = costs_.class_of_link;
  load.bin_width = links_.bin_width();
  load.bins = LinkHistogram::bins;
  load.bytes = links_.bytes();
  return load;
}

} // namespace moesim::run
