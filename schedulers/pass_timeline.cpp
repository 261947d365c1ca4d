#include "schedulers/pass_timeline.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "simulator/base/check.hpp"

namespace moesim::schedulers {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

// Ends of passes, by virtual stage and micro-batch. Of two copies of the model a micro-batch meets one only, so that
// this tells all passes apart.
class Ends {
public:
  Ends(std::int64_t virtual_stages, std::int64_t micro_batches)
      : micro_batches_(micro_batches), ends_(static_cast<std::size_t>(virtual_stages * micro_batches), never) {}
  [[nodiscard]] double& of(std::int64_t virtual_stage, std::int32_t micro_batch) {
    return ends_[static_cast<std::size_t>(virtual_stage * micro_batches_ + micro_batch)];
  }

private:
  std::int64_t micro_batches_;
  std::vector<double> ends_;
};

class Run {
public:
  Run(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape)
      : order_(order), chunks_(chunks), shape_(shape), forwards_(chunks.virtual_stages(), shape.micro_batches),
        backwards_(chunks.virtual_stages(), shape.micro_batches) {}

  PassTimeline times() {
    timeline_.passes.resize(order_.size());
    free_.assign(order_.size(), 0);
    for (bool is_moving = true; is_moving;) {
      is_moving = false;
      for (std::size_t stage = 0; stage < order_.size(); ++stage)
        while (timeline_.passes[stage].size() < order_[stage].size() && run_next(stage))
          is_moving = true;
    }
    sum_up();
    return std::move(timeline_);
  }

private:
  [[nodiscard]] PassCosts costs(std::size_t stage) const {
    return shape_.costs.empty() ? PassCosts() : shape_.costs[stage];
  }

  [[nodiscard]] double duration(std::size_t stage, PassKind kind) const {
    const PassCosts whole = costs(stage);
    switch (kind) {
    case PassKind::Forward:
      return whole.forward * chunks_.share();
    case PassKind::Backward:
      return whole.backward() * chunks_.share();
    case PassKind::BackwardInput:
      return whole.backward_input * chunks_.share();
    case PassKind::BackwardWeight:
      break;
    }
    return whole.backward_weight * chunks_.share();
  }

  [[nodiscard]] double arrival(Ends& ends, std::optional<ChunkPlace> from, ChunkPlace at, std::int32_t micro_batch) {
    if (!from)
      return 0;
    return ends.of(chunks_.virtual_stage(*from), micro_batch) + (from->stage == at.stage ? 0 : shape_.transfer);
  }

  // When everything that the pass needs is there; never: not yet known.
  [[nodiscard]] double ready(std::size_t stage, const PipelinePass& pass) {
    const ChunkPlace at{static_cast<std::int64_t>(stage), pass.chunk};
    const std::int64_t own = chunks_.virtual_stage(at);
    if (pass.kind == PassKind::Forward)
      return arrival(forwards_, chunks_.before(at), at, pass.micro_batch);
    if (pass.kind == PassKind::BackwardWeight)
      return backwards_.of(own, pass.micro_batch);
    return std::max(forwards_.of(own, pass.micro_batch), arrival(backwards_, chunks_.after(at), at, pass.micro_batch));
  }

  // Runs the next pass of the stage, with those that run together with it, if that can be done yet.
  bool run_next(std::size_t stage) {
    const std::vector<PipelinePass>& passes = order_[stage];
    const std::size_t first = timeline_.passes[stage].size();
    std::size_t last = first;
    double start = free_[stage];
    double length = 0;
    for (;; ++last) {
      start = std::max(start, ready(stage, passes[last]));
      length += duration(stage, passes[last].kind);
      if (!passes[last].with_next || last + 1 == passes.size())
        break;
    }
    if (start == never)
      return false;
    for (std::size_t at = first; at <= last; ++at) {
      const PipelinePass& pass = passes[at];
      const std::int64_t own = chunks_.virtual_stage({static_cast<std::int64_t>(stage), pass.chunk});
      timeline_.passes[stage].push_back({start, start + length});
      if (pass.kind == PassKind::Forward)
        forwards_.of(own, pass.micro_batch) = start + length;
      else if (pass.kind != PassKind::BackwardWeight)
        backwards_.of(own, pass.micro_batch) = start + length;
    }
    free_[stage] = start + length;
    return true;
  }

