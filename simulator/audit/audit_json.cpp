#include <nlohmann/json.hpp>

#include "simulator/audit/audit.hpp"

namespace moesim::audit {
namespace {

using json = nlohmann::ordered_json;

bool is_percentage(const claims::Claim& claim) {
  return claim.about.measure == claims::Measure::Share;
}

// In the claim's unit; a percentage as a fraction.
json number(const std::optional<double>& value, const claims::Claim& claim) {
  if (!value)
    return nullptr;
  return is_percentage(claim) ? *value : *value / claim.claimed.unit.factor;
}

json finding_json(const Finding& finding) {
  const claims::Claim& claim = finding.claim;
  json result{{"id", claim.id},
              {"quote", claim.quote},
              {"about", claim.about.name},
              {"unit", is_percentage(claim) ? "fraction" : claim.claimed.unit.name},
              {"claimed", number(claim.claimed.value, claim)}};
  if (claim.claimed.relation == claims::Relation::Between)
    result["claimed_to"] = number(claim.claimed.upper, claim);
  if (claim.claimed.relation == claims::Relation::Below || claim.claimed.relation == claims::Relation::Above)
    result["relation"] = claim.claimed.relation == claims::Relation::Below ? "below" : "above";
  result["derived"] = number(finding.evidence.derived, claim);
  result["simulated"] = number(finding.evidence.simulated, claim);
  if (finding.evidence.limit)
    result["limit"] = number(finding.evidence.limit, claim);
  result["verdict"] = name_of(finding.verdict);
  result["because"] = finding.because;
  return result;
}

json seconds(std::optional<Seconds> time) {
  return time && *time < search::Wanted::any ? json(time->value()) : json(nullptr);
}

json deployment_json(const Deployment& deployment) {
  const search::Nearest& nearest = deployment.nearest;
  const auto time_of = [](const std::optional<search::Found>& found) {
    return seconds(found ? std::optional(found->measurement.time) : std::nullopt);
  };
  json changes = json::array();
  for (const search::Change& change : nearest.changes)
    changes.push_back({{"axis", change.axis}, {"from", change.from}, {"to", change.to}});
  return {{"scenario", deployment.job},
          {"wanted", deployment.wanted},
          {"meets", deployment.wanted.empty() ? json(nullptr) : json(nearest.meets)},
          {"changes", changes},
          {"outcome", outcome_text(deployment)},
          {"command", command(deployment)},
          {"time_s", time_of(nearest.found)},
          {"wanted_time_s", seconds(deployment.limits.time)},
          {"time_as_given_s", time_of(nearest.as_given)},
          {"memory_bytes", nearest.found ? json(nearest.found->measurement.memory.value()) : json(nullptr)}};
}

} // namespace

std::string to_json(const Audit& audit) {
  json result{{"name", audit.name}, {"scenario", audit.file}, {"claims", json::array()}};
  for (const Finding& finding : audit.findings)
    result["claims"].push_back(finding_json(finding));
  result["deployments"] = json::array();
  for (const Deployment& deployment : audit.deployments)
    result["deployments"].push_back(deployment_json(deployment));
  return result.dump(2);
}

} // namespace moesim::audit
