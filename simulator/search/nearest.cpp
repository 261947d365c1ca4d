#include "simulator/search/nearest.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "simulator/pool/process_pool.hpp"
#include "simulator/screen/screen.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::search {
namespace {

using scenario::Scenario;
using scenario::yaml_of;

// Simulated before the next look at what can still win.
constexpr std::size_t round_size = 16;
// Times that differ by less, relative to them, are equal but for rounding.
constexpr double tolerance = 1e-9;

template <class Value>
void put_first(std::vector<Value>& values, const Value& first) {
  std::erase(values, first);
  values.insert(values.begin(), first);
}

template <class Value, class Text>
void put_first(std::vector<Choice<Value>>& choices, const Value& first, const Text& text_of) {
  std::erase_if(choices, [&](const Choice<Value>& choice) { return text_of(choice.value) == text_of(first); });
  choices.insert(choices.begin(), Choice<Value>{std::string(text_of(first)), first});
}

std::string schedule_text(const Axes& axes, const Variant& variant) {
  return variant.vpp > 1 ? fmt::format("{} with {} chunks", axes.schedule[variant.schedule], variant.vpp)
                         : axes.schedule[variant.schedule];
}

class Neighbourhood {
public:
  Neighbourhood(const Space& space, Bytes memory_limit, std::size_t workers)
      : space_(space), memory_limit_(memory_limit), workers_(workers) {}

  Nearest look_for(const Wanted& wanted) {
    for (std::size_t count = 0; count <= most_changes; ++count) {
      const std::optional<Found> fastest = fastest_of(candidates_with(count));
      if (!fastest)
        continue;
      if (count == 0)
        result_.as_given = fastest;
      result_.meets = wanted.asks() && wanted.is_met_by(fastest->measurement);
      if (result_.meets || !result_.found ||
          fastest->measurement.time < result_.found->measurement.time * (1 - tolerance))
        result_.found = fastest;
      if (result_.meets)
        break;
    }
    if (result_.found)
      result_.changes = changes_of(result_.found->candidate);
    return std::move(result_);
  }

private:
  // Of the layout, then of its variant.
  [[nodiscard]] std::vector<Change> changes_in(const Layout& layout) const {
    const workloads::ParallelSizes& from = space_.subject().scenario.job().sizes;
    const workloads::ParallelSizes& to = layout.sizes;
    const auto& work = space_.subject().scenario.work;
    const std::int64_t micro_batch = std::holds_alternative<workloads::TrainingJob>(work)
                                         ? std::get<workloads::TrainingJob>(work).training.micro_batch_size
                                         : std::get<workloads::InferenceJob>(work).inference.micro_batch_size;
    std::vector<Change> changes;
    for (const auto& [axis, before, after] : {std::tuple("tp", from.tp, to.tp),
                                              {"cp", from.cp, to.cp},
                                              {"pp", from.pp, to.pp},
                                              {"ep", from.ep, to.ep},
                                              {"etp", from.etp, to.etp},
                                              {"micro_batch_size", micro_batch, layout.micro_batch_size}})
      if (before != after)
        changes.push_back({axis, fmt::to_string(before), fmt::to_string(after)});
    return changes;
  }

  // The first of each axis is the scenario's own.
  [[nodiscard]] std::vector<Change> changes_in(const Variant& variant) const {
    const Axes& axes = space_.axes();
    const auto of_choices = [](const char* axis, const auto& choices, std::uint32_t at) {
      return std::tuple(axis, choices.front().text, choices[at].text);
    };
    std::vector<Change> changes;
    const auto add = [&](const std::tuple<const char*, std::string, std::string>& change) {
      const auto& [axis, before, after] = change;
      if (before != after)
        changes.push_back({axis, before, after});
    };
    if (!space_.subject().scenario.is_training()) {
      add({"two_batch", axes.two_batch.front(), axes.two_batch[variant.overlap]});
      return changes;
    }
    const Variant own{.vpp = space_.subject().scenario.job().sizes.vpp};
    add({"schedule", schedule_text(axes, own), schedule_text(axes, variant)});
    add(of_choices("recompute", axes.recompute, variant.recompute));
    add(of_choices("sharding", axes.sharding, variant.sharding));
    add(of_choices("overlap", axes.overlap, variant.overlap));
    return changes;
  }

