#include "simulator/cost/deepep_copies.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace moesim::cost {
namespace {

// The chance that none of `chosen` experts, drawn without repetition from `pool`, is of `own` of them (hypergeometric).
double missed(double pool, double own, std::int32_t chosen) {
  double chance = 1;
  for (std::int32_t drawn = 0; drawn < chosen; ++drawn)
    chance *= std::max(0.0, pool - own - drawn) / (pool - drawn);
  return chance;
}

double choose(double of, double chosen) {
  double ways = 1;
  for (double at = 0; at < chosen; ++at)
    ways *= (of - at) / (at + 1);
  return ways;
}

// The places of a group's members: [place][member].
using Places = std::vector<std::vector<std::size_t>>;

Places nodes_of(std::span<const RankId> members, const Group& group) {
  Places places;
  for (const std::vector<std::uint32_t>& node : group.nodes()) {
    places.emplace_back();
    for (std::size_t member = 0; member < members.size(); ++member)
      if (std::ranges::count(node, members[member].value()) > 0)
        places.back().push_back(member);
  }
  return places;
}

Places each_member(std::size_t members) {
  Places places;
  for (std::size_t member = 0; member < members; ++member)
    places.push_back({member});
  return places;
}

// In whole parts, so that sums of what is alike are the same in whatever order.
double on_grid(double tokens) {
  constexpr double parts = 65536;
  return std::round(tokens * parts) / parts;
}

// e_0 to e_k of the first i odds, for each i.
std::vector<std::vector<double>> elementary_sums(const std::vector<double>& odds, std::size_t k) {
  std::vector<std::vector<double>> sums{std::vector<double>(k + 1, 0)};
  sums[0][0] = 1;
  for (const double odd : odds) {
    std::vector<double> next = sums.back();
    for (std::size_t size = k; size > 0; --size)
      next[size] += sums.back()[size - 1] * odd;
    sums.push_back(std::move(next));
  }
  return sums;
}

// The odds with which k different experts are drawn so that each is met with its chance: found by putting right how
// often they are with the odds so far.
std::vector<double> odds_of(const std::vector<double>& chances, std::size_t k) {
  constexpr double most = 1 - 1e-9; // of a chance that has odds
  constexpr int rounds = 30;
  std::vector<double> wanted;
  std::vector<double> odds;
  for (const double chance : chances) {
    wanted.push_back(std::min(most, chance));
    odds.push_back(wanted.back() / (1 - wanted.back()));
  }
  for (int round = 0; round < rounds; ++round) {
    const auto before = elementary_sums(odds, k);
    const auto after = elementary_sums({odds.rbegin(), odds.rend()}, k);
    double largest = 0;
    for (std::size_t expert = 0; expert < odds.size(); ++expert) {
      double others = 0; // e_(k-1) of the others
      for (std::size_t size = 0; size < k; ++size)
        others += before[expert][size] * after[odds.size() - 1 - expert][k - 1 - size];
      const double met = odds[expert] * others / before.back()[k];
      if (met > 0)
        odds[expert] *= wanted[expert] / met;
      largest = std::max(largest, odds[expert]);
    }
    for (double& odd : odds) // their scale means nothing
      odd /= largest;
  }
  return odds;
}

// The tokens of one source.
class Source {
public:
  Source(const graph::TokenMatrix& matrix, std::size_t source, const graph::TokenRouting& routing)
      : matrix_(matrix), routing_(routing) {
    double copies = 0;
    for (std::size_t member = 0; member < matrix.members; ++member)
      for (std::size_t slot = 0; slot < matrix.slots; ++slot) {
        const double chance = std::min(1.0, matrix.copies_at(source, member, slot) / matrix.tokens[source]);
        chances_.push_back(chance);
        copies += chance;
      }
    constexpr double rounding = 1e-3; // of counts that are whole or in small fractions
    is_whole_ = std::abs(copies - routing.per_token) < rounding;
    if (is_whole_)
      odds_ = odds_of(chances_, static_cast<std::size_t>(routing.per_token));
    all_ = is_whole_ ? elementary({}) : 1;
  }

