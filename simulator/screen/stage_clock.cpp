#include "simulator/screen/stage_clock.hpp"

#include <algorithm>

namespace moesim::screen {

ReplicaTraffic::ReplicaTraffic(const workloads::Training& training)
    : gathers_ahead(training.shards_optimizer() && training.overlap.param_gather && !training.shards_weights()),
      gathers_each_turn(training.shards_weights()),
      prefetched(
          training.shards_weights() && training.overlap.param_gather ? static_cast<std::size_t>(training.prefetch) : 0),
      gathers_backward_late(training.backward_prefetch == workloads::BackwardPrefetch::Post),
      reduces_each_turn(training.shards_gradients()), reduces_beside(training.overlap.grad_reduce) {}

void StageClock::begin(const ReplicaTraffic& traffic, const std::vector<Pass>& passes) {
  traffic_ = &traffic;
  runs_turn_by_turn_ = traffic.prefetched > 0 || (traffic.reduces_each_turn && traffic.reduces_beside);
  passes_ = &passes;
  ready_ = replicas_free_ = reduced_ = latest_reduction_ = Seconds();
  gathered_.assign(traffic.prefetched + 1, Seconds());
  done_ = fetched_ = fetched_pass_ = fetched_turn_ = 0;
  sum_up();
  if (traffic.prefetched > 0)
    gather_ahead();
}

void StageClock::sum_up() {
  spans_ = {};
  first_forward_ = last_reductions_ = Seconds();
  Seconds gathered; // of the first forward's parameters
  for (const Turn& turn : turns(Pass::Forward)) {
    spans_[0] += turn.time;
    if (traffic_->gathers_each_turn)
      spans_[0] += turn.gather;
    if (!traffic_->gathers_ahead)
      continue;
    gathered += turn.gather;
    first_forward_ = std::max(first_forward_, gathered) + turn.time;
  }
  for (const Turn& turn : turns(Pass::Backward)) {
    spans_[1] += turn.time;
    if (traffic_->gathers_each_turn)
      spans_[1] += turn.gather;
    if (traffic_->reduces_each_turn)
      spans_[1] += turn.reduce;
    else if (turn.runs_backward)
      last_reductions_ = std::max(last_reductions_, spans_[1]) + turn.reduce;
  }
}

// As DataParallel::before() and after() order it.
void StageClock::run_turns(Pass pass, bool is_end) {
  Seconds gathered_ahead;
  for (const Turn& turn : turns(pass)) {
    if (traffic_->gathers_ahead && pass == Pass::Forward && is_end)
      wait_until(gathered_ahead += turn.gather);
    if (traffic_->gathers_each_turn) {
      if (traffic_->prefetched == 0)
        gather(turn, done_);
      wait_until(gathered_[done_ % gathered_.size()]);
    }
    if (traffic_->reduces_each_turn && turn.runs_backward)
      wait_until(reduced_);
    ready_ += turn.time;
    ++done_;
    if (traffic_->prefetched > 0 && traffic_->reduces_beside)
      gather_ahead();
    if (traffic_->reduces_each_turn && turn.runs_backward)
      reduce(turn);
    if (traffic_->prefetched > 0 && !traffic_->reduces_beside)
      gather_ahead();
  }
}

void StageClock::gather(const Turn& turn, std::size_t number) {
  gathered_[number % gathered_.size()] = turn.gather > Seconds() ? beside(turn.gather) : Seconds();
}

void StageClock::gather_ahead() {
  const auto waits = [&] {
    return traffic_->gathers_backward_late && fetched_ > done_ && (*passes_)[fetched_pass_] == Pass::Backward;
  };
  while (fetched_pass_ < passes_->size() && fetched_ <= done_ + traffic_->prefetched && !waits())
    gather_next();
}

void StageClock::gather_next() {
  const std::vector<Turn>& of_pass = turns((*passes_)[fetched_pass_]);
  gather(of_pass[fetched_turn_], fetched_++);
  if (++fetched_turn_ == of_pass.size()) {
    fetched_turn_ = 0;
    ++fetched_pass_;
  }
}

void StageClock::reduce(const Turn& turn) {
  const Seconds end = turn.reduce > Seconds() ? beside(turn.reduce) : Seconds();
  if (!traffic_->reduces_beside)
    return wait_until(end);
  reduced_ = std::max(reduced_, latest_reduction_);
  latest_reduction_ = end;
}

} // namespace moesim::screen