  void sum_up() {
    double work = 0;
    for (std::size_t stage = 0; stage < order_.size(); ++stage) {
      const std::vector<PassTime>& times = timeline_.passes[stage];
      MOESIM_CHECK(times.size() == order_[stage].size(), "passes do not wait for each other in a circle");
      for (const PipelinePass& pass : order_[stage])
        work += duration(stage, pass.kind);
      timeline_.peak_activations.push_back(peak_activations(stage));
      if (times.empty())
        continue;
      timeline_.makespan = std::max(timeline_.makespan, times.back().end);
      timeline_.stage_span = std::max(timeline_.stage_span, times.back().end - times.front().start);
    }
    if (timeline_.makespan > 0)
      timeline_.bubble_fraction = 1 - work / (static_cast<double>(order_.size()) * timeline_.makespan);
  }

  // Those of passes that run together add up.
  [[nodiscard]] double peak_activations(std::size_t stage) const {
    const std::vector<PipelinePass>& passes = order_[stage];
    const bool splits = std::ranges::count(passes, PassKind::BackwardWeight, &PipelinePass::kind) > 0;
    // Of a split backward the second part is the last; where some are split only, those without one end with the whole.
    std::int64_t held = 0;
    std::int64_t most = 0;
    for (std::size_t at = 0; at < passes.size(); ++at) {
      if (passes[at].kind == PassKind::Forward) {
        most = std::max(most, ++held);
        continue;
      }
      if (passes[at].with_next && passes[at + 1].kind == PassKind::Forward) // both are there while they run
        most = std::max(most, held + 1);
      if (passes[at].kind != PassKind::BackwardInput || !splits)
        --held;
    }
    return static_cast<double>(most) * chunks_.share();
  }

  const PipelineOrder& order_;
  const Chunks& chunks_;
  const ScheduleShape& shape_;
  Ends forwards_, backwards_; // of the input, where it is split
  std::vector<double> free_;  // per stage: when its last pass so far ends
  PassTimeline timeline_;
};

// Passes and what each waits for, as a graph of indices: stage by stage.
class WaitingPasses {
public:
  WaitingPasses(const PipelineOrder& order, const Chunks& chunks, Posting posting) : order_(order), chunks_(chunks) {
    for (const std::vector<PipelinePass>& passes : order) {
      first_.push_back(count_);
      count_ += passes.size();
    }
    place_passes();
    for (std::size_t stage = 0; stage < order.size(); ++stage)
      for (std::size_t at = 0; at < order[stage].size(); ++at)
        node_.push_back(at > 0 && order[stage][at - 1].with_next ? node_.back() : first_[stage] + at);
    waits_for_.resize(count_);
    for (std::size_t stage = 0; stage < order.size(); ++stage)
      for (std::size_t at = 0; at < order[stage].size(); ++at)
        connect(stage, at, posting);
  }

  std::vector<StagePass> circle() {
    // 0: not seen; 1: on the path at hand; 2: not on any circle.
    std::vector<std::uint8_t> state(count_, 0);
    std::vector<std::size_t> path;
    std::vector<std::size_t> next(count_, 0);
    for (std::size_t root = 0; root < count_; ++root) {
      if (state[root] == 0) {
        state[root] = 1;
        path = {root};
      }
      while (!path.empty()) {
        const std::size_t pass = path.back();
        if (next[pass] == waits_for_[pass].size()) {
          state[pass] = 2;
          path.pop_back();
          continue;
        }
        const std::size_t other = waits_for_[pass][next[pass]++];
        if (state[other] == 1)
          return describe_circle({std::ranges::find(path, other), path.end()});
        if (state[other] == 0) {
          state[other] = 1;
          path.push_back(other);
        }
      }
    }
    return {};
  }

private:
  [[nodiscard]] std::size_t slot(std::int64_t virtual_stage, std::int32_t micro_batch) const {
    return static_cast<std::size_t>(virtual_stage) * micro_batches_ + static_cast<std::size_t>(micro_batch);
  }

