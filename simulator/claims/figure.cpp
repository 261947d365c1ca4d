#include "simulator/claims/figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/format.hpp"
#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::claims {
namespace {

constexpr std::array count_units{Unit{"", 1}};
constexpr std::array parameter_units{Unit{"", 1}, Unit{"M", 1e6}, Unit{"B", 1e9}, Unit{"T", 1e12}};
constexpr std::array share_units{Unit{"%", 0.01}};
constexpr std::array factor_units{Unit{"x", 1}};
constexpr std::array time_units{Unit{"s", 1}, Unit{"ms", 1e-3}, Unit{"us", 1e-6}};
constexpr std::array size_units{Unit{"B", 1},     Unit{"kB", 1e3},     Unit{"MB", 1e6},     Unit{"GB", 1e9},
                                Unit{"TB", 1e12}, Unit{"KiB", 1024.0}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30}};
constexpr std::array token_rate_units{Unit{"tokens/s", 1}, Unit{"tokens/ms", 1e3}};
constexpr std::array sequence_rate_units{Unit{"sequences/s", 1}};
constexpr std::array flops_units{Unit{"FLOP", 1}, Unit{"MFLOP", 1e6}, Unit{"GFLOP", 1e9}, Unit{"TFLOP", 1e12}};
constexpr std::array flops_rate_units{Unit{"FLOP/s", 1}, Unit{"GFLOP/s", 1e9}, Unit{"TFLOP/s", 1e12},
                                      Unit{"PFLOP/s", 1e15}};
constexpr std::array bandwidth_units{Unit{"B/s", 1},     Unit{"MB/s", 1e6},   Unit{"GB/s", 1e9},
                                     Unit{"TB/s", 1e12}, Unit{"GB/ms", 1e12}, Unit{"Gb/s", 1e9 / 8}};

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

// "a number with one of the units s, ms, us, such as 2s, < 2s or 2-4s"
std::string expected(Measure measure) {
  const std::span<const Unit> units = units_of(measure);
  std::vector<std::string_view> names;
  for (const Unit& unit : units)
    if (!unit.name.empty())
      names.push_back(unit.name);
  const std::string_view example = names.empty() ? "" : names.front();
  const std::string_view need = units.front().name.empty() ? "optionally " : "";
  const std::string with =
      names.empty() ? "without a unit" : fmt::format("with {}a unit of {}", need, fmt::join(names, ", "));
  return fmt::format("expected a number {}, such as 2{}, \"< 2{}\" or 2-4{}", with, example, example, example);
}

// Takes a number of at least 0 from the start of `text`; its digits stay in `digits`.
std::optional<double> take_number(std::string_view& text, std::string_view& digits) {
  text = without_spaces(text);
  digits = text.substr(0, config::number_length(text));
  if (digits.empty() || digits.front() == '-' || digits.front() == '+')
    return {};
  text.remove_prefix(digits.size());
  return config::number_value(digits);
}

Relation take_relation(std::string_view& text) {
  text = without_spaces(text);
  const Relation relation = text.starts_with('<')   ? Relation::Below
                            : text.starts_with('>') ? Relation::Above
                                                    : Relation::Equal;
  text.remove_prefix(relation == Relation::Equal ? 0 : 1);
  return relation;
}

} // namespace

std::span<const Unit> units_of(Measure measure) {
  switch (measure) {
  case Measure::Count:
    return count_units;
  case Measure::Parameters:
    return parameter_units;
  case Measure::Share:
    return share_units;
  case Measure::Factor:
    return factor_units;
  case Measure::Time:
    return time_units;
  case Measure::Size:
    return size_units;
  case Measure::TokenRate:
    return token_rate_units;
  case Measure::SequenceRate:
    return sequence_rate_units;
  case Measure::Flops:
    return flops_units;
  case Measure::FlopsRate:
    return flops_rate_units;
  case Measure::Bandwidth:
    return bandwidth_units;
  }
  return count_units;
}

double rounding_of(std::string_view digits, Measure measure) {
  if (measure == Measure::Count)
    return 0;
  const double value = config::number_value(digits).value_or(0);
  const std::string_view mantissa = digits.substr(0, digits.find_first_of("eE"));
  const double power = digits.size() > mantissa.size() ? std::stod(std::string(digits.substr(mantissa.size() + 1))) : 0;
  const std::size_t point = mantissa.find('.');
  int last = point == std::string_view::npos ? 0 : -static_cast<int>(mantissa.size() - point - 1);
  for (std::size_t at = mantissa.size(); point == std::string_view::npos && at > 1 && mantissa[at - 1] == '0'; --at)
    ++last;
  return std::min(0.5 * std::pow(10, last + power), most_rounding * value);
}

config::Reading<Figure> read_figure(const config::Node& node, Measure measure) {
  const auto wrong = [&] {
    return config::Reading<Figure>{{}, fmt::format("found {}; {}", config::description(node), expected(measure))};
  };
  if (node.kind != config::Node::Kind::Scalar)
    return wrong();
  Figure figure;
  figure.text = node.scalar;
  std::string_view rest = node.scalar;
  figure.relation = take_relation(rest);
  std::string_view digits;
  const std::optional<double> lower = take_number(rest, digits);
  std::optional<double> upper = lower;
  if (figure.relation == Relation::Equal && rest.starts_with('-')) {
    figure.relation = Relation::Between;
    rest.remove_prefix(1);
    upper = take_number(rest, digits);
  }
  const std::span<const Unit> units = units_of(measure);
  const auto unit = std::ranges::find(units, without_spaces(rest), &Unit::name);
  if (!lower || !upper || *upper < *lower || unit == units.end())
    return wrong();
  figure.unit = *unit;
  figure.value = *lower * unit->factor;
  figure.upper = *upper * unit->factor;
  const bool is_bound = figure.relation == Relation::Below || figure.relation == Relation::Above;
  figure.rounding = is_bound ? 0 : rounding_of(digits, measure) * unit->factor;
  return {figure, ""};
}

std::string number_text(double value, const Unit& unit) {
  constexpr double most_exact = 1e15; // a whole number that a double holds, and that is read
  const double number = value / unit.factor;
  const double size = std::abs(number);
  const bool is_whole = std::abs(number - std::round(number)) <= 1e-9 * size;
  if (size < most_exact && (is_whole || size >= 1e4))
    return format_count(std::llround(number));
  return fmt::format("{:.4g}", number);
}

std::string value_text(double value, const Unit& unit) {
  const std::string_view gap = unit.name.empty() || unit.name == "x" ? "" : " ";
  return fmt::format("{}{}{}", number_text(value, unit), gap, unit.name);
}

} // namespace moesim::claims
