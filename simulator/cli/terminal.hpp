// What a person at a terminal gets and a pipe does not: progress bars and colours; and what there is of the computer.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moesim::cli {

[[nodiscard]] bool stdout_is_terminal();

// How many this process may run on.
[[nodiscard]] std::size_t processors();

// "warning: ..." on stderr, one line each; in silence when stderr is closed.
void warn(const std::vector<std::string>& warnings);

// Draws "label [#####.....] 45 % 1,234,567 tasks" on stderr, at most ten times a second, and only on a terminal; wipes
// it when destroyed.
class ProgressBar {
public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::size_t done, std::size_t total);
  // The same with another text after the percentage.
  void show(std::size_t done, std::size_t total, std::string_view text);

private:
  std::string label_;
  bool is_on_;
  std::chrono::steady_clock::time_point next_;
};

// From now on SIGINT and SIGTERM end the process with status 130 at once, leaving no partial file.
void exit_cleanly_when_interrupted();

} // namespace moesim::cli
