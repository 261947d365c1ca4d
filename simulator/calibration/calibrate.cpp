#include "simulator/calibration/calibrate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/calibration/least_squares.hpp"

namespace moesim::calibration {
namespace {

using platforms::Gpu;
using Parameters = std::vector<double>;
using Apply = std::function<void(Gpu&, const Parameters&)>;

constexpr double tolerated = 0.2; // the error that `within_20` counts
// A share of peak or bandwidth that the file of a GPU takes: no fit may find more than all of it.
double share(double value) {
  return std::clamp(value, 0.001, 1.0);
}

// A cost in the files of GPUs is no more than this.
Seconds cost(double seconds) {
  return Seconds(std::min(seconds, 1.0));
}

// A thousand times the memory's bandwidth is one that nobody waits for.
BytesPerSecond cache_bandwidth(double value, const Gpu& gpu) {
  return value > 1000 * gpu.memory_bandwidth.value() ? BytesPerSecond(0) : BytesPerSecond(value);
}

// Four digits are more than a measurement tells, and can be read.
double rounded(double value) {
  return std::stod(fmt::format("{:.4g}", value));
}

double predicted(const Measurement& measurement, const Gpu& gpu) {
  return platforms::time_in_loop(measurement.op, gpu, measurement.launches).value();
}

class Calibrator {
public:
  Calibrator(const std::vector<Measurement>& measurements, const Gpu& base, std::string file)
      : measurements_(measurements), file_(std::move(file)), result_{base, {}} {}

  Calibration run() {
    check_base();
    fit_copies();
    for (const Precision precision : all_precisions)
      fit_products(precision);
    fit_attention();
    fit_backward();
    return std::move(result_);
  }

private:
  using Rows = std::vector<Measurement>;

  void check_base() const {
    Problems problems;
    const Gpu& gpu = result_.gpu;
    for (std::size_t at = 0; at < platforms::precision_count; ++at) {
      const auto precision = static_cast<Precision>(at);
      const bool is_measured = std::ranges::any_of(measurements_, [&](const Measurement& row) {
        return row.op.flops > Flops(0) && row.op.precision == precision;
      });
      if (is_measured && !gpu.peak[at])
        problems.add({file_}, "precision",
                     fmt::format("kernels in {0} were measured, but {1} has no peak.{0}; expected a base that has",
                                 name_of(precision), gpu.name));
    }
    if (gpu.multiprocessors == 0)
      problems.add({file_}, "",
                   fmt::format("{} does not say how many multiprocessors it has; expected a base that does", gpu.name));
    problems.throw_if_any();
  }

  [[nodiscard]] Rows rows_of(const std::function<bool(const Operator&)>& is_wanted) const {
    Rows rows;
    std::ranges::copy_if(measurements_, std::back_inserter(rows),
                         [&](const Measurement& row) { return is_wanted(row.op); });
    return rows;
  }

  // Whether there is something to fit; a few rows do not tell one parameter from another.
  [[nodiscard]] bool are_enough(const Rows& rows, std::string_view curve, std::size_t parameters) const {
    if (rows.empty())
      return false;
    if (rows.size() < 2 * parameters)
      throw InputError({file_}, "",
                       fmt::format("{} rows for {}; expected none or at least {}, two for each figure", rows.size(),
                                   curve, 2 * parameters));
    return true;
  }

  Fit fit(const Rows& rows, const Parameters& start, const Apply& apply) const {
    Gpu gpu = result_.gpu;
    const Residuals residuals = [&](const Parameters& parameters) {
      apply(gpu, parameters);
      std::vector<double> errors;
      for (const Measurement& row : rows)
        errors.push_back(std::log(predicted(row, gpu) / row.time.value()));
      return errors;
    };
    return least_squares(residuals, start);
  }