  // The chance that a token goes to experts of these members.
  [[nodiscard]] double hit(const std::vector<std::size_t>& place) const {
    double sum = 0;
    double missed_all = 1;
    for (const std::size_t member : place)
      for (std::size_t slot = 0; slot < matrix_.slots; ++slot) {
        const double chance = chances_[member * matrix_.slots + slot];
        sum += chance;
        missed_all *= 1 - chance;
      }
    if (place.size() * matrix_.slots == 1)
      return sum; // copies of a token go to different experts
    const double chance = is_whole_ ? 1 - elementary(place) / all_ : 1 - missed_all;
    return std::min(sum, limited(std::clamp(chance, 0.0, 1.0), place.size()));
  }

private:
  // e_k of the odds of all experts but those of some members.
  [[nodiscard]] double elementary(const std::vector<std::size_t>& left_out) const {
    std::vector<double> odds;
    for (std::size_t member = 0; member < matrix_.members; ++member)
      for (std::size_t slot = 0; slot < matrix_.slots && std::ranges::count(left_out, member) == 0; ++slot)
        odds.push_back(odds_[member * matrix_.slots + slot]);
    return elementary_sums(odds, static_cast<std::size_t>(routing_.per_token)).back().back();
  }

  // Under a limit on groups.
  [[nodiscard]] double limited(double chance, std::size_t members) const {
    if (routing_.groups == routing_.groups_per_token)
      return chance;
    const double own =
        static_cast<double>(routing_.experts) / static_cast<double>(matrix_.members) * static_cast<double>(members);
    graph::TokenRouting free = routing_;
    free.groups = free.groups_per_token = 1;
    const double with_limit = even_chance(routing_, own);
    const double without = even_chance(free, own);
    if (without >= 1 || with_limit >= 1)
      return chance;
    return 1 - std::pow(1 - chance, std::log1p(-with_limit) / std::log1p(-without));
  }

  const graph::TokenMatrix& matrix_;
  const graph::TokenRouting& routing_;
  std::vector<double> chances_; // of meeting each expert
  std::vector<double> odds_;
  bool is_whole_ = true; // nothing was dropped
  double all_ = 1;       // e_k of all
};

} // namespace

double even_chance(const graph::TokenRouting& routing, double own) {
  const double of_group = static_cast<double>(routing.experts) / routing.groups;
  const double pool = of_group * routing.groups_per_token;
  if (own <= of_group)
    return pool / routing.experts * (1 - missed(pool, own, routing.per_token));
  const double groups = std::round(own / of_group); // of the place
  double chance = 0;
  for (double taken = 1; taken <= std::min<double>(groups, routing.groups_per_token); ++taken)
    chance += choose(groups, taken) * choose(routing.groups - groups, routing.groups_per_token - taken) /
              choose(routing.groups, routing.groups_per_token) *
              (1 - missed(pool, taken * of_group, routing.per_token));
  return chance;
}

TokensThere tokens_there(const graph::TokenMatrix& matrix, const graph::TokenRouting& routing,
                         std::span<const RankId> members, const Group& group) {
  const Places single = each_member(members.size());
  const Places nodes = nodes_of(members, group);
  const std::size_t row = matrix.members * matrix.slots;
  const auto is_like_the_last = [&](std::size_t source) {
    return source > 0 && matrix.tokens[source] == matrix.tokens[source - 1] &&
           std::equal(matrix.copies.begin() + static_cast<std::ptrdiff_t>((source - 1) * row),
                      matrix.copies.begin() + static_cast<std::ptrdiff_t>(source * row),
                      matrix.copies.begin() + static_cast<std::ptrdiff_t>(source * row));
  };
  TokensThere there;
  for (std::size_t from = 0; from < matrix.members; ++from) {
    if (is_like_the_last(from)) {
      there.member.push_back(there.member.back());
      there.node.push_back(there.node.back());
      continue;
    }
    there.member.emplace_back(single.size(), 0);
    there.node.emplace_back(nodes.size(), 0);
    if (matrix.tokens[from] == 0)
      continue;
    const Source source(matrix, from, routing);
    for (std::size_t at = 0; at < single.size(); ++at)
      there.member.back()[at] = on_grid(matrix.tokens[from] * source.hit(single[at]));
    for (std::size_t at = 0; at < nodes.size(); ++at)
      there.node.back()[at] = on_grid(matrix.tokens[from] * source.hit(nodes[at]));
  }
  return there;
}

} // namespace moesim::cost
