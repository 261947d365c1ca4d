#include "simulator/base/input_error.hpp"
#include "simulator/base/check.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace moesim {

std::string to_string(const Problem& problem) {
  std::string text = fmt::format("{}:{}:{}: ", problem.position.file, problem.position.line, problem.position.column);
  if (!problem.field.empty())
    text += problem.field + ": ";
  return text + problem.message;
}

InputError::InputError(std::vector<Problem> problems) : problems_(std::move(problems)) {
  MOESIM_CHECK(!problems_.empty(), "an InputError names at least one problem");
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.position.file, a.position.line, a.position.column) <
           std::tie(b.position.file, b.position.line, b.position.column);
  });
  for (const Problem& problem : problems_)
    text_ += to_string(problem) + "\n";
}

InputError::InputError(Position position, std::string field, std::string message)
    : InputError(std::vector<Problem>{{std::move(position), std::move(field), std::move(message)}}) {}

void Problems::add(Position position, std::string field, std::string message) {
  problems_.push_back({std::move(position), std::move(field), std::move(message)});
}

void Problems::add(const InputError& error) {
  problems_.insert(problems_.end(), error.problems().begin(), error.problems().end());
}

void Problems::throw_if_any() const {
  if (!problems_.empty())
    throw InputError(problems_);
}

void check_failed(const char* condition, const char* file, int line, std::string_view message) {
  throw InternalError(fmt::format("{}:{}: {} (expected {})", file, line, message, condition));
}

} // namespace moesim
