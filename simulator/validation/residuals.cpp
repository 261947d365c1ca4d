#include "simulator/validation/residuals.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace moesim::validation {

analysis::ResidualPicture residuals_of(const FileReport& report) {
  analysis::ResidualPicture picture;
  for (const Comparison& comparison : report.comparisons) {
    const Measurement& of = comparison.measurement;
    if (of.size <= 0 || comparison.prediction.value <= 0)
      continue;
    if (picture.size_label.empty())
      picture.size_label = of.size_unit;
    picture.residuals.push_back({.name = of.id + " " + of.quantity,
                                 .size = of.size,
                                 .ratio = comparison.prediction.value / of.value,
                                 .hardware = of.labels.hardware,
                                 .model = of.labels.model.empty() ? of.labels.kind : of.labels.model});
  }
  picture.title =
      fmt::format("{}: {} compared", std::filesystem::path(report.file).filename().string(), picture.residuals.size());
  return picture;
}

} // namespace moesim::validation
