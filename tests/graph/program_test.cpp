#include "simulator/graph/program.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "simulator/base/check.hpp"

namespace moesim::graph {
namespace {

using testing::ElementsAre;
using Index = Program::StepIndex;

Step step(Kind kind, Stream stream) {
  Step result;
  result.task.kind = kind;
  result.task.stream = stream;
  return result;
}

Step compute() {
  return step(Kind::Compute, Stream::Compute);
}
Step gather() {
  return step(Kind::AllGather, Stream::Tp);
}

Step transfer(Stream stream, std::uint32_t peer, bool receives) {
  Step result = step(Kind::SendRecv, stream);
  result.peer_stage = peer;
  result.receives = receives;
  result.task.micro_batch = 0;
  return result;
}

Index add(Program& program, const Step& step, std::vector<Index> after) {
  return program.add(step, after);
}

TEST(Program, AStepWaitsForTheOneBeforeItOnItsStream) {
  Program program;
  add(program, compute(), {});
  add(program, compute(), {});
  EXPECT_THAT(program.dependencies(1), ElementsAre(0));
}

TEST(Program, LeavesOutWhatIsImplied) {
  Program program;
  const Index a = add(program, compute(), {});
  const Index b = add(program, gather(), {a});
  const Index c = add(program, compute(), {a, b}); // a is implied by b, and as the previous step of the stream
  EXPECT_THAT(program.dependencies(c), ElementsAre(b));
  const Index d = add(program, gather(), {c, b, a}); // the gather before is implied by c
  EXPECT_THAT(program.dependencies(d), ElementsAre(c));
}

TEST(Program, StreamsThatShareAQueueTakeTurns) {
  Queues queues = own_queues();
  queues[static_cast<std::size_t>(Stream::Dp)] = Stream::Tp;
  Program shared(queues);
  const Index a = add(shared, gather(), {});
  const Index b = add(shared, step(Kind::AllReduce, Stream::Dp), {});
  const Index c = add(shared, gather(), {});
  add(shared, step(Kind::AllToAll, Stream::Ep), {});
  EXPECT_THAT(shared.dependencies(b), ElementsAre(a));
  EXPECT_THAT(shared.dependencies(c), ElementsAre(b));
  EXPECT_THAT(shared.dependencies(3), ElementsAre()); // in a queue of its own
  EXPECT_EQ(shared.steps()[b].task.stream, Stream::Dp);
}

TEST(Program, KeepsWhatIsNotImplied) {
  Program program;
  const Index a = add(program, compute(), {});
  const Index b = add(program, gather(), {});
  const Index c = add(program, compute(), {b});
  EXPECT_THAT(program.dependencies(c), ElementsAre(a, b));
}

TEST(Program, AReceiveOccupiesTheReceivingStream) {
  Program program;
  const Index send = add(program, transfer(Stream::PpSendNext, 1, false), {});
  const Index receive = add(program, transfer(Stream::PpSendNext, 1, true), {}); // pp-recv-prev here
  EXPECT_THAT(program.dependencies(receive), ElementsAre());
  const Index again = add(program, transfer(Stream::PpSendNext, 1, false), {});
  EXPECT_THAT(program.dependencies(again), ElementsAre(send));
}

// Two stages of two ranks, tensor groups {0,1} and {2,3}; the other dimensions have groups of one.
Membership two_stages() {
  Membership membership;
  membership.folding = unfolded(4);
  membership.stages = {{RankId(0), RankId(1)}, {RankId(2), RankId(3)}};
  for (auto& groups : membership.groups)
    groups = {{RankId(0)}, {RankId(1)}, {RankId(2)}, {RankId(3)}};
  membership.groups[static_cast<std::size_t>(Dimension::Tp)] = {{RankId(0), RankId(1)}, {RankId(2), RankId(3)}};
  return membership;
}

Programs forward_through_two_stages() {
  Programs programs;
  programs.works.emplace_back();
  programs.names = {"x"};
  Program first;
  const Index work = add(first, compute(), {});
  const Index sum = add(first, gather(), {work});
  add(first, transfer(Stream::PpSendNext, 1, false), {sum});
  Program second;
  const Index received = add(second, transfer(Stream::PpSendNext, 0, true), {});
  add(second, compute(), {received});
  programs.stages = {first, second};
  return programs;
}

TEST(Expand, MakesOneTaskPerRankGroupAndPair) {
  const TaskGraph graph = expand(forward_through_two_stages(), two_stages());
  std::string text;
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    text += describe(graph, TaskId(task)) + "\n";
  EXPECT_EQ(text, "0 compute x forward rank=0 stream=compute flops=0 bytes=0 before=2\n"
                  "1 compute x forward rank=1 stream=compute flops=0 bytes=0 before=2\n"
                  "2 all-gather x forward ranks=0,1 stream=tp flops=0 bytes=0 before=3,4\n"
                  "3 send-recv x forward micro_batch=0 ranks=0,2 stream=pp-send-next flops=0 bytes=0 before=5\n"
                  "4 send-recv x forward micro_batch=0 ranks=1,3 stream=pp-send-next flops=0 bytes=0 before=6\n"
                  "5 compute x forward rank=2 stream=compute flops=0 bytes=0 before=-\n"
                  "6 compute x forward rank=3 stream=compute flops=0 bytes=0 before=-\n");
}

TEST(Expand, RefusesAReceiveWithoutSend) {
  Programs programs = forward_through_two_stages();
  programs.stages[0] = Program();
  EXPECT_THROW((void)expand(programs, two_stages()), InternalError);
}

// A micro-batch of inference goes through the stages once per token.
TEST(Expand, MatchesTransfersOfOneMicroBatchInTheirOrder) {
  Programs programs = forward_through_two_stages();
  const Index again = add(programs.stages[0], compute(), {2});
  add(programs.stages[0], transfer(Stream::PpSendNext, 1, false), {again});
  const Index received = add(programs.stages[1], transfer(Stream::PpSendNext, 0, true), {1});
  add(programs.stages[1], compute(), {received});
  const TaskGraph graph = expand(programs, two_stages());
  // Transfers of rank 0 are tasks 3 and 7; each lets one of the kernels of rank 2 start, tasks 9 and 11.
  EXPECT_EQ(describe(graph, TaskId(3)).substr(describe(graph, TaskId(3)).find("before")), "before=5,9");
  EXPECT_EQ(describe(graph, TaskId(7)).substr(describe(graph, TaskId(7)).find("before")), "before=11");
  add(programs.stages[1], transfer(Stream::PpSendNext, 0, true), {});
  EXPECT_THROW((void)expand(programs, two_stages()), InternalError); // one receive more than there are sends
}

// Both ranks of a stage behave alike: half the tasks, and each says which ranks of the job it is about.
TEST(Expand, FoldedRanksHaveOneTask) {
  Membership membership = two_stages();
  membership.folding = {{0, 0, 1, 1}, {RankId(0), RankId(2)}, {2, 2}};
  membership.stages = {{RankId(0)}, {RankId(1)}};
  for (auto& groups : membership.groups)
    groups = {{RankId(0)}, {RankId(2)}};
  membership.groups[static_cast<std::size_t>(Dimension::Tp)] = {{RankId(0), RankId(1)}, {RankId(2), RankId(3)}};
  const TaskGraph graph = expand(forward_through_two_stages(), membership);
  std::string text;
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    text += describe(graph, TaskId(task)) + "\n";
  EXPECT_EQ(text, "0 compute x forward rank=0 stream=compute flops=0 bytes=0 before=1\n"
                  "1 all-gather x forward ranks=0,1 stream=tp flops=0 bytes=0 before=2\n"
                  "2 send-recv x forward micro_batch=0 ranks=0,2 stream=pp-send-next flops=0 bytes=0 before=3\n"
                  "3 compute x forward rank=2 stream=compute flops=0 bytes=0 before=-\n");
  EXPECT_EQ(graph.rank_count(), 2U);
  EXPECT_THAT(graph.members(graph.task(TaskId(1))), ElementsAre(RankId(0)));
  EXPECT_THAT(graph.members(graph.task(TaskId(2))), ElementsAre(RankId(0), RankId(1)));
  EXPECT_EQ(graph.row_count(), 5U);
}

TEST(Expand, RefusesARankInNoGroup) {
  Membership membership = two_stages();
  membership.groups[static_cast<std::size_t>(Dimension::Tp)].erase(
      membership.groups[static_cast<std::size_t>(Dimension::Tp)].begin());
  EXPECT_THROW((void)expand(forward_through_two_stages(), membership), InternalError);
}

TEST(Expand, RefusesAGroupThatSpansStages) {
  Membership membership = two_stages();
  membership.groups[static_cast<std::size_t>(Dimension::Tp)] = {{RankId(0), RankId(2)}, {RankId(1), RankId(3)}};
  EXPECT_THROW((void)expand(forward_through_two_stages(), membership), InternalError);
}

// Two ranks with loads of their own: kernels of two works, and an all-to-all whose members hold as much as they get.
Programs programs_by_load() {
  Programs programs;
  programs.works.resize(3);
  programs.works[1].bytes = Bytes(10);
  programs.works[1].allocated[Memory::Communication] = Bytes(30);
  programs.works[2].bytes = Bytes(20);
  programs.works[2].allocated[Memory::Communication] = Bytes(5);
  programs.names = {"x"};
  programs.families = {{0, {1, 2}}};
  programs.loads.position_of = {0, 1};
  programs.loads.matrices = {nullptr, std::make_shared<const TokenMatrix>(TokenMatrix{2, 1, {0, 1, 2, 0}, {1, 2}})};
  programs.loads.spreads = {{{0, 1}, {1, 1}, {}}, {{1, 1}, {0, 0}, {}}};
  programs.loads.layers = 1;
  programs.loads.micro_batches = 2;
  programs.loads.spread_of = {0, 1};
  Program& program = programs.stages.emplace_back();
  for (const std::int32_t micro_batch : {0, 1})
    for (const Kind kind : {Kind::Compute, Kind::AllToAll}) {
      Step by_load = step(kind, kind == Kind::Compute ? Stream::Compute : Stream::Ep);
      by_load.over = Dimension::Ep;
      by_load.family = 0;
      by_load.task.layer = 0;
      by_load.task.micro_batch = micro_batch;
      program.add(by_load, {});
    }
  return programs;
}

Membership two_ranks() {
  Membership membership;
  membership.folding = unfolded(2);
  membership.stages = {{RankId(0), RankId(1)}};
  membership.groups[static_cast<std::size_t>(Dimension::Ep)] = {{RankId(0), RankId(1)}};
  return membership;
}

TEST(Expand, GivesEachRankTheWorkOfItsLoad) {
  const Programs programs = programs_by_load();
  const TaskGraph graph = expand(programs, two_ranks());
  std::vector<double> kernels;
  for (const Task& task : graph.tasks())
    if (task.kind == Kind::Compute)
      kernels.push_back(graph.work(task).bytes.value());
  EXPECT_THAT(kernels, ElementsAre(10, 20, 20, 20)); // both micro-batches, rank by rank
}

TEST(Expand, MembersOfAGroupHoldWhatTheyGet) {
  const Programs programs = programs_by_load();
  const TaskGraph graph = expand(programs, two_ranks());
  std::vector<const Task*> exchanges;
  for (const Task& task : graph.tasks())
    if (task.kind == Kind::AllToAll)
      exchanges.push_back(&task);
  ASSERT_EQ(exchanges.size(), 2U);
  EXPECT_EQ(graph.work(*exchanges[0]).tokens.matrix, programs.loads.matrices[1]);
  EXPECT_EQ(graph.work(*exchanges[0]).bytes, Bytes(20)); // the most
  EXPECT_EQ(graph.use_of(*exchanges[0], 0).bytes, Bytes(10));
  EXPECT_EQ(graph.use_of(*exchanges[0], 0).allocated[Memory::Communication], Bytes(30));
  EXPECT_EQ(graph.use_of(*exchanges[0], 1).allocated[Memory::Communication], Bytes(5));
  EXPECT_TRUE(graph.work(*exchanges[1]).members.empty()); // alike
  EXPECT_EQ(graph.work(*exchanges[1]).tokens.matrix, nullptr);
}

} // namespace
} // namespace moesim::graph