  void keep(const Rows& rows, std::string curve, Parameters parameters, const Apply& apply) {
    std::ranges::transform(parameters, parameters.begin(), rounded);
    apply(result_.gpu, parameters);
    CurveFit quality{.curve = std::move(curve), .kernels = rows.size()};
    for (const Measurement& row : rows) {
      const double error = std::abs(predicted(row, result_.gpu) / row.time.value() - 1);
      quality.mean_absolute_error += error / static_cast<double>(rows.size());
      quality.within_20 += (error <= tolerated ? 1.0 : 0.0) / static_cast<double>(rows.size());
    }
    result_.fits.push_back(quality);
  }

  void fit_copies() {
    const Rows rows = rows_of([](const Operator& op) { return op.kind == OperatorKind::MemoryBound; });
    const Apply apply = [](Gpu& gpu, const Parameters& values) {
      gpu.launch_overhead = cost(values[0]);
      gpu.memory_efficiency = share(values[1]);
    };
    if (are_enough(rows, "memory", 2))
      keep(rows, "memory", fit(rows, {3e-6, 0.8}, apply).parameters, apply);
  }

  // From several starts, as the sum of squares has more than one valley, with both sizes of tiles and of last waves.
  void fit_products(Precision precision) {
    const std::string curve = fmt::format("gemm.{}", name_of(precision));
    const Rows rows =
        rows_of([&](const Operator& op) { return op.kind == OperatorKind::Gemm && op.precision == precision; });
    if (!are_enough(rows, curve, 4))
      return;
    result_.gpu.grouped_gemm = {}; // the base's; what is fitted here serves groups, too
    Fit best{{}, std::numeric_limits<double>::infinity()};
    Apply apply_best;
    for (const std::int64_t tile : {32768, 65536})
      for (const bool whole : {false, true}) {
        const Apply apply = [precision, tile, whole](Gpu& gpu, const Parameters& values) {
          gpu.gemm[static_cast<std::size_t>(precision)] =
              platforms::GemmCurve{.max_efficiency = share(values[0]),
                                   .operand_bandwidth = cache_bandwidth(values[1], gpu),
                                   .result_bandwidth = cache_bandwidth(values[2], gpu),
                                   .split_overhead = cost(values[3]),
                                   .largest_tile = tile,
                                   .whole_waves = whole};
        };
        for (const double times_memory : {2.0, 5.0}) {
          const double bandwidth = times_memory * result_.gpu.memory_bandwidth.value();
          Fit found = fit(rows, {0.8, bandwidth, bandwidth, 3e-6}, apply);
          if (found.sum_of_squares < best.sum_of_squares) {
            best = std::move(found);
            apply_best = apply;
          }
        }
      }
    keep(rows, curve, best.parameters, apply_best);
  }

  void fit_attention() {
    const Rows rows =
        rows_of([](const Operator& op) { return op.kind == OperatorKind::Attention && op.pass == Pass::Forward; });
    const Apply apply = [](Gpu& gpu, const Parameters& values) {
      gpu.attention.max_efficiency = share(values[0]);
      gpu.attention.half_head_size = std::min(values[1], 1e6);
      gpu.attention.tile_time = cost(values[2]);
    };
    if (are_enough(rows, "attention", 3))
      keep(rows, "attention", fit(rows, {0.7, 30, 3e-6}, apply).parameters, apply);
  }

  void fit_backward() {
    const Rows rows =
        rows_of([](const Operator& op) { return op.kind == OperatorKind::Attention && op.pass == Pass::Backward; });
    const Apply apply = [](Gpu& gpu, const Parameters& values) { gpu.attention.backward = share(values[0]); };
    if (are_enough(rows, "attention.backward", 1))
      keep(rows, "attention.backward", fit(rows, {0.8}, apply).parameters, apply);
  }

  const std::vector<Measurement>& measurements_;
  std::string file_;
  Calibration result_;
};

} // namespace

Calibration calibrate(const std::vector<Measurement>& measurements, const Gpu& base, const std::string& file) {
  return Calibrator(measurements, base, file).run();
}

} // namespace moesim::calibration
