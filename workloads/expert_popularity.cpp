#include "workloads/expert_popularity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include <boost/math/special_functions/gamma.hpp>
#include <boost/random/normal_distribution.hpp>

#include "simulator/base/check.hpp"
#include "workloads/random_stream.hpp"

namespace moesim::workloads {
namespace {

using Values = std::vector<double>; // one per expert

enum class Stream : std::uint64_t { Popularity, Drift };

// Normal variates of a layer, with the model's correlation between layers. `a` and `b` tell apart what is drawn.
Values normals(const RoutingModel& routing, std::size_t experts, std::int64_t layer, Stream stream, std::int64_t a = 0,
               std::int64_t b = 0) {
  const auto word = [](auto value) { return static_cast<std::uint64_t>(value); };
  RandomStream common{routing.seed, word(stream), word(a), word(b)};
  RandomStream own{routing.seed, word(stream), word(a), word(b), word(layer) + 1};
  boost::random::normal_distribution<double> of_all;
  boost::random::normal_distribution<double> of_layer;
  const double shared = std::sqrt(routing.correlation);
  const double apart = std::sqrt(1 - routing.correlation);
  Values result(experts);
  for (double& value : result)
    value = shared * of_all(common) + apart * of_layer(own);
  return result;
}

// A random walk with steps of N(0, 1) after so many of them, without taking each: it doubles until it is past them,
// then halves (between two places of a walk that are 2h apart the middle is N(mean of both, h / 2); Levy's construction
// of Brownian motion).
Values random_walk(const RoutingModel& routing, std::size_t experts, std::int64_t layer, std::int64_t steps) {
  Values left(experts);
  if (steps == 0)
    return left;
  const auto draw = [&](std::int64_t from, std::int64_t to) {
    return normals(routing, experts, layer, Stream::Drift, from, to);
  };
  std::int64_t from = 0;
  std::int64_t to = 1;
  Values right = draw(from, to);
  while (to < steps) {
    from = to;
    to *= 2;
    left = right;
    const Values noise = draw(from, to);
    for (std::size_t i = 0; i < experts; ++i)
      right[i] += std::sqrt(static_cast<double>(to - from)) * noise[i];
  }
  while (to != steps) {
    const std::int64_t half = (to - from) / 2;
    const Values noise = draw(from, from + half);
    Values middle(experts);
    for (std::size_t i = 0; i < experts; ++i)
      middle[i] = (left[i] + right[i]) / 2 + std::sqrt(static_cast<double>(half) / 2) * noise[i];
    if (from + half < steps) {
      from += half;
      left = std::move(middle);
    } else {
      to = from + half;
      right = std::move(middle);
    }
  }
  return right;
}

// Experts from the one with the largest value down.
std::vector<std::size_t> descending(const Values& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t expert) { return values[expert]; });
  return order;
}

// A variate of Gamma(alpha, 1) that is exceeded as probably as the normal one; the smaller tail keeps its digits. One
// that is too small for a number is the smallest, lest all be 0.
using InDouble = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

double gamma_variate(double alpha, double normal) {
  const double tail = std::erfc(std::abs(normal) / std::sqrt(2)) / 2;
  const InDouble precise;
  const double variate =
      normal < 0 ? boost::math::gamma_p_inv(alpha, tail, precise) : boost::math::gamma_q_inv(alpha, tail, precise);
  return std::max(variate, std::numeric_limits<double>::min());
}

// Multiplies by what popularity has drifted to, relative to the expert that has come furthest.
void drift(Values& weights, const Values& walk, double step) {
  double furthest = -std::numeric_limits<double>::infinity();
  for (std::size_t expert = 0; expert < weights.size(); ++expert)
    if (weights[expert] > 0)
      furthest = std::max(furthest, walk[expert]);
  for (std::size_t expert = 0; expert < weights.size(); ++expert)
    if (weights[expert] > 0)
      weights[expert] *= std::exp(step * (walk[expert] - furthest));
}

Values recorded(const RoutingTrace& trace, std::int64_t iteration, std::int64_t layer, std::int64_t micro_batch) {
  const auto first =
      trace.tokens.begin() + static_cast<std::ptrdiff_t>(row_of(trace, iteration, layer, micro_batch)) * trace.experts;
  return {first, first + trace.experts};
}

