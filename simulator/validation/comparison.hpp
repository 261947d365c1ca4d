// Predicted against measured, and what that says of a file: pure arithmetic.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/validation/question.hpp"

namespace moesim::validation {

struct Comparison {
  Measurement measurement;
  Prediction prediction;

  [[nodiscard]] double error() const { return prediction.value / measurement.value - 1; }
  [[nodiscard]] bool is_memory() const { return measurement.quantity == memory_quantity; }
};

// Over some comparisons, of which there is at least one.
struct Figures {
  std::size_t count = 0;
  double mean_absolute_error = 0;
  double median_absolute_error = 0;
  double bias = 0;      // mean of the signed errors
  double within_10 = 0; // share with an error of at most 10 %
  double within_20 = 0;
};
[[nodiscard]] std::optional<Figures> figures(std::span<const double> errors);

// Of all pairs of comparable measurements in which one is faster than the other, how many are predicted so.
struct Ranking {
  std::size_t pairs = 0;
  std::size_t right = 0;
};
[[nodiscard]] Ranking ranking(std::span<const Comparison> comparisons);

// The figures of a model that knows one efficiency for each GPU type and precision: that of its measurements with which
// their mean absolute error is the least. Nothing when no comparison has an efficiency.
[[nodiscard]] std::optional<Figures> flat_efficiency(std::span<const Comparison> comparisons);

struct FileReport {
  std::string file;
  std::vector<Comparison> comparisons; // in the order of the file
  std::vector<Skipped> skipped;
  std::map<std::string, std::vector<std::string>> assumptions; // by entry
};

// Groups of comparisons with the same label: dimension ("hardware"), then label.
using Groups = std::map<std::string, std::map<std::string, Figures>>;

struct Summary {
  std::optional<Figures> all; // without memory
  std::optional<Figures> memory;
  Groups groups;
  std::vector<Comparison> worst; // ten, memory aside, the worst first
  Ranking ranking;
  std::optional<Figures> flat;        // of a flat efficiency
  std::optional<Figures> beside_flat; // of the same comparisons
};
[[nodiscard]] Summary summarize(const FileReport& report);

} // namespace moesim::validation
