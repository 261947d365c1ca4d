#include "workloads/expert_routing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/random/binomial_distribution.hpp>
#include <boost/random/uniform_01.hpp>

#include "workloads/random_stream.hpp"

namespace moesim::workloads {
namespace {

using Counts = std::vector<std::int64_t>;
using Shares = std::vector<double>;

// Adds to or takes from counts of 0 to `most`, from place `start` on, until they sum to `total`, one by one; from
// places without a share last.
void settle(Counts& counts, std::int64_t total, std::int64_t most, std::size_t start, const Shares& shares) {
  std::int64_t missing = total - std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  for (const bool any : {false, true})
    for (bool changed = true; changed && missing != 0;) {
      changed = false;
      for (std::size_t i = 0; i < counts.size() && missing != 0; ++i) {
        const std::size_t place = (start + i) % counts.size();
        const std::int64_t step = missing > 0 ? 1 : -1;
        const std::int64_t next = counts[place] + step;
        if ((!any && shares[place] <= 0) || next < 0 || next > most)
          continue;
        counts[place] = next;
        missing -= step;
        changed = true;
      }
    }
}

// Whole numbers that sum to `total`, each within one of its share of it: where the running sum, moved by `phase` (0 to
// below 1), passes whole numbers.
Counts systematic(const Shares& shares, std::int64_t total, double phase) {
  constexpr double tolerance = 1e-6; // a sum that should be whole counts as such
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  Counts counts(shares.size());
  if (sum <= 0)
    return counts;
  double running = 0;
  std::int64_t given = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    running += shares[i] / sum * static_cast<double>(total);
    const auto reached =
        std::min(total, static_cast<std::int64_t>(std::floor(running + phase * (1 - tolerance) + tolerance)));
    counts[i] = std::max<std::int64_t>(0, reached - given);
    given += counts[i];
  }
  return counts;
}

// Clamps, and puts the sum right.
Counts bounded(Counts counts, std::int64_t total, std::int64_t most, std::size_t start, const Shares& shares) {
  for (std::int64_t& count : counts)
    count = std::clamp<std::int64_t>(count, 0, most);
  settle(counts, total, most, start, shares);
  return counts;
}

// How many of `tokens` tokens include each item, when each includes an item with the given probability, and all
// inclusions sum to `total`.
Counts drawn(const Shares& inclusion, std::int64_t tokens, std::int64_t total, RandomStream& random) {
  Counts counts;
  Shares variances;
  for (const double probability : inclusion) {
    const double p = std::clamp(probability, 0.0, 1.0);
    boost::random::binomial_distribution<std::int64_t> distribution(tokens, p);
    counts.push_back(p == 0 || p == 1 ? std::llround(p) * tokens : distribution(random));
    variances.push_back(p * (1 - p));
  }
  boost::random::uniform_01<double> uniform;
  const double phase = uniform(random);
  const auto start = static_cast<std::size_t>(random() % inclusion.size());
  const std::int64_t missing = total - std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const Counts correction = systematic(variances, std::abs(missing), phase);
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] += missing > 0 ? correction[i] : -correction[i];
  return bounded(std::move(counts), total, tokens, start, variances);
}

// Groups first, then experts within each.
Counts drawn_in_groups(const Shares& inclusion, const MoeSpec& moe, std::int64_t tokens, RandomStream& random) {
  const std::int64_t size = moe.num_experts / moe.groups;
  const double per_group = static_cast<double>(moe.experts_per_token) / static_cast<double>(moe.groups_per_token);
  Shares chosen;
  for (auto first = inclusion.begin(); first != inclusion.end(); first += size)
    chosen.push_back(std::accumulate(first, first + size, 0.0) / per_group);
  const Counts picks = drawn(chosen, tokens, tokens * moe.groups_per_token, random);
  const Counts copies = systematic(Shares(picks.begin(), picks.end()), tokens * moe.experts_per_token, 0);
  Counts result;
  for (std::size_t group = 0; group < picks.size(); ++group) {
    const auto first = inclusion.begin() + static_cast<std::ptrdiff_t>(group) * size;
    Shares within(first, first + size);
    for (double& probability : within)
      probability = chosen[group] > 0 ? probability / chosen[group] : 0;
    const Counts counts = drawn(within, picks[group], copies[group], random);
    result.insert(result.end(), counts.begin(), counts.end());
  }
  return result;
}

} // namespace

std::vector<std::int64_t> expert_copies(const std::vector<double>& inclusion, const RoutingModel& routing,
                                        const MoeSpec& moe, const RoutingPlace& place, std::int64_t tokens) {
  const std::int64_t total = tokens * moe.experts_per_token;
  if (routing.counts == TokenCounts::Expected) {
    const double phase = static_cast<double>(place.source) / static_cast<double>(place.sources);
    return bounded(systematic(inclusion, total, phase), total, tokens, 0, inclusion);
  }
  const auto word = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  RandomStream random{routing.seed,       word(place.iteration), word(place.layer), word(place.micro_batch),
                      word(place.source), word(place.group)};
  return moe.groups_per_token == moe.groups ? drawn(inclusion, tokens, total, random)
                                            : drawn_in_groups(inclusion, moe, tokens, random);
}

std::vector<std::int64_t> expert_copies(const RoutingModel& routing, const MoeSpec& moe, const RoutingPlace& place,
                                        std::int64_t tokens) {
  const std::vector<double> popularity =
      expert_popularity(routing, moe, place.iteration, place.layer, place.micro_batch);
  return expert_copies(inclusion_probabilities(popularity, moe), routing, moe, place, tokens);
}

} // namespace moesim::workloads
