#include "simulator/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "simulator/pool/process_pool.hpp"

namespace moesim::search {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
// Simulated before the next look at what can still win. Not the number of workers, on which nothing may depend.
constexpr std::size_t round_size = 32;
// Screened at first, to have something to simulate and a time to beat.
constexpr std::size_t first_layouts = 64;
// By how much, of it, rounding may put a bound above the score that it bounds.
constexpr double tolerance = 1e-9;
// Scores that differ by less are equal but for rounding.
constexpr double grain = 1e-12;

class Search {
public:
  Search(const Space& space, const Options& options, const Progress& progress)
      : space_(space), options_(options), progress_(progress) {}

  Result run() {
    result_.counts.layouts = space_.layouts().size();
    result_.counts.candidates = space_.candidate_count();
    std::vector<std::uint32_t> order(space_.layouts().size());
    std::iota(order.begin(), order.end(), 0U);
    const std::vector<double> bounds = layout_bounds(space_, order, options_.objective, workers("bounding"));
    std::ranges::stable_sort(order, {}, [&](std::uint32_t layout) { return bounds[layout]; });
    std::size_t next = 0;
    while (next < order.size() && threshold() == never) {
      const std::size_t last = std::min(order.size(), next + first_layouts);
      screen(std::span(order).subspan(next, last - next));
      simulate();
      next = last;
    }
    const auto end = std::upper_bound(order.begin() + static_cast<std::ptrdiff_t>(next), order.end(), threshold(),
                                      [&](double most, std::uint32_t layout) { return most < bounds[layout]; });
    for (auto at = end; at != order.end(); ++at)
      result_.counts.slow_layouts += space_.variants_of(space_.layouts()[*at]).size();
    screen({order.begin() + static_cast<std::ptrdiff_t>(next), end});
    simulate();
    result_.counts.too_slow += open_.size();
    return std::move(result_);
  }

private:
  [[nodiscard]] Workers workers(std::string_view what) const {
    return {options_.workers, [this, what](std::size_t done, std::size_t total) { progress_(what, done, total); }};
  }

  // Above this nothing gets into the ranking.
  [[nodiscard]] double threshold() const {
    if (result_.ranking.size() < options_.top)
      return never;
    return score_of(result_.ranking.back()) * (1 + tolerance) + grain;
  }

  [[nodiscard]] double score_of(const Found& found) const {
    return score(options_.objective, found.measurement.time, space_.layout_of(found.candidate));
  }

  void screen(std::span<const std::uint32_t> layouts) {
    const Screened screened = screen_candidates(
        space_, layouts, {options_.objective, options_.memory_limit, threshold()}, workers("screening"));
    result_.counts.too_slow += screened.too_slow;
    result_.counts.too_large += screened.too_large;
    std::vector<BoundedCandidate> merged;
    std::ranges::merge(open_, screened.open, std::back_inserter(merged));
    open_ = std::move(merged);
  }

  // In the order of their bounds, until what is left cannot win.
  void simulate() {
    std::size_t first = 0;
    while (first < open_.size() && open_[first].bound <= threshold()) {
      const std::size_t able = able_to_win();
      const std::size_t last = std::min(able, first + round_size);
      progress_("simulating", first, able);
      simulate_round(std::span(open_).subspan(first, last - first));
      first = last;
    }
    open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(first));
  }

  // How many of open_, counted from its start, are not above the threshold.
  [[nodiscard]] std::size_t able_to_win() const {
    return static_cast<std::size_t>(std::ranges::upper_bound(open_, threshold(), {}, &BoundedCandidate::bound) -
                                    open_.begin());
  }

  void simulate_round(std::span<const BoundedCandidate> round) {
    const auto work = [&](std::size_t at) {
      return measure(space_.subject().file, space_.assignments(round[at].candidate), options_.memory_limit);
    };
    std::vector<pool::Outcome> outcomes(round.size());
    pool::run_each(round.size(), work, {.workers = options_.workers},
                   [&](std::size_t at, pool::Outcome outcome) { outcomes[at] = std::move(outcome); });
    for (std::size_t at = 0; at < round.size(); ++at)
      take(round[at].candidate, outcomes[at]);
    const auto rank = [&](const Found& found) {
      return std::pair(std::llround(score_of(found) / grain), found.candidate);
    };
    std::ranges::sort(result_.ranking, {}, rank);
    if (result_.ranking.size() > options_.top)
      result_.ranking.resize(options_.top);
  }

  void take(Candidate candidate, const pool::Outcome& outcome) {
    if (outcome.ending != pool::Ending::Done) {
      ++(outcome.ending == pool::Ending::Refused ? result_.counts.refused : result_.counts.failed);
      return;
    }
    const Measurement measurement = read_measurement(outcome.value);
    ++(measurement.fits ? result_.counts.simulated : result_.counts.too_large);
    if (measurement.fits)
      result_.ranking.push_back({candidate, measurement});
  }

  const Space& space_;
  const Options& options_;
  const Progress& progress_;
  std::vector<BoundedCandidate> open_; // neither simulated nor left out; by bound
  Result result_;
};

} // namespace

Result search(const Space& space, const Options& options, const Progress& progress) {
  return Search(space, options, progress).run();
}

} // namespace moesim::search