// Relative popularity before it drifts.
Values weights(const RoutingModel& routing, std::size_t experts, std::int64_t layer) {
  Values result(experts, 1);
  if (routing.type == RoutingType::Uniform)
    return result;
  const Values normal = normals(routing, experts, layer, Stream::Popularity);
  if (routing.type == RoutingType::Dirichlet) {
    for (std::size_t expert = 0; expert < experts; ++expert)
      result[expert] = gamma_variate(routing.alpha, normal[expert]);
    return result;
  }
  const std::vector<std::size_t> by_popularity = descending(normal);
  const auto hot = static_cast<std::size_t>(routing.hot_experts);
  for (std::size_t place = 0; place < experts; ++place) {
    double& weight = result[by_popularity[place]];
    if (routing.type == RoutingType::Zipf)
      weight = std::pow(static_cast<double>(place + 1), -routing.exponent);
    else if (place < hot)
      weight = routing.hot_share / static_cast<double>(hot);
    else
      weight = (1 - routing.hot_share) / static_cast<double>(experts - hot);
  }
  return result;
}

} // namespace

std::string_view name_of(RoutingType type) {
  constexpr std::array<std::string_view, 5> names{"uniform", "zipf", "dirichlet", "hot", "trace"};
  return names[static_cast<std::size_t>(type)];
}

bool is_balanced(const RoutingModel& model) {
  const bool alike = model.type == RoutingType::Uniform || (model.type == RoutingType::Zipf && model.exponent == 0);
  return alike && model.drift == 0 && model.counts == TokenCounts::Expected;
}

std::vector<double> expert_popularity(const RoutingModel& routing, const MoeSpec& moe, std::int64_t iteration,
                                      std::int64_t layer, std::int64_t micro_batch) {
  const auto experts = static_cast<std::size_t>(moe.num_experts);
  Values result = routing.type == RoutingType::Trace ? recorded(*routing.trace, iteration, layer, micro_batch)
                                                     : weights(routing, experts, layer);
  if (routing.drift > 0 && iteration > 0)
    drift(result, random_walk(routing, experts, layer, iteration), routing.drift);
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  MOESIM_CHECK(sum > 0 && std::isfinite(sum), "popularities are finite and not all 0");
  for (double& share : result)
    share /= sum;
  return result;
}

std::vector<double> capped_in_proportion(const std::vector<double>& weights, double n) {
  const std::vector<std::size_t> order = descending(weights);
  Values rest(weights.size() + 1); // of the weights from a place on
  for (std::size_t place = weights.size(); place-- > 0;)
    rest[place] = rest[place + 1] + weights[order[place]];

  Values result(weights.size());
  std::size_t capped = 0;
  const auto left = [&] { return n - static_cast<double>(capped); };
  while (capped < weights.size() && rest[capped] > 0 && left() >= 1 && left() * weights[order[capped]] >= rest[capped])
    result[order[capped++]] = 1;
  for (std::size_t place = capped; place < weights.size(); ++place)
    result[order[place]] = rest[capped] > 0 ? left() * weights[order[place]] / rest[capped]
                                            : left() / static_cast<double>(weights.size() - capped);
  return result;
}

std::vector<double> inclusion_probabilities(const std::vector<double>& popularity, const MoeSpec& moe) {
  const auto per_token = static_cast<double>(moe.experts_per_token);
  if (moe.groups_per_token == moe.groups)
    return capped_in_proportion(popularity, per_token);
  const auto size = static_cast<std::ptrdiff_t>(moe.num_experts / moe.groups);
  Values groups;
  for (auto first = popularity.begin(); first != popularity.end(); first += size)
    groups.push_back(std::accumulate(first, first + size, 0.0));
  const auto groups_per_token = static_cast<double>(moe.groups_per_token);
  const Values chosen = capped_in_proportion(groups, groups_per_token);
  Values result;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const auto first = popularity.begin() + static_cast<std::ptrdiff_t>(group) * size;
    for (const double within : capped_in_proportion({first, first + size}, per_token / groups_per_token))
      result.push_back(chosen[group] * within);
  }
  return result;
}

} // namespace moesim::workloads
