#include "tests/schedulers/schedule_properties.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace moesim::testing {

using namespace schedulers;

std::vector<ScheduleShape> shapes(std::int64_t chunks) {
  std::vector<ScheduleShape> all;
  for (std::int64_t stages = 1; stages <= 16; ++stages) {
    const std::set<std::int64_t> micro_batches{1,          2,  stages - 1, stages, stages + 1, 2 * stages - 1,
                                               2 * stages, 33, 64};
    for (const std::int64_t count : micro_batches)
      if (count > 0)
        all.push_back({.stages = stages, .micro_batches = count, .chunks = chunks});
  }
  return all;
}

std::vector<ScheduleShape> shapes_with_full_warm_up(std::int64_t chunks) {
  std::vector<ScheduleShape> full = shapes(chunks);
  std::erase_if(full, [](const ScheduleShape& shape) { return shape.micro_batches < 2 * shape.stages - 1; });
  return full;
}

std::vector<ScheduleShape> shapes_of(const PipelineSchedule& schedule) {
  std::vector<ScheduleShape> all;
  for (const std::int64_t chunks :
       schedule.chunks > 0 ? std::vector{schedule.chunks} : std::vector<std::int64_t>{2, 3, 4})
    std::ranges::copy_if(shapes(chunks), std::back_inserter(all),
                         [&](const ScheduleShape& shape) { return refusal(schedule, shape).empty(); });
  if (schedule.name == "zb-auto") // tries 67 orders each time
    std::erase_if(all, [](const ScheduleShape& shape) { return shape.stages % 4 != 3 || shape.micro_batches == 64; });
  return all;
}

ScheduleShape with_costs(ScheduleShape shape, PassCosts costs) {
  shape.costs.assign(static_cast<std::size_t>(shape.stages), costs);
  return shape;
}

Chunks chunks_of(const PipelineSchedule& schedule, const ScheduleShape& shape) {
  return {schedule.placement, shape.stages, shape.chunks};
}

Timed timed(std::string_view schedule, const ScheduleShape& shape) {
  const PipelineSchedule& found = find_schedule(schedule);
  Timed result{found.order(shape), chunks_of(found, shape), {}};
  result.timeline = time_passes(result.order, result.chunks, shape);
  return result;
}

namespace {

// How often a stage runs each pass.
class Counts {
public:
  explicit Counts(const std::vector<PipelinePass>& passes) {
    for (const PipelinePass& pass : passes)
      ++times_[{pass.kind, pass.micro_batch, pass.chunk}];
  }

  // Whether it runs the forward and the backward, whole or in two, and takes them out.
  bool take_once(std::int64_t micro_batch, std::int64_t chunk) {
    const auto take = [&](PassKind kind) {
      const auto found = times_.extract({kind, micro_batch, chunk});
      return found.empty() ? 0 : found.mapped();
    };
    const int input = take(PassKind::BackwardInput);
    return take(PassKind::Forward) == 1 && take(PassKind::Backward) + input == 1 &&
           take(PassKind::BackwardWeight) == input;
  }

  [[nodiscard]] bool is_empty() const { return times_.empty(); }

private:
  std::map<std::tuple<PassKind, std::int64_t, std::int64_t>, int> times_;
};

} // namespace

std::string not_once(const Timed& timed, const ScheduleShape& shape) {
  for (std::size_t stage = 0; stage < timed.order.size(); ++stage) {
    Counts counts(timed.order[stage]);
    for (std::int64_t chunk = 0; chunk < shape.chunks; ++chunk)
      for (std::int64_t micro_batch = 0; micro_batch < shape.micro_batches; ++micro_batch)
        if (timed.chunks.runs(chunk, micro_batch, shape.micro_batches) && !counts.take_once(micro_batch, chunk))
          return fmt::format("stage {}, micro-batch {}, chunk {}", stage, micro_batch, chunk);
    if (!counts.is_empty())
      return fmt::format("stage {} runs a micro-batch or chunk that there is not", stage);
  }
  return {};
}

namespace {

// Forwards, or backwards that the way back takes, of the virtual stages before a place, and the transfers between them.
double before(const Chunks& chunks, const ScheduleShape& shape, ChunkPlace at, PassKind kind) {
  double time = 0;
  for (std::optional<ChunkPlace> from = chunks.before(at); from; from = chunks.before(at)) {
    time += duration(shape, chunks, static_cast<std::size_t>(from->stage), kind);
    time += from->stage == at.stage ? 0 : shape.transfer;
    at = *from;
  }
  return time;
}

double nearest(const Chunks& chunks, const ScheduleShape& shape, std::int64_t stage, PassKind kind) {
  double time = std::numeric_limits<double>::infinity();
  for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
    time = std::min(time, before(chunks, shape, {stage, chunk}, kind));
  return time;
}

} // namespace

double lower_bound(const Timed& timed, const ScheduleShape& shape) {
  double bound = 0;
  for (std::size_t stage = 0; stage < timed.order.size(); ++stage) {
    double work = 0;
    double weights = 0;
    for (const PipelinePass& pass : timed.order[stage]) {
      const double length = duration(shape, timed.chunks, stage, pass.kind);
      work += length;
      weights += pass.kind == PassKind::BackwardWeight ? length : 0;
    }
    const auto number = static_cast<std::int64_t>(stage);
    const PassKind back = weights > 0 ? PassKind::BackwardInput : PassKind::Backward;
    const double arrival = nearest(timed.chunks, shape, number, PassKind::Forward);
    bound = std::max({bound, arrival + work, arrival + work - weights + nearest(timed.chunks, shape, number, back)});
  }
  return bound;
}

double most_in_flight(const PassTimeline& timeline) {
  return *std::ranges::max_element(timeline.peak_activations);
}

std::string text(const ScheduleShape& shape) {
  return fmt::format("{} stages, {} micro-batches, {} chunks", shape.stages, shape.micro_batches, shape.chunks);
}

} // namespace moesim::testing