  void place_passes() {
    for (const std::vector<PipelinePass>& passes : order_)
      for (const PipelinePass& pass : passes)
        micro_batches_ = std::max(micro_batches_, static_cast<std::size_t>(pass.micro_batch) + 1);
    forward_.assign(static_cast<std::size_t>(chunks_.virtual_stages()) * micro_batches_, count_);
    backward_ = forward_;
    for (std::size_t stage = 0; stage < order_.size(); ++stage)
      for (std::size_t at = 0; at < order_[stage].size(); ++at) {
        const PipelinePass& pass = order_[stage][at];
        const std::int64_t own = chunks_.virtual_stage({static_cast<std::int64_t>(stage), pass.chunk});
        if (pass.kind == PassKind::Forward)
          forward_[slot(own, pass.micro_batch)] = first_[stage] + at;
        else if (pass.kind != PassKind::BackwardWeight)
          backward_[slot(own, pass.micro_batch)] = first_[stage] + at;
      }
  }

  void connect(std::size_t stage, std::size_t at, Posting posting) {
    const PipelinePass& pass = order_[stage][at];
    const ChunkPlace place{static_cast<std::int64_t>(stage), pass.chunk};
    const std::size_t own = slot(chunks_.virtual_stage(place), pass.micro_batch);
    if (at > 0)
      wait(first_[stage] + at, first_[stage] + at - 1);
    if (pass.kind == PassKind::Forward)
      receive(stage, at, chunks_.before(place), forward_, posting);
    else if (pass.kind == PassKind::BackwardWeight)
      wait(first_[stage] + at, backward_[own]);
    else {
      wait(first_[stage] + at, forward_[own]);
      receive(stage, at, chunks_.after(place), backward_, posting);
    }
  }

  void receive(std::size_t stage, std::size_t at, std::optional<ChunkPlace> from,
               const std::vector<std::size_t>& senders, Posting posting) {
    if (!from)
      return;
    const PipelinePass& pass = order_[stage][at];
    const std::size_t sender = senders[slot(chunks_.virtual_stage(*from), pass.micro_batch)];
    wait(first_[stage] + at, sender);
    const bool is_transfer = from->stage != static_cast<std::int64_t>(stage);
    const std::size_t behind_sender = sender + 1;
    const auto sending = static_cast<std::size_t>(from->stage);
    if (posting == Posting::Rendezvous && is_transfer && at > 0 &&
        behind_sender < first_[sending] + order_[sending].size())
      wait(behind_sender, first_[stage] + at - 1);
  }

  void wait(std::size_t pass, std::size_t other) {
    if (other < count_ && node_[pass] != node_[other])
      waits_for_[node_[pass]].push_back(node_[other]);
  }

  [[nodiscard]] std::vector<StagePass> describe_circle(std::vector<std::size_t> path) const {
    std::vector<StagePass> result;
    for (const std::size_t index : path) {
      const auto stage = static_cast<std::size_t>(std::ranges::upper_bound(first_, index) - first_.begin()) - 1;
      result.push_back({static_cast<std::int64_t>(stage), order_[stage][index - first_[stage]]});
    }
    return result;
  }

  const PipelineOrder& order_;
  const Chunks& chunks_;
  std::vector<std::size_t> first_; // per stage: index of its first pass
  std::size_t count_ = 0;
  std::size_t micro_batches_ = 0;
  std::vector<std::size_t> forward_, backward_; // by slot
  std::vector<std::size_t> node_;               // of each pass: the first of those that run together with it
  std::vector<std::vector<std::size_t>> waits_for_;
};

} // namespace

PassTimeline time_passes(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape) {
  return Run(order, chunks, shape).times();
}

std::vector<StagePass> cycle(const PipelineOrder& order, const Chunks& chunks, Posting posting) {
  return WaitingPasses(order, chunks, posting).circle();
}

} // namespace moesim::schedulers
