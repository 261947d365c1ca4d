#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/validation/report.hpp"

namespace moesim::validation {
namespace {

std::string percent(double share) {
  return fmt::format("{:+.1f} %", 100 * share);
}

std::string rows(const std::vector<Comparison>& comparisons) {
  std::string text =
      fmt::format("  {:68}{:>26}{:>14}{:>14}{:>11}\n", "entry", "quantity", "predicted", "measured", "error");
  for (const Comparison& comparison : comparisons)
    text += fmt::format("  {:68}{:>26}{:>14.6g}{:>14.6g}{:>11}\n", comparison.measurement.id,
                        comparison.measurement.quantity, comparison.prediction.value, comparison.measurement.value,
                        percent(comparison.error()));
  return text;
}

std::string line(const std::string& name, const Figures& figures) {
  return fmt::format("  {:44}{:>7}{:>10.1f} %{:>9.1f} %{:>11}{:>9.0f} %{:>9.0f} %\n", name, figures.count,
                     100 * figures.mean_absolute_error, 100 * figures.median_absolute_error, percent(figures.bias),
                     100 * figures.within_10, 100 * figures.within_20);
}

std::string figures_table(const Summary& summary) {
  std::string text = fmt::format("  {:44}{:>7}{:>12}{:>11}{:>11}{:>11}{:>11}\n", "", "count", "mean", "median", "bias",
                                 "within 10", "within 20");
  if (summary.all)
    text += line("all", *summary.all);
  if (summary.memory)
    text += line("memory", *summary.memory);
  for (const auto& [dimension, labels] : summary.groups)
    for (const auto& [label, figures] : labels)
      text += line(fmt::format("{}: {}", dimension, label), figures);
  if (summary.flat)
    text += line("a flat efficiency by GPU type and precision", *summary.flat) +
            line("moesim, of the same", *summary.beside_flat);
  return text;
}

// Those with the same text together: how many, and the first of them. JSON has all.
std::string listed(const std::map<std::string, std::vector<std::string>>& ids_by_text) {
  constexpr std::size_t shown = 3;
  std::string text;
  for (const auto& [what, ids] : ids_by_text) {
    const std::vector<std::string> first(ids.begin(),
                                         ids.begin() + static_cast<std::ptrdiff_t>(std::min(shown, ids.size())));
    text +=
        fmt::format("  {} ({}): {}{}\n", what, ids.size(), fmt::join(first, ", "), ids.size() > shown ? ", ..." : "");
  }
  return text;
}

} // namespace

std::string to_text(const FileReport& report, const Summary& summary) {
  std::string text = fmt::format("{}: {} compared, {} skipped\n{}", report.file, report.comparisons.size(),
                                 report.skipped.size(), rows(report.comparisons));
  text += fmt::format("\nabsolute error, {}\n{}", report.file, figures_table(summary));
  if (summary.ranking.pairs > 0)
    text += fmt::format("\nof {} pairs of layouts the faster one is named in {} ({:.1f} %)\n", summary.ranking.pairs,
                        summary.ranking.right,
                        100 * static_cast<double>(summary.ranking.right) / static_cast<double>(summary.ranking.pairs));
  text += fmt::format("\nthe worst\n{}", rows(summary.worst));
  std::map<std::string, std::vector<std::string>> assumed;
  for (const auto& [id, assumptions] : report.assumptions)
    for (const std::string& assumption : assumptions)
      assumed[assumption].push_back(id);
  if (!assumed.empty())
    text += fmt::format("\nassumed, as the source does not say\n{}", listed(assumed));
  std::map<std::string, std::vector<std::string>> skipped;
  for (const Skipped& entry : report.skipped)
    skipped[entry.reason].push_back(entry.id);
  if (!skipped.empty())
    text += fmt::format("\nskipped\n{}", listed(skipped));
  return text;
}

} // namespace moesim::validation
