#include "simulator/execution/delays.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"

namespace moesim::execution {

Delays::Delays(const graph::TaskGraph& graph, const Costs& costs)
    : graph_(graph), costs_(costs), lengths_(idle_times(graph, costs)),
      slows_(std::ranges::any_of(costs.multiprocessors.taken, [](std::uint32_t taken) { return taken > 0; })),
      ranks_(slows_ ? graph.rank_count() : 0) {}

void Delays::leave_out_flows() {
  for (std::uint32_t task = 0; task < lengths_.size(); ++task) {
    if (!communicates(task))
      continue;
    const Communication& communication = costs_.communications[costs_.of_task[task]];
    if (communication.sharing == Sharing::Links)
      lengths_[task] = communication.latency;
  }
}

void Delays::start_beside_others(std::uint32_t task, Seconds now) {
  if (communicates(task)) {
    calendar_.add({now + lengths_[task], task});
    count_stream(task, now, +1);
    return;
  }
  Rank& rank = ranks_[graph_.tasks()[task].place];
  MOESIM_CHECK(rank.kernel == no_kernel, "a rank runs one kernel at a time");
  rank.kernel = task;
  rank.left = lengths_[task];
  rank.since = now;
  enter_end(rank);
}

void Delays::count_stream(std::uint32_t task, Seconds now, int change) {
  const graph::Task& communication = graph_.tasks()[task];
  const auto members = graph_.members(communication);
  for (std::size_t member = 0; member < members.size(); ++member) {
    const auto stream = static_cast<std::size_t>(stream_at(communication, member));
    if (costs_.multiprocessors.taken[stream] == 0)
      continue;
    Rank& rank = ranks_[members[member].value()];
    const bool was_in_use = rank.running[stream] > 0;
    rank.running[stream] = static_cast<std::uint16_t>(rank.running[stream] + change);
    if (was_in_use != (rank.running[stream] > 0))
      change_speed(rank, now);
  }
  drop_outdated();
}

void Delays::change_speed(Rank& rank, Seconds now) {
  const bool computes = rank.kernel != no_kernel && rank.end > now; // one that ends now has nothing left to be slowed
  if (computes)
    rank.run_until(now);
  const Multiprocessors& processors = costs_.multiprocessors;
  std::uint32_t taken = 0;
  for (std::size_t stream = 0; stream < graph::stream_count; ++stream)
    if (rank.running[stream] > 0)
      taken += processors.taken[stream];
  const std::uint32_t free = taken < processors.all ? processors.all - taken : 1;
  rank.speed = static_cast<double>(free) / static_cast<double>(processors.all);
  if (computes)
    enter_end(rank);
}

// The clock of a network that ended a communication may be behind by a rounding error.
void Delays::Rank::run_until(Seconds now) {
  left = std::max(Seconds(), left - std::max(Seconds(), now - since) * speed);
  since = std::max(since, now);
}

void Delays::enter_end(Rank& rank) {
  rank.end = rank.since + rank.left / rank.speed;
  calendar_.add({rank.end, rank.kernel});
}

void Delays::finish(const Entry& over) {
  if (!communicates(over.task))
    ranks_[graph_.tasks()[over.task].place].kernel = no_kernel;
  drop_outdated();
}

// Keeps a date that is still right on top of the calendar.
void Delays::drop_outdated() {
  const auto is_outdated = [this](const Entry& entry) {
    if (communicates(entry.task))
      return false;
    const Rank& rank = ranks_[graph_.tasks()[entry.task].place];
    return rank.kernel != entry.task || rank.end != entry.date;
  };
  while (!calendar_.empty() && is_outdated(calendar_.next()))
    calendar_.take();
}

} // namespace moesim::execution
