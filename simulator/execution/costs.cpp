#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/execution/executor.hpp"

namespace moesim::execution {

namespace {

bool is_amount(double value) {
  return std::isfinite(value) && value >= 0;
}

void check_flow(const Flow& flow, const std::vector<Link>& links) {
  MOESIM_CHECK(is_amount(flow.bytes.value()), "the bytes of a flow are a finite number, not negative");
  MOESIM_CHECK(flow.from_link != flow.to_link, "a flow crosses two different links");
  for (const std::uint32_t link : {flow.from_link, flow.to_link}) {
    MOESIM_CHECK(link == no_link || link < links.size(), "a flow crosses a link that does not exist");
    MOESIM_CHECK(link == no_link || (std::isfinite(links[link].capacity.value()) && links[link].capacity.value() > 0),
                 fmt::format("link {} has no capacity", link));
  }
}

} // namespace

void check(const graph::TaskGraph& graph, const Costs& costs) {
  MOESIM_CHECK(costs.of_task.size() == graph.task_count(), "every task has a cost");
  for (std::size_t i = 0; i < graph.task_count(); ++i) {
    const bool computes = graph.tasks()[i].kind == graph::Kind::Compute;
    const std::size_t limit = computes ? costs.durations.size() : costs.communications.size();
    MOESIM_CHECK(costs.of_task[i] < limit, fmt::format("task {} has a cost out of range", i));
  }
  for (const Seconds duration : costs.durations)
    MOESIM_CHECK(is_amount(duration.value()), "a duration is a finite number, not negative");
  for (const Communication& communication : costs.communications) {
    MOESIM_CHECK(is_amount(communication.latency.value()), "a latency is a finite number, not negative");
    for (const Flow& flow : communication.flows)
      check_flow(flow, costs.links);
  }
}

Seconds idle_time(const Communication& communication, const std::vector<Link>& links) {
  std::map<std::uint32_t, Bytes> load;
  for (const Flow& flow : communication.flows) {
    load[flow.from_link] += flow.bytes;
    load[flow.to_link] += flow.bytes;
  }
  Seconds slowest;
  for (const auto& [link, bytes] : load)
    if (link != no_link)
      slowest = std::max(slowest, bytes / links[link].capacity);
  return communication.latency + slowest;
}

std::vector<Seconds> idle_times(const graph::TaskGraph& graph, const Costs& costs) {
  std::vector<Seconds> communication_times;
  communication_times.reserve(costs.communications.size());
  for (const Communication& communication : costs.communications)
    communication_times.push_back(idle_time(communication, costs.links));

  std::vector<Seconds> times(graph.task_count());
  for (std::size_t i = 0; i < times.size(); ++i) {
    const bool computes = graph.tasks()[i].kind == graph::Kind::Compute;
    times[i] = computes ? costs.durations[costs.of_task[i]] : communication_times[costs.of_task[i]];
  }
  return times;
}

} // namespace moesim::execution
