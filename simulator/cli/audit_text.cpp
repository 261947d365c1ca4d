#include "simulator/cli/audit_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesim::cli {
namespace {

std::string figures_text(const audit::Finding& finding) {
  const claims::Figure& claimed = finding.claim.claimed;
  std::string text = fmt::format("claimed {}", claimed.text);
  if (finding.evidence.derived)
    text += fmt::format(", by its own figures {}", claims::value_text(*finding.evidence.derived, claimed.unit));
  if (finding.evidence.simulated)
    text += fmt::format(", simulated {}", claims::value_text(*finding.evidence.simulated, claimed.unit));
  return text;
}

std::string deployment_text(const audit::Deployment& deployment) {
  return fmt::format("\n{}: {}\n  {}\n  {}\n  {}\n", deployment.job, verdict_text(deployment), changes_text(deployment),
                     outcome_text(deployment), command(deployment));
}

} // namespace

std::string audit_text(const audit::Audit& audit) {
  std::string text = audit.name + "\n";
  for (const audit::Finding& finding : audit.findings)
    text += fmt::format("\n{}: {}\n  \"{}\"\n  {}\n  {}\n", finding.claim.id, name_of(finding.verdict),
                        finding.claim.quote, figures_text(finding), finding.because);
  std::vector<std::string> counts;
  for (std::size_t at = 0; at < audit::verdict_count; ++at)
    if (const auto verdict = static_cast<audit::Verdict>(at); audit.count(verdict) > 0)
      counts.push_back(fmt::format("{} {}", audit.count(verdict), name_of(verdict)));
  text += fmt::format("\n{} claims: {}\n\nwhat could be deployed instead, with up to {} changes\n",
                      audit.findings.size(), fmt::join(counts, ", "), search::most_changes);
  for (const audit::Deployment& deployment : audit.deployments)
    text += deployment_text(deployment);
  return text;
}

} // namespace moesim::cli
