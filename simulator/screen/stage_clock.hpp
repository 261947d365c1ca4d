// One stage of a candidate, seen from one of its ranks: how long its passes take, and how far it has come. Follows what
// workloads/training_iteration.cpp and data_parallel.cpp write, with two streams: the chain of kernels, and collectives
// that wait for them in turn, and the collectives of data-parallel ranks that run beside it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"
#include "workloads/training.hpp"

namespace moesim::screen {

// One part's turn in a pass.
struct Turn {
  Seconds time;   // of its kernels and the collectives between them
  Seconds gather; // of its parameters, before it or, for all turns of a first forward, ahead
  Seconds reduce; // of its gradients, after it
  bool runs_backward = false;
};

// What a job's sharding and overlap say of these collectives (workloads/README.md, "Sharding").
struct ReplicaTraffic {
  explicit ReplicaTraffic(const workloads::Training& training);

  bool gathers_ahead;         // before the first forward of each part
  bool gathers_each_turn;     // before every turn ...
  std::size_t prefetched;     // ... of so many turns to come while another runs; 0: of none
  bool gathers_backward_late; // but, of a backward's turns, once the one before has ended
  bool reduces_each_turn;     // after every backward
  bool reduces_beside;        // of turns or, unless each turn reduces, of the last backward: while others compute
};

class StageClock {
public:
  // Starts anew, at time 0. `passes` are the stage's, in order; only read where parameters are prefetched.
  void begin(const ReplicaTraffic& traffic, const std::vector<Pass>& passes);
  std::vector<Turn>& turns_of(Pass pass) { return turns_[static_cast<std::size_t>(pass)]; } // filled before begin()

  // Runs a pass, of which the input arrives at the given time. `is_end`: the first forward, or the last backward.
  void run(Pass pass, Seconds arrival, bool is_end) {
    wait_until(arrival);
    if (runs_turn_by_turn_)
      return run_turns(pass, is_end);
    const Seconds start = ready_;
    ready_ += spans_[static_cast<std::size_t>(pass)];
    if (!is_end)
      return;
    if (pass == Pass::Forward)
      wait_until(first_forward_);
    else if (traffic_->reduces_beside)
      reduced_ = replicas_free_ = start + last_reductions_;
  }

  // When the next step of the chain may start.
  [[nodiscard]] Seconds ready() const { return ready_; }
  void wait_until(Seconds time) { ready_ = std::max(ready_, time); }
  void follow(Seconds time) { ready_ += time; }
  // A collective of data-parallel ranks behind the chain so far: when it ends.
  Seconds beside(Seconds time) { return replicas_free_ = std::max(replicas_free_, ready_) + time; }
  // Of all gradients that were reduced beside the chain.
  void wait_for_reductions() { wait_until(std::max(reduced_, latest_reduction_)); }

private:
  [[nodiscard]] const std::vector<Turn>& turns(Pass pass) const { return turns_[static_cast<std::size_t>(pass)]; }
  void sum_up();
  void run_turns(Pass pass, bool is_end);
  void gather(const Turn& turn, std::size_t number);
  void gather_ahead();
  void gather_next();
  void reduce(const Turn& turn);

  std::array<std::vector<Turn>, 2> turns_; // by Pass
  const ReplicaTraffic* traffic_ = nullptr;
  bool runs_turn_by_turn_ = false; // collectives beside the turns of every pass; else passes are sums of their turns
  std::array<Seconds, 2> spans_;   // of whole passes
  Seconds first_forward_;          // which ends no earlier: its parameters were gathered ahead
  Seconds last_reductions_;        // end so long after the start of the last backward
  Seconds ready_, replicas_free_, reduced_, latest_reduction_;
  // Of prefetching: what the turns to come wait for, and which is the next to be fetched for.
  const std::vector<Pass>* passes_ = nullptr;
  std::vector<Seconds> gathered_;                   // in turn, of as many as are fetched at a time
  std::size_t done_ = 0, fetched_ = 0;              // turns
  std::size_t fetched_pass_ = 0, fetched_turn_ = 0; // the next one's pass, and its place in it
};

} // namespace moesim::screen
