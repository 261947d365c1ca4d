#include "simulator/audit/reason.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace moesim::audit {
namespace {

// "1.8 times", "12 %": how far the simulated value is from the claimed one.
std::string difference(double simulated, double claimed) {
  if (claimed == 0)
    return "which is not 0";
  const double ratio = simulated / claimed;
  if (ratio >= 2)
    return fmt::format("{:.3g} times the claim", ratio);
  if (ratio > 0 && ratio <= 0.5)
    return fmt::format("1/{:.3g} of the claim", 1 / ratio);
  return fmt::format("{:+.0f} % from the claim", 100 * (ratio - 1));
}

std::string simulation_text(const claims::Claim& claim, double simulated, const std::string& with) {
  const claims::Figure& claimed = claim.claimed;
  const double nearest = std::clamp(simulated, claimed.value, claimed.upper);
  const std::string how = claimed.relation == claims::Relation::Equal || claimed.relation == claims::Relation::Between
                              ? ", " + difference(simulated, nearest)
                              : "";
  const bool is_within = nearest == simulated;
  return fmt::format("simulated {}{}{}", claims::value_text(simulated, claimed.unit), is_within ? "" : how,
                     with.empty() ? "" : " with " + with);
}

} // namespace

std::string sum_text(const claims::Expression& sum, double value, const claims::Unit& unit,
                     const claims::Expression::Words& words) {
  const std::string result = claims::value_text(value, unit);
  const std::string plain = sum.with_values([](const claims::Expression::Name& name) { return name.word; });
  if (sum.names().empty())
    return sum.text().find_first_of("+-*/") == std::string::npos ? result : fmt::format("{} = {}", plain, result);
  const std::string numbers = sum.with_values(words);
  return numbers == result ? fmt::format("{} = {}", plain, result)
                           : fmt::format("{} = {} = {}", plain, numbers, result);
}

std::string reason(const claims::Claim& claim, const Evidence& evidence, const Grounds& grounds) {
  const Verdict verdict = judge(claim, evidence);
  std::vector<std::string> parts;
  if (verdict == Verdict::BeyondHardware)
    parts.push_back(
        fmt::format("at {} {}", claim.about.measure == claims::Measure::Time ? "least" : "most", grounds.limit));
  if (!grounds.derived.empty() && (verdict == Verdict::SelfContradiction || verdict == Verdict::Consistent))
    parts.push_back(grounds.derived);
  if (evidence.simulated && (verdict == Verdict::Refuted || verdict == Verdict::Consistent))
    parts.push_back(simulation_text(claim, *evidence.simulated, grounds.simulated));
  if (!claim.note.empty())
    parts.push_back(claim.note);
  if (parts.empty())
    return "no sum of the document and no simulation gives this figure";
  std::string line = parts.front();
  for (std::size_t at = 1; at < parts.size(); ++at)
    line += "; " + parts[at];
  return line;
}

} // namespace moesim::audit
