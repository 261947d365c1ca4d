#include <memory>
#include <span>

#include <fmt/format.h>

#include "platforms/read_gpu.hpp"
#include "simulator/base/format.hpp"
#include "simulator/calibration/calibrate.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

struct CalibrateOptions {
  std::string measured;
  std::string base;
  std::string output;
};

platforms::Gpu base_gpu(const std::string& name) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = name;
  node.position = {"--base"};
  Problems problems;
  platforms::Gpu gpu = platforms::read_gpu(node, "", problems);
  problems.throw_if_any();
  return gpu;
}

std::string gpu_file(const calibration::Calibration& calibration, const CalibrateOptions& options) {
  std::string text = "version: 1\n# Fitted by `moesim calibrate`; what is not listed is as in the base.\n";
  for (const calibration::CurveFit& fit : calibration.fits)
    text += fmt::format("# {}: {} kernels, mean absolute error of the time {:.1f} %, {:.0f} % within 20 %\n", fit.curve,
                        fit.kernels, 100 * fit.mean_absolute_error, 100 * fit.within_20);
  platforms::Gpu gpu = calibration.gpu;
  gpu.name = std::filesystem::path(options.output).stem().string();
  return text + platforms::to_yaml(gpu, 0);
}

void calibrate(const CalibrateOptions& options) {
  const platforms::Gpu base = base_gpu(options.base);
  const calibration::Calibration calibration = calibration::calibrate(
      calibration::read_measurements(config::read_file(options.measured), options.measured), base, options.measured);
  record::check_writable(options.output);
  const std::string text = gpu_file(calibration, options);
  record::replace_file(options.output, std::as_bytes(std::span(text)));
  fmt::print("{:<20} {:>8} {:>8} {:>12}\n", "curve", "kernels", "error", "within 20 %");
  for (const calibration::CurveFit& fit : calibration.fits)
    fmt::print("{:<20} {:>8} {:>6.1f} % {:>10.0f} %\n", fit.curve, fit.kernels, 100 * fit.mean_absolute_error,
               100 * fit.within_20);
  fmt::print("wrote {}\n", options.output);
}

} // namespace

void add_calibrate(CLI::App& app, int&) {
  const auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command = app.add_subcommand("calibrate", "Fit the curves of a GPU to kernels measured on it");
  command
      ->add_option("measured", options->measured,
                   "CSV with the columns kernel, precision, groups, m, n, k, launches, microseconds, as "
                   "scripts/measure_gpu.py writes it")
      ->required();
  command
      ->add_option("--base", options->base,
                   "GPU whose peaks, memory and multiprocessors it has: a name that `moesim list gpus` has, or a file")
      ->required();
  command->add_option("-o,--output", options->output, "File of the GPU, in YAML")->required();
  command->callback([options] { calibrate(*options); });
}

} // namespace moesim::cli
