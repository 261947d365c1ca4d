#include "simulator/claims/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::claims {
namespace {

constexpr int deepest = 64; // parentheses and signs inside each other

bool is_letter(char character) {
  return std::isalpha(static_cast<unsigned char>(character)) != 0 || character == '_';
}
bool is_word(char character) {
  return is_letter(character) || std::isdigit(static_cast<unsigned char>(character)) != 0;
}

// The factor of a unit that a number in a sum may have; those with a "/" would read as a division.
std::optional<double> factor_of(std::string_view unit) {
  for (const Measure measure : {Measure::Share, Measure::Time, Measure::Size, Measure::Flops})
    for (const Unit& candidate : units_of(measure))
      if (candidate.name == unit)
        return candidate.factor;
  return {};
}

} // namespace

// Recursive descent: sum = product {+- product}, product = operand {*/ operand}, operand = number | name | (sum).
class ExpressionParser {
public:
  ExpressionParser(const std::string& text, std::vector<ExpressionProblem>& problems) : problems_(problems) {
    result_.text_ = text;
  }

  Expression parse() {
    sum(0);
    skip_spaces();
    if (!failed_ && at_ < text().size())
      fail(fmt::format("'{}' follows what could be all; expected one of + - * /", rest()));
    return std::move(result_);
  }

private:
  using Operation = Expression::Operation;

  [[nodiscard]] const std::string& text() const { return result_.text_; }
  [[nodiscard]] std::string rest() const { return config::shown(std::string_view(text()).substr(at_)); }

  void skip_spaces() {
    while (at_ < text().size() && text()[at_] == ' ')
      ++at_;
  }

  // The first mistake only: what follows it may be meant otherwise.
  void fail(std::string message) {
    if (!failed_)
      problems_.push_back({at_, std::move(message)});
    failed_ = true;
  }

  // The next character when it is one of `wanted`, taken.
  char take(std::string_view wanted) {
    skip_spaces();
    if (failed_ || at_ == text().size() || wanted.find(text()[at_]) == std::string_view::npos)
      return 0;
    return text()[at_++];
  }

  void push(Operation operation) { result_.steps_.push_back({operation}); }

  void sum(int depth) {
    product(depth);
    while (const char sign = take("+-")) {
      product(depth);
      push(sign == '+' ? Operation::Add : Operation::Subtract);
    }
  }

  void product(int depth) {
    operand(depth);
    while (const char sign = take("*/")) {
      operand(depth);
      push(sign == '*' ? Operation::Multiply : Operation::Divide);
    }
  }

  void operand(int depth) {
    if (depth > deepest)
      return fail(fmt::format("more than {} parentheses inside each other; expected a simpler sum", deepest));
    if (take("(") != 0) {
      sum(depth + 1);
      if (take(")") == 0)
        fail("a parenthesis is not closed; expected )");
      return;
    }
    if (failed_)
      return;
    const std::string_view here = std::string_view(text()).substr(at_);
    if (!here.empty() && is_letter(here.front()))
      return name();
    if (!here.empty() && here.front() != '-' && here.front() != '+' && config::number_length(here) > 0)
      return number();
    fail(here.empty() ? "it ends where an operand should follow; expected a number, a name or ("
                      : fmt::format("found '{}'; expected a number, a name or (", rest()));
  }

  void name() {
    const std::size_t start = at_;
    while (at_ < text().size() && is_word(text()[at_]))
      ++at_;
    result_.steps_.push_back({Operation::Name, 0, result_.names_.size()});
    result_.names_.push_back({start, text().substr(start, at_ - start)});
  }

  void number() {
    const std::string_view here = std::string_view(text()).substr(at_);
    const std::string_view digits = here.substr(0, config::number_length(here));
    const std::size_t start = at_;
    at_ += digits.size();
    const std::size_t unit_start = at_;
    while (at_ < text().size() && (is_word(text()[at_]) || text()[at_] == '%'))
      ++at_;
    const std::string_view unit = std::string_view(text()).substr(unit_start, at_ - unit_start);
    const std::optional<double> factor = unit.empty() ? 1 : factor_of(unit);
    const std::optional<double> value = config::number_value(digits);
    if (!value || !factor) {
      at_ = value ? unit_start : start;
      return fail(value
                      ? fmt::format("unknown unit '{}'; expected %, or one of time, size or FLOP such as ms, GB, GFLOP",
                                    config::shown(unit))
                      : fmt::format("{} is beyond what a number can hold", config::shown(digits)));
    }
    result_.steps_.push_back({Operation::Number, *value * *factor, 0});
  }

  Expression result_;
  std::vector<ExpressionProblem>& problems_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

Expression parse_expression(const std::string& text, std::vector<ExpressionProblem>& problems) {
  return ExpressionParser(text, problems).parse();
}

double Expression::value(const Values& values) const {
  std::vector<double> stack;
  for (const Step& step : steps_) {
    if (step.operation == Operation::Number || step.operation == Operation::Name) {
      stack.push_back(step.operation == Operation::Number ? step.number : values(names_[step.name]));
      continue;
    }
    MOESIM_CHECK(stack.size() >= 2, "an operation has two operands");
    const double right = stack.back();
    stack.pop_back();
    double& left = stack.back();
    left = step.operation == Operation::Add        ? left + right
           : step.operation == Operation::Subtract ? left - right
           : step.operation == Operation::Multiply ? left * right
                                                   : left / right;
  }
  MOESIM_CHECK(stack.size() == 1, "a sum has one value");
  return stack.back();
}

std::string Expression::with_values(const Words& words) const {
  std::string result;
  auto name = names_.begin();
  for (std::size_t at = 0; at < text_.size(); ++at) {
    if (name != names_.end() && at == name->offset) {
      result += words(*name);
      at += name->word.size() - 1;
      ++name;
    } else {
      result += text_[at] == '*' ? "\u00d7" : std::string(1, text_[at]);
    }
  }
  return result;
}

} // namespace moesim::claims
