// The task graph: what every GPU of the job computes and sends, and what has to wait for what. It holds amounts (FLOPs,
// bytes), never seconds or hosts, so one graph runs on any platform. An immutable value in compressed sparse row form
// (Boost.Graph), at most 100 bytes a task with its edges (tested).
//
// A collective is one task of a group of ranks; a transfer is one task of an ordered pair (source, destination). Both
// occupy a stream on every member. That a stream runs its tasks in order is expressed by edges like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/base/ids.hpp"
#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"
#include "simulator/graph/folding.hpp"
#include "simulator/graph/memory_use.hpp"
#include "simulator/graph/token_traffic.hpp"

namespace moesim::graph {

// The in-order queues of a rank.
enum class Stream : std::uint8_t { Compute, Tp, Cp, Ep, Dp, PpSendNext, PpSendPrev, PpRecvNext, PpRecvPrev };
inline constexpr std::size_t stream_count = 9;

// RingExchange: every member sends to the next and receives from the one before, once around. Broadcast: from the first
// member. Dispatch and Combine: tokens to the ranks of their experts and back, each once for all experts of a node.
enum class Kind : std::uint8_t {
  Compute,
  AllReduce,
  AllGather,
  ReduceScatter,
  AllToAll,
  SendRecv,
  RingExchange,
  Broadcast,
  Dispatch,
  Combine
};
inline constexpr std::size_t kind_count = 10;

// Training has all but the last two, inference has those. Backward is the whole of it, or, where schedules split it,
// what gives the gradient of the input; BackwardWeight is then the rest.
enum class Phase : std::uint8_t {
  Forward,
  Backward,
  BackwardWeight,
  Gradients,
  Optimizer,
  Parameters,
  Prefill,
  Decode
};
inline constexpr std::size_t phase_count = 8;

[[nodiscard]] std::string_view name_of(Stream stream);
[[nodiscard]] std::string_view name_of(Kind kind);
// Whether each member sends something else to each other, as experts' tokens want it.
[[nodiscard]] bool moves_tokens(Kind kind);
[[nodiscard]] std::string_view name_of(Phase phase);

// Where a token goes that is dispatched or combined: to `per_token` of `experts` experts, which are spread evenly over
// the members in their order and all as likely. Where the experts form `groups` groups (in their order, too), they are
// of at most `groups_per_token` of them: node-limited routing (DeepSeek-V3, arXiv 2412.19437, section 2.1.2).
struct TokenRouting {
  std::int32_t experts = 1;
  std::int32_t per_token = 1;
  std::int32_t groups = 1;
  std::int32_t groups_per_token = 1;
  Bytes token; // a copy of one; 0: not known

  auto operator<=>(const TokenRouting&) const = default;
};

// What one member of a communication sends and holds where its members are not alike.
struct MemberUse {
  Bytes bytes;
  MemoryUse allocated;
  MemoryUse freed;

  bool operator==(const MemberUse&) const = default;
};

// What a task amounts to; tasks of one kind that do the same share one Work.
struct Work {
  std::vector<Operator> operators; // of a compute task, run one after the other
  Flops flops;                     // sum over the operators
  Bytes bytes;                     // compute: sum over the operators; communication: size as nccl-tests counts it
  TokenRouting routing;            // of Dispatch and Combine
  MemoryUse allocated;             // what a member takes when the task starts; of a transfer, its receiver
  MemoryUse freed;                 // what it gives back when the task ends
  TokenTraffic tokens{};           // of AllToAll, Dispatch and Combine between members that are not alike
  // By place in the group, where members are not alike: then `bytes` is the most, and the memory above means nothing.
  std::vector<MemberUse> members{};