  [[nodiscard]] std::vector<Change> changes_of(Candidate candidate) const {
    std::vector<Change> changes = changes_in(space_.layout_of(candidate));
    const std::vector<Change> more = changes_in(space_.variant_of(candidate));
    changes.insert(changes.end(), more.begin(), more.end());
    return changes;
  }

  // By their bounds, those that are too large at rest left out.
  [[nodiscard]] std::vector<BoundedCandidate> candidates_with(std::size_t count) const {
    Scenario scenario = space_.subject().scenario;
    screen::Screen screen(scenario.cluster, scenario.rank_order, scenario.network);
    std::vector<BoundedCandidate> bounded;
    for (std::uint32_t number = 0; number < space_.layouts().size(); ++number) {
      const Layout& layout = space_.layouts()[number];
      const std::size_t of_layout = changes_in(layout).size();
      if (of_layout > count)
        continue;
      space_.set_layout(layout, scenario);
      for (const std::uint32_t variant : space_.variants_of(layout)) {
        const Candidate candidate{number, variant};
        if (of_layout + changes_in(space_.variant_of(candidate)).size() != count)
          continue;
        space_.set_variant(variant, scenario);
        if (std::visit([](const auto& job) { return workloads::memory_at_rest(job); }, scenario.work) > memory_limit_)
          continue;
        const Seconds bound = std::visit([&](const auto& job) { return screen.lower_bound(job); }, scenario.work);
        bounded.push_back({bound.value(), candidate});
      }
    }
    std::ranges::sort(bounded);
    return bounded;
  }

  std::optional<Found> fastest_of(const std::vector<BoundedCandidate>& candidates) {
    std::optional<Found> fastest;
    const std::size_t most = std::min(candidates.size(), most_simulated);
    for (std::size_t first = 0; first < most; first += round_size) {
      if (fastest && candidates[first].bound > fastest->measurement.time.value() * (1 + tolerance))
        break;
      for (const Found& found : simulate(std::span(candidates).subspan(first, std::min(round_size, most - first))))
        if (!fastest || found.measurement.time < fastest->measurement.time * (1 - tolerance))
          fastest = found;
    }
    return fastest;
  }

  // Those that fit, in their order.
  std::vector<Found> simulate(std::span<const BoundedCandidate> candidates) {
    std::vector<pool::Work> works;
    for (const BoundedCandidate& each : candidates)
      works.emplace_back(
          [&] { return measure(space_.subject().file, space_.assignments(each.candidate), memory_limit_); });
    std::vector<Found> found;
    const std::vector<pool::Outcome> outcomes = pool::run_all(works, {.workers = workers_});
    for (std::size_t at = 0; at < outcomes.size(); ++at)
      if (outcomes[at].ending == pool::Ending::Done)
        if (const Measurement measurement = read_measurement(outcomes[at].value); measurement.fits)
          found.push_back({candidates[at].candidate, measurement});
    result_.simulated += candidates.size();
    return found;
  }

  const Space& space_;
  Bytes memory_limit_;
  std::size_t workers_;
  Nearest result_;
};

} // namespace

bool Wanted::is_met_by(const Measurement& measurement) const {
  return measurement.time <= time && measurement.ttft.value_or(Seconds()) <= ttft &&
         measurement.tpot.value_or(Seconds()) <= tpot;
}

Axes axes_around(const Subject& subject) {
  Axes axes = axes_of(subject, {});
  if (!subject.scenario.is_training()) {
    put_first(axes.two_batch,
              std::string(subject.scenario.inference_job().inference.overlaps_two_batches ? "true" : "false"));
    return axes;
  }
  const workloads::Training& training = subject.scenario.training_job().training;
  put_first(axes.schedule, training.schedule);
  const auto text_of = [](const auto& value) { return yaml_of(value); };
  put_first(axes.recompute, training.recompute, text_of);
  put_first(axes.sharding, training.sharding, [](workloads::Sharding of) { return name_of(of); });
  put_first(axes.overlap, training.overlap, text_of);
  return axes;
}

Nearest nearest(const Space& space, const Wanted& wanted, Bytes memory_limit, std::size_t workers) {
  return Neighbourhood(space, memory_limit, workers).look_for(wanted);
}

} // namespace moesim::search
