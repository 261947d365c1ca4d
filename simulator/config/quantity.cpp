#include "simulator/config/quantity.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::config {
namespace {

constexpr double kibi = 1024;
constexpr double mebi = kibi * 1024;
constexpr double gibi = mebi * 1024;
constexpr double tebi = gibi * 1024;
constexpr double pebi = tebi * 1024;

constexpr std::array size_units{Unit{"B", 1},      Unit{"kB", 1e3},   Unit{"KB", 1e3},   Unit{"MB", 1e6},
                                Unit{"GB", 1e9},   Unit{"TB", 1e12},  Unit{"PB", 1e15},  Unit{"KiB", kibi},
                                Unit{"MiB", mebi}, Unit{"GiB", gibi}, Unit{"TiB", tebi}, Unit{"PiB", pebi}};

constexpr std::array time_units{Unit{"s", 1},       Unit{"ms", 1, 1e3},      Unit{"us", 1, 1e6},
                                Unit{"ns", 1, 1e9}, Unit{"\u00b5s", 1, 1e6}, Unit{"\u03bcs", 1, 1e6}};

constexpr std::array bandwidth_units{
    Unit{"B/s", 1},        Unit{"kB/s", 1e3},      Unit{"KB/s", 1e3},     Unit{"MB/s", 1e6},     Unit{"GB/s", 1e9},
    Unit{"TB/s", 1e12},    Unit{"PB/s", 1e15},     Unit{"KiB/s", kibi},   Unit{"MiB/s", mebi},   Unit{"GiB/s", gibi},
    Unit{"TiB/s", tebi},   Unit{"bps", 1.0 / 8},   Unit{"kbps", 1e3 / 8}, Unit{"Kbps", 1e3 / 8}, Unit{"Mbps", 1e6 / 8},
    Unit{"Gbps", 1e9 / 8}, Unit{"Tbps", 1e12 / 8}, Unit{"b/s", 1.0 / 8},  Unit{"kb/s", 1e3 / 8}, Unit{"Kb/s", 1e3 / 8},
    Unit{"Mb/s", 1e6 / 8}, Unit{"Gb/s", 1e9 / 8},  Unit{"Tb/s", 1e12 / 8}};

constexpr std::array flops_rate_units{
    Unit{"FLOP/s", 1},     Unit{"kFLOP/s", 1e3},  Unit{"MFLOP/s", 1e6}, Unit{"GFLOP/s", 1e9}, Unit{"TFLOP/s", 1e12},
    Unit{"PFLOP/s", 1e15}, Unit{"EFLOP/s", 1e18}, Unit{"FLOPS", 1},     Unit{"kFLOPS", 1e3},  Unit{"MFLOPS", 1e6},
    Unit{"GFLOPS", 1e9},   Unit{"TFLOPS", 1e12},  Unit{"PFLOPS", 1e15}, Unit{"EFLOPS", 1e18}};

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

Reading<double> wrong(std::string problem) {
  return {std::nullopt, std::move(problem)};
}

std::string permitted(const Dimension& dimension) {
  return fmt::format("expected {}, {}", dimension.expected, dimension.range);
}

std::string out_of_range(std::string_view text, std::string_view how, const Dimension& dimension) {
  return fmt::format("{} is too {}; {}", shown(text), how, permitted(dimension));
}

} // namespace

const Dimension size_dimension{"a size such as 80GB or 64GiB", "GB", size_units, 1, 1e18, "from 1B to 1000PB"};
const Dimension time_dimension{"a time such as 2us or 1.5ms", "us", time_units, 0, 1e6, "from 0s to 1e6s"};
const Dimension bandwidth_dimension{
    "a bandwidth such as 450GB/s or 400Gbps", "GB/s", bandwidth_units, 1, 1e18, "from 1B/s to 1000PB/s"};
const Dimension flops_rate_dimension{"a compute rate such as 989TFLOP/s", "TFLOP/s", flops_rate_units, 1, 1e21,
                                     "from 1FLOP/s to 1000EFLOP/s"};

Reading<double> read_quantity(const Node& node, const Dimension& dimension) {
  const std::string_view text = without_spaces(node.scalar);
  const std::string_view digits = text.substr(0, number_length(text));
  const std::string_view unit_name = without_spaces(text.substr(digits.size()));
  if (node.kind != Node::Kind::Scalar || digits.empty())
    return wrong(mismatch(node, dimension.expected));
  const std::optional<double> number = number_value(digits);
  if (!number)
    return wrong(fmt::format("{} is beyond what a number can hold; {}", shown(text), permitted(dimension)));
  if (unit_name.empty()) {
    if (*number == 0 && dimension.least == 0)
      return {0, ""};
    return wrong(fmt::format("{0} has no unit; write for example {0}{1}", shown(digits), dimension.usual));
  }
  const auto unit = std::find_if(dimension.units.begin(), dimension.units.end(),
                                 [&](const Unit& candidate) { return candidate.name == unit_name; });
  if (unit == dimension.units.end())
    return wrong(fmt::format("unknown unit '{}'; expected {}", shown(unit_name), dimension.expected));
  const double value = *number * unit->factor / unit->divisor;
  if (value < dimension.least)
    return wrong(out_of_range(text, "small", dimension));
  if (value > dimension.most)
    return wrong(out_of_range(text, "large", dimension));
  return {value, ""};
}

} // namespace moesim::config
