#include "schedulers/pass_timeline.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "schedulers/pass_table.hpp"
#include "simulator/base/check.hpp"

namespace moesim::schedulers {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class Run {
public:
  Run(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape)
      : order_(order), chunks_(chunks), shape_(shape), ends_(chunks, shape.micro_batches, never), times_(order.size()),
        free_(order.size(), 0) {}

  std::vector<std::vector<PassTime>> times() {
    for (bool is_moving = true; is_moving;) {
      is_moving = false;
      for (std::size_t stage = 0; stage < order_.size(); ++stage)
        while (times_[stage].size() < order_[stage].size() && run_next(stage))
          is_moving = true;
    }
    for (std::size_t stage = 0; stage < order_.size(); ++stage)
      MOESIM_CHECK(times_[stage].size() == order_[stage].size(), "passes do not wait for each other in a circle");
    return std::move(times_);
  }

private:
  [[nodiscard]] double arrival(double end, ChunkPlace from, ChunkPlace at) const {
    return end + (from.stage == at.stage ? 0 : shape_.transfer);
  }

  // When everything that the pass needs is there; never: not yet known.
  [[nodiscard]] double ready(ChunkPlace at, const PipelinePass& pass) {
    if (pass.kind == PassKind::Forward) {
      const std::optional<ChunkPlace> from = chunks_.before(at);
      return from ? arrival(ends_.forward(*from, pass.micro_batch), *from, at) : 0;
    }
    if (pass.kind == PassKind::BackwardWeight)
      return ends_.backward(at, pass.micro_batch);
    const double own = ends_.forward(at, pass.micro_batch);
    const std::optional<ChunkPlace> from = chunks_.after(at);
    return from ? std::max(own, arrival(ends_.backward(*from, pass.micro_batch), *from, at)) : own;
  }

  // Runs the next pass of the stage, with those that run together with it, if that can be done yet.
  bool run_next(std::size_t stage) {
    const std::span<const PipelinePass> passes = order_[stage];
    const std::size_t first = times_[stage].size();
    const std::span<const PipelinePass> together = passes.subspan(first, end_together(passes, first) - first);
    const auto place = [&](const PipelinePass& pass) {
      return ChunkPlace{static_cast<std::int64_t>(stage), pass.chunk};
    };
    double start = free_[stage];
    double length = 0;
    for (const PipelinePass& pass : together) {
      start = std::max(start, ready(place(pass), pass));
      length += duration(shape_, chunks_, stage, pass.kind);
    }
    if (start == never)
      return false;
    free_[stage] = start + length;
    for (const PipelinePass& pass : together) {
      ends_.set(place(pass), pass, free_[stage]);
      times_[stage].push_back({start, free_[stage]});
    }
    return true;
  }

  const PipelineOrder& order_;
  const Chunks& chunks_;
  const ScheduleShape& shape_;
  PassTable<double> ends_;
  std::vector<std::vector<PassTime>> times_;
  std::vector<double> free_; // per stage: when its last pass so far ends
};

// How many activations are there at most; those of passes that run together add up.
std::int64_t peak_activations(std::span<const PipelinePass> passes) {
  std::int64_t held = 0;
  std::int64_t most = 0;
  for (std::size_t first = 0, last = 0; first < passes.size(); first = last) {
    last = end_together(passes, first);
    const std::span<const PipelinePass> together = passes.subspan(first, last - first);
    held += std::ranges::count(together, PassKind::Forward, &PipelinePass::kind);
    most = std::max(most, held);
    held -= std::ranges::count(together, PassKind::Backward, &PipelinePass::kind) +
            std::ranges::count(together, PassKind::BackwardWeight, &PipelinePass::kind);
  }
  return most;
}

} // namespace

PassTimeline time_passes(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape) {
  MOESIM_CHECK(shape.costs.empty() || shape.costs.size() == order.size(), "each stage has its costs");
  PassTimeline timeline;
  timeline.passes = Run(order, chunks, shape).times();
  double work = 0;
  for (std::size_t stage = 0; stage < order.size(); ++stage) {
    for (const PipelinePass& pass : order[stage])
      work += duration(shape, chunks, stage, pass.kind);
    timeline.peak_activations.push_back(static_cast<double>(peak_activations(order[stage])) * chunks.share());
    const std::vector<PassTime>& times = timeline.passes[stage];
    if (times.empty())
      continue;
    timeline.makespan = std::max(timeline.makespan, times.back().end);
    timeline.stage_span = std::max(timeline.stage_span, times.back().end - times.front().start);
  }
  if (timeline.makespan > 0)
    timeline.bubble_fraction = 1 - work / (static_cast<double>(order.size()) * timeline.makespan);
  return timeline;
}

} // namespace moesim::schedulers
