// What a user got wrong. Every problem has a place in a file and a field, and all of them are reported at once;
// a mistake of our own is a failed MOESIM_CHECK instead (check.hpp).
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace moesim {

// A place in a text that the user wrote; line and column count from 1. Whole-file problems use 1:1.
struct Position {
  std::string file;
  int line = 1;
  int column = 1;
};

struct Problem {
  Position position;
  std::string field;   // dotted path such as "parallel.tp"; empty when the problem is not about one field
  std::string message; // "what is wrong; what would be right", one line, no full stop
};

// "FILE:LINE:COLUMN: path.to.field: what is wrong; what would be right"
[[nodiscard]] std::string to_string(const Problem& problem);

// Thrown with at least one problem; main prints them and exits with status 2.
class InputError : public std::exception {
public:
  explicit InputError(std::vector<Problem> problems);
  InputError(Position position, std::string field, std::string message);

  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  // One line per problem, sorted by file, line and column, each ended by a newline.
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

private:
  std::vector<Problem> problems_;
  std::string text_;
};

// Collects the problems of one or several documents, so that the user sees all of them together.
class Problems {
public:
  void add(Position position, std::string field, std::string message);
  void add(const InputError& error);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] std::size_t size() const { return problems_.size(); }
  // Throws InputError when anything was added.
  void throw_if_any() const;

private:
  std::vector<Problem> problems_;
};

} // namespace moesim
