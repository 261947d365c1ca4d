#include "simulator/search/screening.hpp"

#include <algorithm>
#include <cstring>
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

std::string as_bytes(const Screened& screened) {
  const std::array<std::size_t, 2> counts{screened.too_slow, screened.too_large};
  std::string bytes(sizeof(counts) + screened.open.size() * sizeof(BoundedCandidate), '\0');
  std::memcpy(bytes.data(), counts.data(), sizeof(counts));
  if (!screened.open.empty())
    std::memcpy(bytes.data() + sizeof(counts), screened.open.data(), bytes.size() - sizeof(counts));
  return bytes;
}

void add(const std::string& bytes, Screened& to) {
  std::array<std::size_t, 2> counts{};
  std::memcpy(counts.data(), bytes.data(), sizeof(counts));
  to.too_slow += counts[0];
  to.too_large += counts[1];
  const std::size_t before = to.open.size();
  to.open.resize(before + (bytes.size() - sizeof(counts)) / sizeof(BoundedCandidate));
  if (to.open.size() > before)
    std::memcpy(&to.open[before], bytes.data() + sizeof(counts), bytes.size() - sizeof(counts));
}

} // namespace

double score(Objective objective, Seconds time, const Layout& layout) {
  return objective == Objective::Latency ? time.value() : time.value() / static_cast<double>(layout.batch_size);
}

std::vector<double> layout_bounds(const Space& space, Objective objective) {
  std::vector<double> bounds(space.layouts().size(), 0.0);
  Scenario scenario = space.subject().scenario;
  if (!scenario.is_training())
    return bounds; // each has a candidate or two
  screen::Screen screen = screen_of(space);
  for (std::size_t at = 0; at < bounds.size(); ++at) {
    const Layout& layout = space.layouts()[at];
    space.set_layout(layout, scenario);
    bounds[at] = score(objective, screen.layout_bound(scenario.training_job()), layout);
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

Screened screen_candidates(const Space& space, std::span<const std::uint32_t> layouts, const Goal& goal,
                           std::size_t workers, const DoneSink& progress) {
  const std::size_t groups = (layouts.size() + layouts_at_a_time - 1) / layouts_at_a_time;
  Screened all;
  const auto work = [&](std::size_t group) {
    const std::size_t first = group * layouts_at_a_time;
    return as_bytes(
        screen_candidates(space, layouts.subspan(first, std::min(layouts_at_a_time, layouts.size() - first)), goal));
  };
  const auto sink = [&](std::size_t, const pool::Outcome& outcome) {
    if (outcome.ending != pool::Ending::Done)
      throw std::runtime_error("screening: " + outcome.reason);
    add(outcome.value, all);
  };
  pool::run_each(groups, work, {.workers = workers}, sink,
                 [&](const pool::Progress& at) { progress(at.done, at.total); });
  std::ranges::sort(all.open);
  return all;
}

} // namespace moesim::search
