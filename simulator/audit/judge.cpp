#include "simulator/audit/judge.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace moesim::audit {
namespace {

constexpr double arithmetic = 1e-9; // relative error of sums in floating point

// Whether `value` is within `slack` of what the figure says.
bool agrees(const claims::Figure& figure, double value, double slack) {
  const double margin = slack + arithmetic * std::abs(value);
  const bool is_high_enough = figure.relation == claims::Relation::Below || value >= figure.value - margin;
  const bool is_low_enough = figure.relation == claims::Relation::Above || value <= figure.upper + margin;
  return is_high_enough && is_low_enough;
}

// Whether all that the figure says is beyond the limit.
bool is_beyond(const claims::Figure& figure, claims::Measure measure, double limit) {
  using claims::Relation;
  const double margin = figure.rounding + arithmetic * std::abs(limit);
  if (measure == claims::Measure::Time)
    return figure.relation != Relation::Above && figure.upper < limit - margin;
  return figure.relation != Relation::Below && figure.value > limit + margin;
}

} // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, verdict_count> names{"consistent", "self-contradiction", "refuted",
                                                              "beyond-hardware", "not-checkable"};
  return names[static_cast<std::size_t>(verdict)];
}

Verdict judge(const claims::Claim& claim, const Evidence& evidence) {
  const claims::Figure& claimed = claim.claimed;
  if (evidence.limit && is_beyond(claimed, claim.about.measure, *evidence.limit))
    return Verdict::BeyondHardware;
  if (evidence.derived && !agrees(claimed, *evidence.derived, claimed.rounding + evidence.derived_rounding))
    return Verdict::SelfContradiction;
  const double tolerance = std::max(claimed.rounding, claims::tolerance_of(claim.about.accuracy) * claimed.upper);
  if (evidence.simulated && !agrees(claimed, *evidence.simulated, tolerance))
    return Verdict::Refuted;
  return evidence.derived || evidence.simulated ? Verdict::Consistent : Verdict::NotCheckable;
}

} // namespace moesim::audit