  bool operator==(const Work&) const = default;
};

struct Task {
  std::uint32_t place = 0; // compute: the rank; otherwise the index into groups()
  std::uint32_t work = 0;  // index into works()
  std::int32_t micro_batch = -1;
  std::int16_t layer = -1;
  std::uint16_t name = 0; // index into names()
  Kind kind = Kind::Compute;
  Phase phase = Phase::Forward;
  Stream stream = Stream::Compute; // of a transfer: the source's; see stream_at()
  std::uint8_t chunk = 0;
};
static_assert(sizeof(Task) == 20);

// The stream that `task` occupies on its member number `member` (a transfer has two ends: 0 sends, 1 receives).
[[nodiscard]] Stream stream_at(const Task& task, std::size_t member);

class TaskGraph {
public:
  struct Parts {
    std::vector<Task> tasks;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> edges; // (task, task that waits for it), any order
    std::vector<std::vector<RankId>> groups; // ranks of the job in order; of a transfer: (source, destination)
    std::vector<Work> works;
    std::vector<std::string> names;
    std::uint32_t rank_count = 0; // of the graph
    Folding folding;              // which ranks of the job they stand for; empty: each for itself
  };

  // Repeated edges are merged. Throws InternalError when an index is out of range.
  explicit TaskGraph(Parts parts);

  [[nodiscard]] std::size_t task_count() const { return tasks_.size(); }
  [[nodiscard]] std::size_t edge_count() const { return targets_.size(); }
  [[nodiscard]] std::uint32_t rank_count() const { return rank_count_; }
  // Rows of its task table: a collective counts once per member, a transfer twice.
  [[nodiscard]] std::size_t row_count() const { return row_count_; }

  [[nodiscard]] const Task& task(TaskId id) const { return tasks_[id.value()]; }
  [[nodiscard]] std::span<const Task> tasks() const { return tasks_; }
  // Indices of the tasks that wait for `id`.
  [[nodiscard]] std::span<const std::uint32_t> successors(TaskId id) const {
    return targets_.subspan(row_starts_[id.value()], row_starts_[id.value() + 1] - row_starts_[id.value()]);
  }
  // Number of tasks that each task waits for.
  [[nodiscard]] std::vector<std::uint32_t> predecessor_counts() const;

  // The ranks of the graph that take part in a task.
  [[nodiscard]] std::span<const RankId> members(const Task& task) const;
  // The ranks of the job that take part in it, or, of several such tasks that are folded into one, in the first.
  [[nodiscard]] std::span<const RankId> ranks(const Task& task) const;
  [[nodiscard]] const std::vector<std::vector<RankId>>& groups() const { return groups_; }
  [[nodiscard]] const Folding& folding() const { return folding_; }
  [[nodiscard]] const std::vector<Work>& works() const { return works_; }
  [[nodiscard]] const Work& work(const Task& task) const { return works_[task.work]; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  // What member number `member` of members() sends and holds.
  [[nodiscard]] MemberUse use_of(const Task& task, std::size_t member) const;

  // Bytes this graph occupies, edges and tables included.
  [[nodiscard]] std::size_t memory_footprint() const;

private:
  struct Csr; // boost::compressed_sparse_row_graph
  std::shared_ptr<const Csr> csr_;
  std::span<const std::uint32_t> row_starts_;
  std::span<const std::uint32_t> targets_;
  std::vector<Task> tasks_;
  std::vector<std::vector<RankId>> groups_;
  std::vector<std::vector<RankId>> members_;       // of each group; empty where that is what groups_ says
  std::vector<std::vector<std::uint32_t>> places_; // of each of these: the first place in the group of such a rank
  std::vector<Work> works_;
  std::vector<std::string> names_;
  std::vector<RankId> ranks_; // identity: lets members() of a compute task be a span
  Folding folding_;
  std::uint32_t rank_count_ = 0;
  std::size_t row_count_ = 0;
};

// Task indices in an order in which every task comes after those it waits for.
// Throws InternalError that lists the tasks of a cycle, one per line, when there is one.
[[nodiscard]] std::vector<std::uint32_t> topological_order(const TaskGraph& graph);

// Length of the longest chain of dependent tasks when task i takes durations[i].
[[nodiscard]] Seconds critical_path(const TaskGraph& graph, std::span<const Seconds> durations);

// One line about a task, with the tasks that wait for it: what `moesim dump graph` prints.
[[nodiscard]] std::string describe(const TaskGraph& graph, TaskId id);

} // namespace moesim::graph
