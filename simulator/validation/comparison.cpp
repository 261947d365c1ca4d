#include "simulator/validation/comparison.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace moesim::validation {
namespace {

constexpr std::size_t worst_listed = 10;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> errors_of(std::span<const Comparison> comparisons) {
  std::vector<double> errors;
  for (const Comparison& comparison : comparisons)
    errors.push_back(comparison.error());
  return errors;
}

// More is faster, of a value in the unit of the measurement.
double rate(const Measurement& measurement, double value) {
  return measurement.work > 0 ? measurement.work / value : value;
}

// By GPU type and precision.
using Kinds = std::map<std::pair<std::string, std::string>, std::vector<Comparison>>;

// The efficiency that was measured, from that which was predicted: both are proportional to the rate.
double measured_efficiency(const Comparison& comparison) {
  const Measurement& measurement = comparison.measurement;
  return *comparison.prediction.efficiency * rate(measurement, measurement.value) /
         rate(measurement, comparison.prediction.value);
}

// The errors of one efficiency for all.
std::vector<double> errors_with(double efficiency, std::span<const Comparison> comparisons) {
  std::vector<double> errors;
  for (const Comparison& comparison : comparisons) {
    const double ratio = efficiency / measured_efficiency(comparison);
    errors.push_back((comparison.measurement.work > 0 ? 1 / ratio : ratio) - 1);
  }
  return errors;
}

std::vector<double> best_flat_errors(std::span<const Comparison> comparisons) {
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  for (const Comparison& candidate : comparisons) {
    std::vector<double> errors = errors_with(measured_efficiency(candidate), comparisons);
    double sum = 0;
    for (const double error : errors)
      sum += std::abs(error);
    if (sum < least) {
      least = sum;
      best = std::move(errors);
    }
  }
  return best;
}

std::vector<Comparison> with_efficiency(std::span<const Comparison> comparisons) {
  std::vector<Comparison> result;
  std::ranges::copy_if(comparisons, std::back_inserter(result), [](const Comparison& comparison) {
    return !comparison.is_memory() && comparison.prediction.efficiency;
  });
  return result;
}

Groups groups_of(std::span<const Comparison> comparisons) {
  constexpr std::array<std::pair<const char*, std::string Labels::*>, 7> dimensions{{{"hardware", &Labels::hardware},
                                                                                     {"model", &Labels::model},
                                                                                     {"framework", &Labels::framework},
                                                                                     {"release", &Labels::release},
                                                                                     {"precision", &Labels::precision},
                                                                                     {"kind", &Labels::kind},
                                                                                     {"size", &Labels::size_class}}};
  std::map<std::string, std::map<std::string, std::vector<double>>> errors;
  for (const Comparison& comparison : comparisons)
    for (const auto& [name, label] : dimensions)
      if (const std::string& value = comparison.measurement.labels.*label; !value.empty())
        errors[name][value].push_back(comparison.error());
  Groups groups;
  for (const auto& [name, of_label] : errors)
    for (const auto& [label, values] : of_label)
      groups[name][label] = *figures(values);
  return groups;
}

} // namespace

std::optional<Figures> figures(std::span<const double> errors) {
  if (errors.empty())
    return std::nullopt;
  Figures result;
  result.count = errors.size();
  const auto count = static_cast<double>(errors.size());
  std::vector<double> absolute;
  for (const double error : errors) {
    absolute.push_back(std::abs(error));
    result.mean_absolute_error += std::abs(error) / count;
    result.bias += error / count;
    result.within_10 += (std::abs(error) <= 0.1 ? 1 : 0) / count;
    result.within_20 += (std::abs(error) <= 0.2 ? 1 : 0) / count;
  }
  result.median_absolute_error = median(std::move(absolute));
  return result;
}

Ranking ranking(std::span<const Comparison> comparisons) {
  std::map<std::string, std::vector<const Comparison*>> comparable;
  for (const Comparison& comparison : comparisons)
    if (!comparison.measurement.comparable.empty())
      comparable[comparison.measurement.comparable].push_back(&comparison);
  Ranking result;
  for (const auto& [key, of_key] : comparable)
    for (std::size_t one = 0; one < of_key.size(); ++one)
      for (std::size_t other = one + 1; other < of_key.size(); ++other) {
        const Comparison& a = *of_key[one];
        const Comparison& b = *of_key[other];
        const double measured = rate(a.measurement, a.measurement.value) - rate(b.measurement, b.measurement.value);
        const double predicted = rate(a.measurement, a.prediction.value) - rate(b.measurement, b.prediction.value);
        if (measured == 0)
          continue;
        ++result.pairs;
        result.right += measured * predicted > 0 ? 1 : 0;
      }
  return result;
}

std::optional<Figures> flat_efficiency(std::span<const Comparison> comparisons) {
  Kinds kinds;
  for (const Comparison& comparison : with_efficiency(comparisons))
    kinds[{comparison.measurement.labels.hardware, comparison.measurement.labels.precision}].push_back(comparison);
  std::vector<double> errors;
  for (const auto& [kind, of_kind] : kinds)
    std::ranges::copy(best_flat_errors(of_kind), std::back_inserter(errors));
  return figures(errors);
}

Summary summarize(const FileReport& report) {
  Summary summary;
  std::vector<Comparison> times;
  std::vector<Comparison> memory;
  for (const Comparison& comparison : report.comparisons)
    (comparison.is_memory() ? memory : times).push_back(comparison);
  summary.all = figures(errors_of(times));
  summary.memory = figures(errors_of(memory));
  summary.groups = groups_of(times);
  summary.ranking = ranking(times);
  summary.flat = flat_efficiency(times);
  summary.beside_flat = figures(errors_of(with_efficiency(times)));
  std::ranges::stable_sort(times, std::ranges::greater(), [](const Comparison& of) { return std::abs(of.error()); });
  times.resize(std::min(times.size(), worst_listed));
  summary.worst = std::move(times);
  return summary;
}

} // namespace moesim::validation
