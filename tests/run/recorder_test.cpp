#include "simulator/run/recorder.hpp"

#include <gmock/gmock.h>

namespace moesim::run {
namespace {

using testing::ElementsAre;

// A kernel on each of two ranks, then an all-gather of both and a transfer from rank 1 to rank 0.
graph::TaskGraph two_ranks() {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 2;
  parts.names = {"work", "gather", "gradient"};
  parts.works.resize(2);
  parts.works[0].flops = Flops(7);
  parts.works[1].bytes = Bytes(9);
  parts.groups = {{RankId(0), RankId(1)}, {RankId(1), RankId(0)}};
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    graph::Task kernel;
    kernel.place = rank;
    kernel.layer = 3;
    kernel.micro_batch = 5;
    parts.tasks.push_back(kernel);
  }
  graph::Task gather;
  gather.kind = graph::Kind::AllGather;
  gather.stream = graph::Stream::Tp;
  gather.name = 1;
  gather.work = 1;
  graph::Task transfer = gather;
  transfer.kind = graph::Kind::SendRecv;
  transfer.stream = graph::Stream::PpSendPrev;
  transfer.place = 1;
  transfer.name = 2;
  parts.tasks.insert(parts.tasks.end(), {gather, transfer});
  return graph::TaskGraph(std::move(parts));
}

TEST(Recorder, WritesARowForEveryMemberInOrderOfRankAndTime) {
  const graph::TaskGraph graph = two_ranks();
  const execution::Costs costs;
  Recorder recorder(graph, costs);
  recorder.task_ran(TaskId(1), Seconds(0), Seconds(1));
  recorder.task_ran(TaskId(3), Seconds(0), Seconds(4));
  recorder.task_ran(TaskId(0), Seconds(1), Seconds(2));
  recorder.task_ran(TaskId(2), Seconds(2), Seconds(5));
  const record::TaskTable table = recorder.timeline();
  EXPECT_THAT(table.task, ElementsAre(3, 0, 2, 1, 3, 2));
  EXPECT_THAT(table.rank, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(table.start, ElementsAre(0, 1, 2, 0, 0, 2));
  EXPECT_THAT(table.end, ElementsAre(4, 2, 5, 1, 4, 5));
  EXPECT_THAT(table.flops, ElementsAre(0, 7, 0, 7, 0, 0));
  EXPECT_THAT(table.bytes, ElementsAre(9, 0, 9, 0, 9, 9));
  EXPECT_THAT(table.layer, ElementsAre(-1, 3, -1, 3, -1, -1));
  EXPECT_THAT(table.micro_batch, ElementsAre(-1, 5, -1, 5, -1, -1));
  std::vector<std::string> streams;
  for (const std::uint8_t stream : table.stream)
    streams.push_back(table.streams[stream]);
  EXPECT_THAT(streams, ElementsAre("pp-recv-next", "compute", "tp", "compute", "pp-send-prev", "tp"));
}

} // namespace
} // namespace moesim::run
