#include "schedulers/zero_bubble_greedy.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "schedulers/stage_passes.hpp"
#include "simulator/base/check.hpp"

namespace moesim::schedulers {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

struct Stage {
  std::array<double, 4> length{};                        // of its passes, by kind
  std::vector<double> forward_arrival, backward_arrival; // of what passes need, by micro-batch, as far as known
  double free = 0;                                       // when its last pass ends
  std::int64_t weights = 0;
  PassKind last = PassKind::BackwardInput; // of forwards and backwards of the input
  StagePasses passes;

  [[nodiscard]] double length_of(PassKind kind) const { return length[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::int64_t in_flight() const { return passes.forwards() - weights; }
};

double arrival(const std::vector<double>& arrivals, std::int64_t micro_batch) {
  return micro_batch < std::ssize(arrivals) ? arrivals[static_cast<std::size_t>(micro_batch)] : never;
}

class Pipeline {
public:
  Pipeline(const ScheduleShape& shape, std::int64_t max_in_flight, const GreedyRules& rules)
      : shape_(shape), max_in_flight_(max_in_flight), rules_(rules), stages_(static_cast<std::size_t>(shape.stages)),
        wakes_(stages_.size(), 0), waited_(stages_.size(), 0) {
    const Chunks chunks{ChunkPlacement::Loop, shape.stages, 1};
    for (std::size_t stage = 0; stage < stages_.size(); ++stage)
      for (const PassKind kind : {PassKind::Forward, PassKind::BackwardInput, PassKind::BackwardWeight})
        stages_[stage].length[static_cast<std::size_t>(kind)] = duration(shape, chunks, stage, kind);
    stages_.front().forward_arrival.assign(static_cast<std::size_t>(shape.micro_batches), 0);
  }

  PipelineOrder order() {
    for (;;) {
      const auto next = std::ranges::min_element(wakes_);
      if (*next == never)
        break;
      look(static_cast<std::size_t>(next - wakes_.begin()));
    }
    PipelineOrder order;
    for (const Stage& stage : stages_) {
      MOESIM_CHECK(stage.weights == shape_.micro_batches, "every micro-batch gets through");
      order.push_back(stage.passes.all());
    }
    return order;
  }

private:
  // Starts a pass on a stage that is free, or puts it to sleep.
  void look(std::size_t number) {
    const double now = wakes_[number];
    const std::optional<PassKind> kind = choose(number, now);
    if (kind)
      start(number, *kind, now);
    else
      wakes_[number] = next_arrival(number, now);
  }

  [[nodiscard]] double next_forward(std::size_t number) const {
    const Stage& stage = stages_[number];
    const auto later_stages = static_cast<double>(stages_.size() - number - 1);
    const auto lead = static_cast<double>(stage.passes.forwards() - stage.passes.backwards());
    const bool may = stage.in_flight() < max_in_flight_ && lead < 1 + rules_.lead * later_stages;
    return may ? arrival(stage.forward_arrival, stage.passes.forwards()) : never;
  }

  // Of what is not there yet.
  [[nodiscard]] double next_arrival(std::size_t number, double now) const {
    const double forward = next_forward(number);
    const double backward = arrival(stages_[number].backward_arrival, stages_[number].passes.backwards());
    return std::min(forward > now ? forward : never, backward > now ? backward : never);
  }

  [[nodiscard]] std::optional<PassKind> choose(std::size_t number, double now) const {
    const Stage& stage = stages_[number];
    const bool has_forward = next_forward(number) <= now;
    const bool has_weights = stage.weights < stage.passes.backwards();
    const double backward = arrival(stage.backward_arrival, stage.passes.backwards());
    if (backward <= now && (!has_forward || rules_.backward_first || stage.last == PassKind::Forward))
      return PassKind::BackwardInput;
    const bool delays_backward = backward < now + stage.length_of(PassKind::Forward) && backward > now;
    if (has_forward && !(rules_.waits_for_backward && delays_backward) &&
        !(rules_.skips_forwards && has_weights && is_ahead(number)))
      return PassKind::Forward;
    if (has_weights && (has_forward || fills_gap(number, next_arrival(number, now) - now)))
      return PassKind::BackwardWeight;
    return {};
  }

  // Of the next stage, by more than the forward that it always is.
  [[nodiscard]] bool is_ahead(std::size_t number) const {
    return number + 1 < stages_.size() && stages_[number].passes.forwards() - stages_[number + 1].passes.forwards() > 1;
  }

  [[nodiscard]] bool fills_gap(std::size_t number, double gap) const {
    return gap >= stages_[number].length_of(PassKind::BackwardWeight) || rules_.fills_small_gaps ||
           waited_[number] + gap > *std::ranges::max_element(waited_);
  }

  void start(std::size_t number, PassKind kind, double now) {
    Stage& stage = stages_[number];
    waited_[number] += stage.passes.all().empty() ? 0 : now - stage.free;
    stage.free = wakes_[number] = now + stage.length_of(kind);
    if (kind == PassKind::BackwardWeight) {
      stage.passes.backward_weight();
      ++stage.weights;
      return;
    }
    stage.last = kind;
    if (kind == PassKind::Forward) {
      stage.passes.forward();
      if (number + 1 < stages_.size())
        arrive(number + 1, &Stage::forward_arrival, stage.free + shape_.transfer);
      else
        arrive(number, &Stage::backward_arrival, stage.free);
    } else {
      stage.passes.backward_input();
      if (number > 0)
        arrive(number - 1, &Stage::backward_arrival, stage.free + shape_.transfer);
    }
  }

  // Wakes a stage that sleeps until later; one that runs a pass looks when that ends.
  void arrive(std::size_t number, std::vector<double> Stage::*arrivals, double time) {
    (stages_[number].*arrivals).push_back(time);
    wakes_[number] = std::min(wakes_[number], std::max(stages_[number].free, time));
  }

  const ScheduleShape& shape_;
  std::int64_t max_in_flight_;
  const GreedyRules& rules_;
  std::vector<Stage> stages_;
  std::vector<double> wakes_;  // per stage: when it looks for its next pass
  std::vector<double> waited_; // per stage: since its first pass
};

} // namespace

PipelineOrder greedy_zero_bubble(const ScheduleShape& shape, std::int64_t max_in_flight, const GreedyRules& rules) {
  return Pipeline(shape, max_in_flight, rules).order();
}

} // namespace moesim::schedulers
