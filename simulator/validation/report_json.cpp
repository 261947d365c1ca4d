
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulator/validation/report.hpp"

namespace moesim::validation {
namespace {

using Json = nlohmann::ordered_json;

Json figures_json(const Figures& figures) {
  return {{"count", figures.count},
          {"mean_absolute_error", figures.mean_absolute_error},
          {"median_absolute_error", figures.median_absolute_error},
          {"bias", figures.bias},
          {"within_10", figures.within_10},
          {"within_20", figures.within_20}};
}

Json or_null(const std::optional<Figures>& figures) {
  return figures ? figures_json(*figures) : Json();
}

Json entries_json(const FileReport& report) {
  Json entries = Json::array();
  for (const Comparison& comparison : report.comparisons)
    entries.push_back({{"id", comparison.measurement.id},
                       {"quantity", comparison.measurement.quantity},
                       {"predicted", comparison.prediction.value},
                       {"measured", comparison.measurement.value},
                       {"error", comparison.error()}});
  return entries;
}

// A text of a CSV: in quotes where it needs them (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos)
    return text;
  std::string quoted = "\"";
  for (const char letter : text)
    quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

} // namespace

std::string to_json(const FileReport& report, const Summary& summary) {
  Json json{{"file", report.file}, {"entries", entries_json(report)}, {"skipped", Json::array()}};
  for (const Skipped& entry : report.skipped)
    json["skipped"].push_back({{"id", entry.id}, {"reason", entry.reason}});
  Json all = or_null(summary.all);
  for (const char* key : {"mean_absolute_error", "median_absolute_error", "bias", "within_10", "within_20"})
    json[key] = all.is_null() ? Json() : all[key];
  json["memory_mean_absolute_error"] = summary.memory ? Json(summary.memory->mean_absolute_error) : Json();
  json["memory"] = or_null(summary.memory);
  json["groups"] = Json::object();
  for (const auto& [dimension, labels] : summary.groups)
    for (const auto& [label, figures] : labels)
      json["groups"][dimension][label] = figures_json(figures);
  json["ranking"] = {{"pairs", summary.ranking.pairs}, {"right", summary.ranking.right}};
  json["flat_efficiency"] = or_null(summary.flat);
  json["beside_flat_efficiency"] = or_null(summary.beside_flat);
  json["assumptions"] = report.assumptions;
  return json.dump(2);
}

std::string to_csv(std::span<const FileReport> reports) {
  std::string text = "file,id,quantity,predicted,measured,error,hardware,model,framework,release,precision,kind,size\n";
  for (const FileReport& report : reports)
    for (const Comparison& comparison : report.comparisons) {
      const Measurement& of = comparison.measurement;
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(report.file), csv_field(of.id),
                          csv_field(of.quantity), comparison.prediction.value, of.value, comparison.error(),
                          csv_field(of.labels.hardware), csv_field(of.labels.model), csv_field(of.labels.framework),
                          csv_field(of.labels.release), csv_field(of.labels.precision), csv_field(of.labels.kind),
                          csv_field(of.labels.size_class));
    }
  return text;
}

} // namespace moesim::validation
