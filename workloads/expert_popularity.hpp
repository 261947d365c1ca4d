// How popular the experts of a layer are, and how often a token therefore meets each. A model of what a router learned,
// not of the router: routers differ by data, age and balancing loss, and published loads fit any of these laws at best
// roughly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "workloads/model.hpp"
#include "workloads/routing_trace.hpp"

namespace moesim::workloads {

// Uniform: all alike. Zipf: the r-th most popular expert r^-exponent. Dirichlet: shares drawn from Dirichlet(alpha,
// ..., alpha), as independent gamma variates over their sum. Hot: `hot_experts` share `hot_share` of all copies
// equally, and the others the rest. Trace: as recorded.
enum class RoutingType : std::uint8_t { Uniform, Zipf, Dirichlet, Hot, Trace };

[[nodiscard]] std::string_view name_of(RoutingType type); // "uniform", "zipf", "dirichlet", "hot", "trace"

// Expected: each expert gets what it gets on average, rounded so that sums hold. Sampled: tokens are drawn.
enum class TokenCounts : std::uint8_t { Expected, Sampled };

struct RoutingModel {
  RoutingType type = RoutingType::Uniform;
  double exponent = 1;
  double alpha = 1;
  double hot_share = 0.5;
  std::int64_t hot_experts = 1;
  std::shared_ptr<const RoutingTrace> trace = {};
  // Standard deviation of what each iteration adds to the logarithm of each expert's popularity: a random walk.
  double drift = 0;
  // Of the normal variates behind two layers' popularities and their drift (a Gaussian copula): 0, each layer has its
  // own popular experts; 1, all have the same. A trace has its own.
  double correlation = 0;
  TokenCounts counts = TokenCounts::Expected;
  std::uint64_t seed = 1;
};

// Whether all experts are alike wherever they are: nothing then depends on which expert a rank holds.
[[nodiscard]] bool is_balanced(const RoutingModel& model);

struct RoutingProblem {
  std::string field; // of RoutingModel
  std::string message;
};

// What keeps a routing model from fitting a model's experts, with what would be right. Holds its own ranges, too.
[[nodiscard]] std::vector<RoutingProblem> problems(const RoutingModel& routing, const ModelSpec& model);

// Shares of the experts in a layer's token copies as far as popularity goes; they sum to 1. The micro-batch matters to
// a trace only.
[[nodiscard]] std::vector<double> expert_popularity(const RoutingModel& routing, const MoeSpec& moe,
                                                    std::int64_t iteration, std::int64_t layer,
                                                    std::int64_t micro_batch);

// How likely a token meets each expert; they sum to top-k and none is above 1, for a token goes to k different experts:
// popularity times a factor, where that exceeds 1 it is 1, and the others take the rest in proportion (sampling with
// probability proportional to size; Tille, Sampling Algorithms, 2006, section 2.10). Under a group limit of g of G
// groups (DeepSeek-V3, arXiv 2412.19437, section 2.1.2, which ranks groups by their top k/g experts) groups are chosen
// in this way by their experts' sum, and each chosen one gives k/g experts on average.
[[nodiscard]] std::vector<double> inclusion_probabilities(const std::vector<double>& popularity, const MoeSpec& moe);

// The step of that: n of the items with the given weights, 0 <= n <= their number. Without weight left over, all that
// is left are alike.
[[nodiscard]] std::vector<double> capped_in_proportion(const std::vector<double>& weights, double n);

} // namespace moesim::workloads
