#include "simulator/cli/terminal.hpp"

#include <csignal>
#include <cstdio>
#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

extern "C" void interrupted(int) {
  record::remove_partial_files();
  _exit(130);
}

} // namespace

bool stdout_is_terminal() {
  return isatty(STDOUT_FILENO) != 0;
}

std::size_t processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1;
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    std::fputs(fmt::format("warning: {}\n", warning).c_str(), stderr);
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), is_on_(isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (is_on_)
    fmt::print(stderr, "\r\x1b[K");
}

void ProgressBar::show(std::size_t done, std::size_t total) {
  if (is_on_)
    show(done, total, fmt::format("of {} tasks", format_count(static_cast<std::int64_t>(total))));
}

void ProgressBar::show(std::size_t done, std::size_t total, std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_on_ || total == 0 || now < next_)
    return;
  next_ = now + std::chrono::milliseconds(100);
  constexpr std::size_t width = 30;
  const std::size_t filled = width * done / total;
  fmt::print(stderr, "\r\x1b[K{} [{}{}] {:3d} % {}", label_, std::string(filled, '#'), std::string(width - filled, '.'),
             100 * done / total, text);
}

void exit_cleanly_when_interrupted() {
  struct sigaction action = {};
  action.sa_handler = interrupted;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

} // namespace moesim::cli
