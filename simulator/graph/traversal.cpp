// Orders, lengths and descriptions that need a walk over the whole graph.
#include "simulator/graph/task_graph.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "simulator/base/check.hpp"

namespace moesim::graph {
namespace {

// The tasks of one cycle, starting at any of them; `waiting[t]` is not zero for tasks on or behind a cycle.
std::string describe_cycle(const TaskGraph& graph, const std::vector<std::uint32_t>& waiting) {
  // Every unfinished task waits for an unfinished one: walking backwards must revisit a task.
  std::vector<std::uint32_t> blocker(graph.task_count());
  std::uint32_t walker = 0;
  for (std::uint32_t task = 0; task < graph.task_count(); ++task) {
    if (waiting[task] == 0)
      continue;
    walker = task;
    for (const std::uint32_t successor : graph.successors(TaskId(task)))
      blocker[successor] = task;
  }
  std::vector<bool> seen(graph.task_count(), false);
  while (!seen[walker]) {
    seen[walker] = true;
    walker = blocker[walker];
  }
  std::vector<std::uint32_t> cycle{walker};
  for (std::uint32_t task = blocker[walker]; task != walker; task = blocker[task])
    cycle.push_back(task);
  std::string text = "these tasks wait for each other in a circle:";
  for (const std::uint32_t task : cycle | std::views::reverse)
    text += "\n  " + describe(graph, TaskId(task));
  return text;
}

} // namespace

std::vector<std::uint32_t> topological_order(const TaskGraph& graph) {
  std::vector<std::uint32_t> waiting = graph.predecessor_counts();
  std::vector<std::uint32_t> order;
  order.reserve(graph.task_count());
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    if (waiting[task] == 0)
      order.push_back(task);
  for (std::size_t at = 0; at < order.size(); ++at)
    for (const std::uint32_t successor : graph.successors(TaskId(order[at])))
      if (--waiting[successor] == 0)
        order.push_back(successor);
  if (order.size() != graph.task_count())
    throw InternalError(describe_cycle(graph, waiting));
  return order;
}

Seconds critical_path(const TaskGraph& graph, std::span<const Seconds> durations) {
  MOESIM_CHECK(durations.size() == graph.task_count(), "there is one duration per task");
  std::vector<Seconds> start(graph.task_count());
  Seconds longest;
  for (const std::uint32_t task : topological_order(graph)) {
    const Seconds end = start[task] + durations[task];
    longest = std::max(longest, end);
    for (const std::uint32_t successor : graph.successors(TaskId(task)))
      start[successor] = std::max(start[successor], end);
  }
  return longest;
}

std::string describe(const TaskGraph& graph, TaskId id) {
  const Task& task = graph.task(id);
  std::string text =
      fmt::format("{} {} {} {}", id.value(), name_of(task.kind), graph.names()[task.name], name_of(task.phase));
  if (task.micro_batch >= 0)
    text += fmt::format(" micro_batch={}", task.micro_batch);
  if (task.layer >= 0)
    text += fmt::format(" layer={}", task.layer);
  if (task.chunk > 0)
    text += fmt::format(" chunk={}", task.chunk);
  const auto members = graph.ranks(task);
  text += task.kind == Kind::Compute ? " rank=" : " ranks=";
  for (std::size_t member = 0; member < members.size(); ++member)
    text += fmt::format("{}{}", member == 0 ? "" : ",", members[member].value());
  const Work& work = graph.work(task);
  text += fmt::format(" stream={} flops={:.0f} bytes={:.0f} before=", name_of(task.stream), work.flops.value(),
                      work.bytes.value());
  const auto successors = graph.successors(id);
  for (std::size_t at = 0; at < successors.size(); ++at)
    text += fmt::format("{}{}", at == 0 ? "" : ",", successors[at]);
  return successors.empty() ? text + "-" : text;
}

} // namespace moesim::graph
