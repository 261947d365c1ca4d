// What lasts a time of its own (a kernel, the latency of a communication, or all of it on idle links), and when it is
// over.
//
// A communication holds multiprocessors of every rank that takes part, from its start to its end, latency included: its
// kernel is resident. While any do, the kernel that computes on the rank runs at
//
//   speed = (all - sum over the streams that are in use of those they hold) / all, at least 1 / all
//
// so its end is a new date whenever a stream falls into or out of use. A kernel that has nothing beside it ends at
// exactly its start plus its duration.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "simulator/execution/calendar.hpp"
#include "simulator/execution/executor.hpp"

namespace moesim::execution {

class Delays {
public:
  // Both must outlive this. A communication lasts as long as on idle links.
  Delays(const graph::TaskGraph& graph, const Costs& costs);

  // Of a communication that shares links, only the first latency remains: its flows are somebody else's.
  void leave_out_flows();

  // `task` starts: its delay begins. Requires that no other kernel runs on the rank, where communication slows kernels.
  void start(std::uint32_t task, Seconds now) {
    if (!slows_)
      calendar_.add({now + lengths_[task], task});
    else
      start_beside_others(task, now);
  }

  // What is under way of `task`, a communication, goes on with another delay.
  void go_on(std::uint32_t task, Seconds delay, Seconds now) { calendar_.add({now + delay, task}); }

  // `task` ends, which for a communication may be later than its delay. Its successors start after this call.
  void end(std::uint32_t task, Seconds now) {
    if (slows_ && communicates(task))
      count_stream(task, now, -1);
  }

  [[nodiscard]] bool empty() const { return calendar_.empty(); }
  [[nodiscard]] Seconds next_date() const { return calendar_.next_date(); }
  // Removes and returns the next delay that is over. Requires that there is one.
  Entry take() {
    const Entry over = calendar_.take();
    if (slows_)
      finish(over);
    return over;
  }

  [[nodiscard]] bool communicates(std::uint32_t task) const {
    return graph_.tasks()[task].kind != graph::Kind::Compute;
  }

private:
  static constexpr std::uint32_t no_kernel = std::numeric_limits<std::uint32_t>::max();

  struct Rank {
    std::uint32_t kernel = no_kernel; // the task that computes here
    Seconds left;                     // of it at full speed, from `since` on
    Seconds since;
    Seconds end; // of it, unless its speed changes again
    double speed = 1;
    std::array<std::uint16_t, graph::stream_count> running{}; // communications, by stream

    void run_until(Seconds now);
  };

  void start_beside_others(std::uint32_t task, Seconds now);
  void count_stream(std::uint32_t task, Seconds now, int change);
  void change_speed(Rank& rank, Seconds now);
  void enter_end(Rank& rank);
  void finish(const Entry& over);
  void drop_outdated();

  const graph::TaskGraph& graph_;
  const Costs& costs_;
  std::vector<Seconds> lengths_; // per task
  Calendar calendar_;            // where kernels are slowed, with dates of theirs that are outdated, but never on top
  bool slows_;                   // whether any communication slows kernels
  std::vector<Rank> ranks_;      // where it does
};

} // namespace moesim::execution
