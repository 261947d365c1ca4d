#include "workloads/routing_trace.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t>; // iteration, layer, micro-batch

Key key_of(const RoutingTrace& trace, std::size_t row) {
  return {trace.iterations[row], trace.layers[row], trace.micro_batches[row]};
}

std::int64_t after_last(const std::vector<std::int32_t>& values) {
  return values.empty() ? 0 : std::int64_t{1} + std::ranges::max(values);
}

// "3 to 60", or "0, 2, 4 to 7": numbers in order.
template <class Numbers>
std::string runs_of(const Numbers& numbers) {
  std::string text;
  for (auto first = numbers.begin(); first != numbers.end();) {
    auto last = first;
    auto next = std::next(first);
    while (next != numbers.end() && *next == *last + 1)
      last = next++;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", *first);
    if (last != first)
      text += fmt::format(" to {}", *last);
    first = next;
  }
  return text;
}

// Whether there is one row for each iteration, layer and micro-batch.
bool is_product(const RoutingTrace& trace, const std::vector<std::int64_t>& layers) {
  const auto micro_batches = static_cast<std::size_t>(std::max<std::int64_t>(1, after_last(trace.micro_batches)));
  for (std::size_t row = 0; row < trace.rows(); ++row)
    if (key_of(trace, row) !=
        Key{row / micro_batches / layers.size(), layers[row / micro_batches % layers.size()], row % micro_batches})
      return false;
  return trace.rows() % (micro_batches * layers.size()) == 0;
}

std::string row_problem(const RoutingTrace& trace, std::size_t row) {
  const auto first = trace.tokens.begin() + static_cast<std::ptrdiff_t>(row) * trace.experts;
  const auto [iteration, layer, micro_batch] = key_of(trace, row);
  const std::string place = fmt::format("iteration {}, layer {}, micro-batch {}", iteration, layer, micro_batch);
  const auto is_count = [](double tokens) { return std::isfinite(tokens) && tokens >= 0; };
  if (!std::all_of(first, first + trace.experts, is_count))
    return place + ": tokens are finite and at least 0";
  const double sum = std::accumulate(first, first + trace.experts, 0.0);
  if (sum <= 0)
    return place + ": no expert has a token";
  if (!std::isfinite(sum))
    return place + ": there are more tokens than a number can hold";
  return "";
}

std::vector<std::int64_t> layers_with_experts(const ModelSpec& model) {
  std::vector<std::int64_t> layers;
  for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
    if (model.kind_of(layer).has_experts)
      layers.push_back(layer);
  return layers;
}

} // namespace

RoutingTrace in_order(const RoutingTrace& trace) {
  std::vector<std::size_t> order(trace.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t row) { return key_of(trace, row); });
  RoutingTrace sorted;
  sorted.experts = trace.experts;
  for (const std::size_t row : order) {
    sorted.iterations.push_back(trace.iterations[row]);
    sorted.layers.push_back(trace.layers[row]);
    sorted.micro_batches.push_back(trace.micro_batches[row]);
    const auto first = trace.tokens.begin() + static_cast<std::ptrdiff_t>(row) * trace.experts;
    sorted.tokens.insert(sorted.tokens.end(), first, first + trace.experts);
  }
  return sorted;
}

std::size_t row_of(const RoutingTrace& trace, std::int64_t iteration, std::int64_t layer, std::int64_t micro_batch) {
  const Key wanted{iteration % after_last(trace.iterations), layer, micro_batch % after_last(trace.micro_batches)};
  std::size_t low = 0;
  for (std::size_t count = trace.rows(); count > 0;) {
    const std::size_t half = count / 2;
    if (key_of(trace, low + half) < wanted) {
      low += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  MOESIM_CHECK(low < trace.rows() && key_of(trace, low) == wanted, "the trace has no such row");
  return low;
}

std::vector<std::string> problems(const RoutingTrace& trace, const ModelSpec& model) {
  if (trace.rows() == 0)
    return {"the trace has no rows"};
  std::vector<std::string> result;
  if (trace.experts != model.moe->num_experts)
    result.push_back(fmt::format(
        "the number of experts is {} in the trace, {} in the model; each expert of the model has a value, 0 where "
        "no token met it",
        trace.experts, model.moe->num_experts));
  const std::vector<std::int64_t> wanted = layers_with_experts(model);
  const std::set<std::int64_t> there(trace.layers.begin(), trace.layers.end());
  if (!std::ranges::equal(there, wanted))
    result.push_back(
        fmt::format("the trace has layers {}, the model has experts in layers {}", runs_of(there), runs_of(wanted)));
  else if (!is_product(trace, wanted))
    result.push_back(fmt::format(
        "the trace has {} rows; expected one for each of {} layers in each of {} micro-batches in "
        "each of {} iterations, counted from 0: {}",
        trace.rows(), wanted.size(), after_last(trace.micro_batches), after_last(trace.iterations),
        static_cast<std::int64_t>(wanted.size()) * after_last(trace.micro_batches) * after_last(trace.iterations)));
  for (std::size_t row = 0; row < trace.rows() && result.empty(); ++row)
    if (std::string reason = row_problem(trace, row); !reason.empty())
      result.push_back(std::move(reason));
  return result;
}

} // namespace moesim::workloads
