#include "simulator/graph/task_graph.hpp"

#include <random>

#include <gmock/gmock.h>

#include "simulator/base/check.hpp"

namespace moesim::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Task compute(std::uint32_t rank) {
  Task task;
  task.place = rank;
  return task;
}

// Compute tasks on rank 0, joined as told; all do the same work.
TaskGraph::Parts parts_of(std::size_t tasks, std::vector<std::pair<std::uint32_t, std::uint32_t>> edges) {
  TaskGraph::Parts parts;
  parts.tasks.assign(tasks, compute(0));
  parts.edges = std::move(edges);
  parts.works.emplace_back();
  parts.names = {"work"};
  parts.rank_count = 1;
  return parts;
}

std::vector<Seconds> seconds(std::initializer_list<double> values) {
  std::vector<Seconds> result;
  for (const double value : values)
    result.emplace_back(value);
  return result;
}

TEST(TaskGraph, MergesRepeatedEdgesAndSortsThem) {
  const TaskGraph graph(parts_of(4, {{2, 3}, {0, 3}, {0, 1}, {0, 3}, {0, 2}}));
  EXPECT_EQ(graph.edge_count(), 4u);
  EXPECT_THAT(graph.successors(TaskId(0)), ElementsAre(1, 2, 3));
  EXPECT_THAT(graph.successors(TaskId(1)), ElementsAre());
  EXPECT_THAT(graph.predecessor_counts(), ElementsAre(0, 1, 1, 2));
}

TEST(TaskGraph, IsEmptyWithoutTasks) {
  const TaskGraph graph(parts_of(0, {}));
  EXPECT_EQ(graph.task_count(), 0u);
  EXPECT_THAT(topological_order(graph), ElementsAre());
  EXPECT_EQ(critical_path(graph, {}), Seconds(0));
}

TEST(TaskGraph, CountsRowsPerMember) {
  TaskGraph::Parts parts = parts_of(1, {});
  parts.rank_count = 4;
  parts.groups = {{RankId(0), RankId(1), RankId(3)}, {RankId(2), RankId(1)}};
  Task gather;
  gather.kind = Kind::AllGather;
  gather.stream = Stream::Tp;
  Task transfer;
  transfer.kind = Kind::SendRecv;
  transfer.place = 1;
  transfer.stream = Stream::PpSendPrev;
  parts.tasks.insert(parts.tasks.end(), {gather, transfer});
  const TaskGraph graph(std::move(parts));
  EXPECT_EQ(graph.row_count(), 1u + 3u + 2u);
  EXPECT_THAT(graph.members(graph.task(TaskId(2))), ElementsAre(RankId(2), RankId(1)));
  EXPECT_EQ(stream_at(graph.task(TaskId(2)), 0), Stream::PpSendPrev);
  EXPECT_EQ(stream_at(graph.task(TaskId(2)), 1), Stream::PpRecvNext);
  EXPECT_EQ(stream_at(graph.task(TaskId(1)), 2), Stream::Tp);
}

TEST(TaskGraph, RefusesIndicesOutOfRange) {
  EXPECT_THROW(TaskGraph(parts_of(2, {{0, 2}})), InternalError);
  TaskGraph::Parts parts = parts_of(1, {});
  parts.tasks[0].place = 1;
  EXPECT_THROW(TaskGraph(std::move(parts)), InternalError);
}

TEST(TaskGraph, OrdersTasksAfterWhatTheyWaitFor) {
  std::mt19937 random(7);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  for (int edge = 0; edge < 3000; ++edge) {
    const auto a = static_cast<std::uint32_t>(random() % 500);
    const auto b = static_cast<std::uint32_t>(random() % 500);
    if (a != b)
      edges.emplace_back(std::max(a, b), std::min(a, b)); // downwards, so that index order is wrong
  }
  const TaskGraph graph(parts_of(500, edges));
  std::vector<std::size_t> position(500);
  const std::vector<std::uint32_t> order = topological_order(graph);
  for (std::size_t at = 0; at < order.size(); ++at)
    position[order[at]] = at;
  ASSERT_EQ(order.size(), 500u);
  for (const auto& [before, after] : edges)
    EXPECT_LT(position[before], position[after]);
}

TEST(TaskGraph, ReportsTheTasksOfACycleAndNoOthers) {
  const TaskGraph graph(parts_of(6, {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}, {4, 5}}));
  try {
    (void)topological_order(graph);
    FAIL() << "the cycle went unnoticed";
  } catch (const InternalError& error) {
    EXPECT_EQ(std::string(error.what()), "these tasks wait for each other in a circle:\n"
                                         "  1 compute work forward rank=0 stream=compute flops=0 bytes=0 before=2\n"
                                         "  2 compute work forward rank=0 stream=compute flops=0 bytes=0 before=3\n"
                                         "  3 compute work forward rank=0 stream=compute flops=0 bytes=0 before=1,4");
  }
}

TEST(TaskGraph, CriticalPathIsTheLongestChain) {
  const TaskGraph graph(parts_of(5, {{0, 1}, {1, 3}, {0, 2}, {2, 3}}));
  EXPECT_EQ(critical_path(graph, seconds({1, 2, 5, 1, 6.5})), Seconds(7)); // 0, 2, 3
  EXPECT_EQ(critical_path(graph, seconds({1, 2, 5, 1, 8})), Seconds(8));   // 4 alone
}

TEST(TaskGraph, DescribesEverythingThatATaskSays) {
  TaskGraph::Parts parts = parts_of(2, {{0, 1}});
  parts.works[0].flops = Flops(12);
  parts.works[0].bytes = Bytes(34);
  parts.tasks[0].micro_batch = 3;
  parts.tasks[0].layer = 2;
  parts.tasks[0].chunk = 1;
  parts.tasks[0].phase = Phase::Backward;
  const TaskGraph graph(std::move(parts));
  EXPECT_EQ(describe(graph, TaskId(0)),
            "0 compute work backward micro_batch=3 layer=2 chunk=1 rank=0 stream=compute flops=12 bytes=34 before=1");
  EXPECT_EQ(describe(graph, TaskId(1)), "1 compute work forward rank=0 stream=compute flops=12 bytes=34 before=-");
}

} // namespace
} // namespace moesim::graph
