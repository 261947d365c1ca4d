#include "simulator/search/screening.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <utility>
#include <variant>

#include "simulator/pool/process_pool.hpp"
#include "simulator/screen/screen.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::search {
namespace {

using scenario::Scenario;

// A process for fewer would cost more than it does.
constexpr std::size_t layouts_at_a_time = 256;

screen::Screen screen_of(const Space& space) {
  const Scenario& scenario = space.subject().scenario;
  return screen::Screen(scenario.cluster, scenario.rank_order, scenario.network);
}

// Variants that follow each other often have the same parameters, shared by the same ranks.
class RestingMemory {
public:
  void forget() { known_.clear(); }
  [[nodiscard]] Bytes of(const Scenario& scenario, const Variant& variant) {
    const auto key = std::pair(std::pair(variant.schedule, variant.vpp), variant.sharding);
    const auto found = std::ranges::find(known_, key, &Known::first);
    if (found != known_.end())
      return found->second;
    known_.emplace_back(key, std::visit([](const auto& job) { return workloads::memory_at_rest(job); }, scenario.work));
    return known_.back().second;
  }

private:
  using Known = std::pair<std::pair<std::pair<std::uint32_t, std::int64_t>, std::uint32_t>, Bytes>;
  std::vector<Known> known_; // of a layout
};

template <class Value>
void append(const std::vector<Value>& values, std::string& bytes) {
  const std::size_t before = bytes.size();
  bytes.resize(before + values.size() * sizeof(Value));
  if (!values.empty())
    std::memcpy(&bytes[before], values.data(), bytes.size() - before);
}

// What append() wrote from `offset` to the end.
template <class Value>
void extract(const std::string& bytes, std::size_t offset, std::vector<Value>& values) {
  const std::size_t before = values.size();
  values.resize(before + (bytes.size() - offset) / sizeof(Value));
  if (values.size() > before)
    std::memcpy(&values[before], bytes.data() + offset, bytes.size() - offset);
}

using Work = std::function<std::string(std::span<const std::uint32_t>)>;

// What the work returns for some of the layouts after the other, in their order.
std::vector<std::string> shared(std::span<const std::uint32_t> layouts, const Work& work, const Workers& workers) {
  std::vector<std::string> parts((layouts.size() + layouts_at_a_time - 1) / layouts_at_a_time);
  const auto part = [&](std::size_t at) {
    const std::size_t first = at * layouts_at_a_time;
    return work(layouts.subspan(first, std::min(layouts_at_a_time, layouts.size() - first)));
  };
  const auto sink = [&](std::size_t at, pool::Outcome outcome) {
    if (outcome.ending != pool::Ending::Done)
      throw std::runtime_error("screening: " + outcome.reason);
    parts[at] = std::move(outcome.value);
  };
  pool::run_each(parts.size(), part, {.workers = workers.count}, sink,
                 [&](const pool::Progress& at) { workers.progress(at.done, at.total); });
  return parts;
}

} // namespace

double score(Objective objective, Seconds time, const Layout& layout) {
  return objective == Objective::Latency ? time.value() : time.value() / static_cast<double>(layout.batch_size);
}

std::vector<double> layout_bounds(const Space& space, std::span<const std::uint32_t> layouts, Objective objective) {
  Scenario scenario = space.subject().scenario;
  std::vector<double> bounds;
  if (!scenario.is_training()) {
    bounds.assign(layouts.size(), 0.0); // each has a candidate or two
    return bounds;
  }
  screen::Screen screen = screen_of(space);
  for (const std::uint32_t number : layouts) {
    const Layout& layout = space.layouts()[number];
    space.set_layout(layout, scenario);
    bounds.push_back(score(objective, screen.layout_bound(scenario.training_job()), layout));
  }
  return bounds;
}

Screened screen_candidates(const Space& space, std::span<const std::uint32_t> layouts, const Goal& goal) {
  Scenario scenario = space.subject().scenario;
  screen::Screen screen = screen_of(space);
  RestingMemory resting;
  Screened screened;
  for (const std::uint32_t number : layouts) {
    const Layout& layout = space.layouts()[number];
    space.set_layout(layout, scenario);
    resting.forget();
    for (const std::uint32_t variant : space.variants_of(layout)) {
      space.set_variant(variant, scenario);
      const Seconds time = std::visit([&](const auto& job) { return screen.lower_bound(job); }, scenario.work);
      const double bound = score(goal.objective, time, layout);
      const Candidate candidate{number, variant};
      if (bound > goal.threshold)
        ++screened.too_slow;
      else if (resting.of(scenario, space.variant_of(candidate)) > goal.memory_limit)
        ++screened.too_large;
      else
        screened.open.push_back({bound, candidate});
    }
  }
  std::ranges::sort(screened.open);
  return screened;
}

std::vector<double> layout_bounds(const Space& space, std::span<const std::uint32_t> layouts, Objective objective,
                                  const Workers& workers) {
  const auto work = [&](std::span<const std::uint32_t> part) {
    std::string bytes;
    append(layout_bounds(space, part, objective), bytes);
    return bytes;
  };
  std::vector<double> all;
  for (const std::string& bytes : shared(layouts, work, workers))
    extract(bytes, 0, all);
  return all;
}

Screened screen_candidates(const Space& space, std::span<const std::uint32_t> layouts, const Goal& goal,
                           const Workers& workers) {
  const auto work = [&](std::span<const std::uint32_t> part) {
    const Screened screened = screen_candidates(space, part, goal);
    std::string bytes;
    append(std::vector{screened.too_slow, screened.too_large}, bytes);
    append(screened.open, bytes);
    return bytes;
  };
  Screened all;
  for (const std::string& bytes : shared(layouts, work, workers)) {
    constexpr std::size_t counts_size = 2 * sizeof(std::size_t);
    std::vector<std::size_t> counts;
    extract(bytes.substr(0, counts_size), 0, counts);
    all.too_slow += counts[0];
    all.too_large += counts[1];
    extract(bytes, counts_size, all.open);
  }
  std::ranges::sort(all.open);
  return all;
}

} // namespace moesim::search
