#include "platforms/attention_curve.hpp"

#include <algorithm>
#include <cmath>

namespace moesim::platforms {
namespace {

constexpr std::int64_t tile_queries = 128;
constexpr double smallest_part = 128; // of the keys

// The backward runs five products where the forward runs two: it recomputes the scores instead of reading them
// (FlashAttention-2, section 3.1). Operators count four of them.
constexpr double backward_products = 5.0 / 2.0;
constexpr double counted_in_backward = 2;

bool is_decode(const Operator& op) {
  return op.pass == Pass::Forward && op.m <= tile_queries && op.m < op.n;
}

// FLOPs of the forward, with those on the masked side of the diagonal's tiles.
double worked_flops(const Operator& op, double counted) {
  const double whole = 4.0 * static_cast<double>(op.groups) * static_cast<double>(op.m) * static_cast<double>(op.n) *
                       static_cast<double>(op.k);
  const auto tile = static_cast<double>(std::min(tile_queries, op.n));
  const double masked = std::max(0.0, whole - counted);
  return counted + masked * tile / static_cast<double>(op.n);
}

} // namespace

Seconds attention_time(const Operator& op, const AttentionCurve& curve, FlopsPerSecond peak,
                       std::int64_t multiprocessors) {
  const bool is_backward = op.pass == Pass::Backward;
  const bool decodes = is_decode(op);
  const auto channels = static_cast<double>(op.k);
  const double kind = (decodes ? curve.decode : 1) * (op.has_sinks ? curve.sinks : 1);
  const FlopsPerSecond rate = peak * (curve.max_efficiency * channels / (channels + curve.half_head_size) * kind);
  const double factor = is_backward ? backward_products / curve.backward : 1;
  const double counted = op.flops.value() / (is_backward ? counted_in_backward : 1);
  if (multiprocessors == 0)
    return Flops(counted) / rate * factor;
  const auto processors = static_cast<double>(multiprocessors);
  const double tiles = static_cast<double>(op.groups) * std::ceil(static_cast<double>(op.m) / tile_queries);
  // The last queries see every key, and one multiprocessor goes through all of them, or through its part.
  const double parts = decodes ? std::max(1.0, processors / tiles) : 1;
  const double keys = std::max(std::min(static_cast<double>(op.n), smallest_part), static_cast<double>(op.n) / parts);
  const double longest = 4.0 * static_cast<double>(std::min(tile_queries, op.m)) * keys * channels;
  const Seconds products = Flops(std::max(worked_flops(op, counted), longest * processors)) / rate;
  return (products + curve.tile_time * std::max(1.0, tiles / processors)) * factor;
}

} // namespace moesim::platforms
