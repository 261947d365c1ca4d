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
  MOESIM_CHECK(!flow.route.empty(), "a flow crosses a link");
  for (const Crossing& crossing : flow.route) {
    MOESIM_CHECK(crossing.link < links.size(), "a flow crosses a link that does not exist");
    MOESIM_CHECK(crossing.times > 0 && crossing.times >= crossing.own, "a flow crosses its links at least once");
    MOESIM_CHECK(std::ranges::count(flow.route, crossing.link, &Crossing::link) == 1, "a flow crosses different links");
    const double capacity = links[crossing.link].capacity.value();
    MOESIM_CHECK(std::isfinite(capacity) && capacity > 0, fmt::format("link {} has no capacity", crossing.link));
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
  MOESIM_CHECK(costs.multiprocessors.all > 0, "a rank has a multiprocessor");
  for (const Seconds duration : costs.durations)
    MOESIM_CHECK(is_amount(duration.value()), "a duration is a finite number, not negative");
  for (const Communication& communication : costs.communications) {
    for_each_wave(communication, [&](Seconds latency, const std::vector<Flow>& flows, std::uint32_t times) {
      MOESIM_CHECK(is_amount(latency.value()), "a latency is a finite number, not negative");
      MOESIM_CHECK(times > 0, "a wave happens");
      for (const Flow& flow : flows)
        check_flow(flow, costs.links);
    });
  }
}

Seconds idle_time(const Communication& communication, const std::vector<Link>& links) {
  return idle_time(communication, [&links](std::uint32_t link) { return links[link].capacity; });
}

Seconds idle_time(const Communication& communication, const CapacityOf& capacity_of) {
  Seconds time;
  for_each_wave(communication, [&](Seconds latency, const std::vector<Flow>& flows, std::uint32_t times) {
    std::map<std::uint32_t, Bytes> load;
    for (const Flow& flow : flows)
      for (const Crossing& crossing : flow.route)
        load[crossing.link] += static_cast<double>(crossing.own) * flow.bytes;
    Seconds slowest;
    for (const auto& [link, bytes] : load)
      slowest = std::max(slowest, bytes / capacity_of(link));
    time += static_cast<double>(times) * (latency + slowest);
  });
  return time;
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
