// The sum that a document implies, over its own figures and the scenario: `8 * 4 * 16 * 4`, `20GB / gpus`,
// `1 - total_latency / old_latency`. Numbers may have a unit; names are fields of the scenario (field.hpp) or ids of
// claims; + - * / and parentheses; everything in base units. Units are not checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simulator/claims/field.hpp"
#include "simulator/config/node.hpp"

namespace moesim::claims {

class Expression {
public:
  // A name in the text, and what it stands for.
  struct Name {
    std::size_t offset = 0;
    std::string word;
  };
  // What a name is worth, in base units; how its value is shown.
  using Values = std::function<double(const Name&)>;
  using Words = std::function<std::string(const Name&)>;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<Name>& names() const { return names_; }
  // Infinite or NaN where it divides by zero.
  [[nodiscard]] double value(const Values& values) const;
  // The text with every name replaced by its value, and signs as people write them: "16 × 64 × 2".
  [[nodiscard]] std::string with_values(const Words& words) const;

private:
  friend class ExpressionParser;
  enum class Operation : std::uint8_t { Number, Name, Add, Subtract, Multiply, Divide };
  struct Step {
    Operation operation = Operation::Number;
    double number = 0;    // of a Number
    std::size_t name = 0; // of a Name, into names_
  };

  std::string text_;
  std::vector<Name> names_;
  std::vector<Step> steps_; // in the order of a stack machine
};

// Where in a text something is wrong, and what.
struct ExpressionProblem {
  std::size_t offset = 0;
  std::string message;
};
// Reads `text`; an expression is sound when `problems` is left as it was.
[[nodiscard]] Expression parse_expression(const std::string& text, std::vector<ExpressionProblem>& problems);

} // namespace moesim::claims
