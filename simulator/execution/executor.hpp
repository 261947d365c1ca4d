// Running a task graph: when each task starts and ends on a given cluster.
//
// What every task costs is worked out before the run (Costs), so an executor knows indices and numbers only: no
// platform, no ranks, no operators. IdealExecutor (ideal_executor.hpp) knows no contention and is the oracle;
// SimGridExecutor (simgrid_executor.hpp) shares links between flows. Where nothing contends both give the same times.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/container/static_vector.hpp>

#include "simulator/base/ids.hpp"
#include "simulator/base/units.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::execution {

// One direction of a cable: what a GPU sends through its NVLink port, what its NIC receives, ...
struct Link {
  std::string name;
  BytesPerSecond capacity;
};

// A link that a flow crosses. A flow may stand for several that do the same at the same time (folding), and a link for
// several that are alike: each of these is then crossed by `times` flows, and the one that a communication fills the
// most by `own` of that communication.
struct Crossing {
  std::uint32_t link = 0; // index into Costs::links
  std::uint32_t times = 1;
  std::uint32_t own = 1;

  auto operator<=>(const Crossing&) const = default;
};

// Bytes that cross some links at once; what lies between them is wide enough never to matter. Up to eight: out of a
// node (PCIe, NIC) and up the fabric (leaf, pod), and the same way down again. A flow without bytes takes no time and
// is never reported.
struct Flow {
  boost::container::static_vector<Crossing, 8> route; // different links, at least one
  Bytes bytes;

  bool operator==(const Flow&) const = default;
};

// A delay, then all flows at once; it ends when the last of them has. None: the delay is all.
struct Wave {
  Seconds latency;
  std::vector<Flow> flows{};
  std::uint32_t times = 1; // in a row, each after the one before; at least one
};

// Whether other communication slows a communication down.
enum class Sharing : std::uint8_t {
  Links, // its flows share links with all others
  None,  // it takes its idle_time(), whatever else is sent
};

// A wave, and those that follow it, each when the one before has ended. Tasks that send the same share one.
struct Communication {
  Seconds latency;           // of the first wave
  std::vector<Flow> flows{}; // of the first wave
  std::vector<Wave> then{};
  Sharing sharing = Sharing::Links;
};

// Calls visit(latency, flows, times) for each wave.
template <class Visit>
void for_each_wave(const Communication& communication, Visit&& visit) {
  visit(communication.latency, communication.flows, std::uint32_t{1});
  for (const Wave& wave : communication.then)
    visit(wave.latency, wave.flows, wave.times);
}

// What the multiprocessors of a GPU do beside its compute: while a communication runs, its kernel holds `taken` of them
// on every rank that takes part, and a compute task has what is left. By default none is taken.
struct Multiprocessors {
  std::uint32_t all = 1;
  std::array<std::uint32_t, graph::stream_count> taken{}; // by Stream
};

struct Costs {
  std::vector<std::uint32_t> of_task; // per task: compute: index into `durations`; otherwise into `communications`
  std::vector<Seconds> durations;     // of compute tasks with all multiprocessors; the speed of the GPU is included
  std::vector<Communication> communications;
  std::vector<Link> links;
  Multiprocessors multiprocessors; // of every rank
  // What executors do not look at: for each link of the job, the one of `links` that stands for it.
  std::vector<std::uint32_t> class_of_link;
};

// Throws InternalError unless there is one cost per task, every index is in range, every time and size is finite and
// not negative, every link that carries something has a capacity, and a rank has a multiprocessor.
void check(const graph::TaskGraph& graph, const Costs& costs);

// How long `communication` takes on idle links: for each wave, latency + max over links of (bytes that cross the link)
// / capacity. Exact for symmetric patterns and for unequal ones that one link bounds; a lower bound otherwise.
[[nodiscard]] Seconds idle_time(const Communication& communication, const std::vector<Link>& links);
// The same for somebody who has no list of the links.
using CapacityOf = std::function<BytesPerSecond(std::uint32_t link)>;
[[nodiscard]] Seconds idle_time(const Communication& communication, const CapacityOf& capacity_of);

// How long each task takes on idle links and beside nothing that slows it: what critical_path() of the graph wants.
[[nodiscard]] std::vector<Seconds> idle_times(const graph::TaskGraph& graph, const Costs& costs);

// Receives what happened, while it happens: tasks in the order in which they end, flows before the end of their task.
class RunSink {
public:
  virtual ~RunSink() = default;
  virtual void task_ran(TaskId task, Seconds start, Seconds end) = 0;
  virtual void flow_ran(const Flow& flow, Seconds start, Seconds end) = 0;
};

// Called about every `progress_interval` ended tasks and at the end of the run. May throw to stop the run.
using Progress = std::function<void(std::size_t done, std::size_t total)>;
inline constexpr std::size_t progress_interval = 4096;

class Executor {
public:
  virtual ~Executor() = default;
  // Runs every task of `graph` from time 0 and returns the end of the last one. The same arguments give the same times.
  virtual Seconds run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress) = 0;
};

} // namespace moesim::execution
