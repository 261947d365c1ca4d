#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/page_text.hpp"
#include "analysis/svg_canvas.hpp"
#include "simulator/audit/audit.hpp"
#include "simulator/audit/page/page_files.hpp"
#include "simulator/base/format.hpp"

namespace moesim::audit {
namespace {

using analysis::xml_escaped;

// What the verdict compares the claimed figure with.
std::optional<double> yardstick(const Finding& finding) {
  const Evidence& evidence = finding.evidence;
  if (finding.verdict == Verdict::BeyondHardware)
    return evidence.limit;
  if (finding.verdict == Verdict::SelfContradiction || !evidence.simulated)
    return evidence.derived;
  return evidence.simulated;
}

// Where the claimed figure lies against the yardstick, from a 1,000th to 1,000 times; a mark at the end is beyond it.
std::string scale(const Finding& finding) {
  constexpr double middle = 220;
  constexpr double per_decade = 62; // pixels
  constexpr double most_decades = 3;
  const std::optional<double> right = yardstick(finding);
  const claims::Figure& figure = finding.claim.claimed;
  if (!right || *right <= 0 || figure.value <= 0)
    return "";
  const double claimed = std::clamp(*right, figure.value, figure.upper); // of a span the nearest
  analysis::SvgCanvas canvas;
  canvas.line(middle - most_decades * per_decade, 14, middle + most_decades * per_decade, 14, "stroke=\"#c3c9cf\"");
  for (int decade = -3; decade <= 3; ++decade) {
    const double x = middle + per_decade * decade;
    canvas.line(x, 9, x, 19, decade == 0 ? "stroke=\"#222\" stroke-width=\"2\"" : "stroke=\"#c3c9cf\"");
    canvas.text(x, 31,
                decade < 0 ? fmt::format("1/{:.0f}", std::pow(10, -decade))
                           : fmt::format("{:.0f} x", std::pow(10, decade)),
                "text-anchor=\"middle\"");
  }
  const double decades = std::clamp(std::log10(claimed / *right), -most_decades, most_decades);
  canvas.rectangle({middle + per_decade * decades - 4, 6, 8, 16}, "class=\"mark\"");
  return fmt::format("<svg class=\"scale\" role=\"img\" aria-label=\"the claim is {:.3g} times the figure behind the "
                     "verdict\" width=\"440\" height=\"36\">{}</svg>",
                     claimed / *right, canvas.body());
}

std::string entry(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, xml_escaped(value));
}

std::string values(const Finding& finding) {
  const claims::Figure& claimed = finding.claim.claimed;
  const auto text = [&](double value) { return claims::value_text(value, claimed.unit); };
  std::string list = entry("claimed", claimed.text);
  if (finding.evidence.limit)
    list += entry("limit of the hardware", text(*finding.evidence.limit));
  if (finding.evidence.derived)
    list += entry("by its own figures", text(*finding.evidence.derived));
  if (finding.evidence.simulated)
    list += entry("simulated", text(*finding.evidence.simulated));
  return "<dl>" + list + "</dl>";
}

std::string article(const Finding& finding) {
  return fmt::format("<article class=\"{0}\">\n<h2>{0}<code>{1}</code></h2>\n<blockquote>{2}</blockquote>\n"
                     "<div class=\"figures\">{3}{4}</div>\n<p>{5}</p>\n</article>\n",
                     name_of(finding.verdict), xml_escaped(finding.claim.id), xml_escaped(finding.claim.quote),
                     values(finding), scale(finding), xml_escaped(finding.because));
}

// Times as bars, the longest across the width: what was found, what the document has, and what is wanted.
std::string bars(const Deployment& deployment) {
  constexpr double width = 320;
  constexpr double left = 90; // of the names
  const search::Nearest& nearest = deployment.nearest;
  std::vector<std::pair<std::string_view, Seconds>> times;
  if (deployment.limits.time < search::Wanted::any)
    times.emplace_back("wanted", deployment.limits.time);
  if (nearest.as_given)
    times.emplace_back("document", nearest.as_given->measurement.time);
  if (!nearest.changes.empty())
    times.emplace_back("instead", nearest.found->measurement.time);
  if (times.empty())
    return "";
  const Seconds longest = std::ranges::max_element(times, {}, [](const auto& each) { return each.second; })->second;
  analysis::SvgCanvas canvas;
  double y = 0;
  for (const auto& [name, time] : times) {
    canvas.text(0, y + 13, std::string(name), "");
    canvas.rectangle({left, y + 2, width * (time / longest), 14}, fmt::format("class=\"{}\"", name));
    canvas.text(left + width * (time / longest) + 6, y + 13, format_seconds(time), "");
    y += 20;
  }
  return fmt::format("<svg class=\"bars\" role=\"img\" aria-label=\"times of a batch\" width=\"500\" "
                     "height=\"{}\">{}</svg>",
                     y, canvas.body());
}

std::string section(const Deployment& deployment) {
  return fmt::format("<section>\n<h3>{}: {}</h3>\n<p>{}</p>\n{}<p>{}</p>\n<pre>{}</pre>\n</section>\n",
                     xml_escaped(deployment.job), xml_escaped(verdict_text(deployment)),
                     xml_escaped(changes_text(deployment)), bars(deployment), xml_escaped(outcome_text(deployment)),
                     xml_escaped(command(deployment)));
}

} // namespace

std::string page(const Audit& audit) {
  std::string verdicts;
  for (std::size_t at = 0; at < verdict_count; ++at)
    if (const auto verdict = static_cast<Verdict>(at); audit.count(verdict) > 0)
      verdicts += fmt::format("<button class=\"{0}\" aria-pressed=\"true\">{1} {0}</button>", name_of(verdict),
                              audit.count(verdict));
  std::string findings;
  for (const Finding& finding : audit.findings)
    findings += article(finding);
  std::string deployments;
  for (const Deployment& deployment : audit.deployments)
    deployments += section(deployment);
  return analysis::filled(page_files::page, {{"title", xml_escaped(audit.name)},
                                             {"scenario", xml_escaped(audit.file)},
                                             {"total", std::to_string(audit.findings.size())},
                                             {"style", std::string(page_files::style)},
                                             {"verdicts", verdicts},
                                             {"findings", findings},
                                             {"most_changes", std::to_string(search::most_changes)},
                                             {"deployments", deployments},
                                             {"script", std::string(page_files::script)}});
}

} // namespace moesim::audit
