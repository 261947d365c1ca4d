#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "workloads/expert_popularity.hpp"

namespace moesim::workloads {
namespace {

struct Range {
  double least;
  double most;
};

void check(const char* field, double value, Range range, std::vector<RoutingProblem>& problems) {
  if (!(value >= range.least && value <= range.most))
    problems.push_back({field, fmt::format("is {:g}; use {:g} to {:g}", value, range.least, range.most)});
}

// A token goes to k different experts, so the hot ones get at most their number of its k copies.
void check_hot(const RoutingModel& routing, const MoeSpec& moe, std::vector<RoutingProblem>& problems) {
  const std::int64_t most = moe.num_experts - 1;
  if (routing.hot_experts < 1 || routing.hot_experts > most) {
    problems.push_back({"hot_experts", most < 1 ? std::string("the model has one expert; use another type")
                                                : fmt::format("is {}; of {} experts use 1 to {}", routing.hot_experts,
                                                              moe.num_experts, most)});
    return;
  }
  const double limit =
      std::min(1.0, static_cast<double>(routing.hot_experts) / static_cast<double>(moe.experts_per_token));
  if (!(routing.hot_share >= 0 && routing.hot_share <= limit))
    problems.push_back(
        {"hot_share", fmt::format("is {:g}; with hot_experts: {} and {} experts a token, use 0 to {:g}",
                                  routing.hot_share, routing.hot_experts, moe.experts_per_token, limit)});
}

} // namespace

std::vector<RoutingProblem> problems(const RoutingModel& routing, const ModelSpec& model) {
  std::vector<RoutingProblem> result;
  if (routing.type == RoutingType::Zipf)
    check("exponent", routing.exponent, {0, 10}, result);
  if (routing.type == RoutingType::Dirichlet)
    check("alpha", routing.alpha, {0.01, 1e6}, result);
  if (routing.type == RoutingType::Hot)
    check_hot(routing, *model.moe, result);
  check("drift", routing.drift, {0, 10}, result);
  check("correlation", routing.correlation, {0, 1}, result);
  if (routing.type == RoutingType::Trace && routing.trace != nullptr)
    for (std::string& reason : problems(*routing.trace, model))
      result.push_back({"file", std::move(reason)});
  if (routing.type == RoutingType::Trace && routing.trace == nullptr)
    result.push_back({"file", "is missing; name a trace (.csv or .h5)"});
  return result;
}

} // namespace moesim::workloads
