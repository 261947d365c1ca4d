#include "simulator/pool/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/base/format.hpp"
#include "simulator/base/input_error.hpp"

namespace moesim::pool {
namespace {

// The first byte that a process sends says how its work ended; text follows.
constexpr char done = 'd';
constexpr char refused = 'r';
constexpr char failed = 'f';
constexpr char out_of_memory = 'm';

constexpr int interrupted = 130; // exit status of a moesim process that SIGINT or SIGTERM ended
constexpr std::size_t kept_log_bytes = 4096;
constexpr std::chrono::seconds grace{1};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void send(int output, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(output, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      _exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void limit_memory(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  setrlimit(RLIMIT_DATA, &limit);
}

Seconds seconds_since(ChildProcess::Clock::time_point began) {
  return Seconds(std::chrono::duration<double>(ChildProcess::Clock::now() - began).count());
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

// Whoever ended a process from outside, such as a batch system, most likely ends this one as well: then nothing must be
// recorded any more.
void wait_for_own_end(int status) {
  const bool from_outside = WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL
                                                : WEXITSTATUS(status) == interrupted;
  if (from_outside)
    std::this_thread::sleep_for(grace);
}

} // namespace

void Descriptor::reset(int number) {
  if (number_ >= 0)
    ::close(number_);
  number_ = number;
}

ChildProcess::ChildProcess(const Work& work, const Limits& limits, ErrorStream error_stream) : limits_(limits) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0)
    fail("a pipe cannot be opened");
  output_.reset(ends[0]);
  const Descriptor input(ends[1]); // of the pipe; this process must not hold it, or never sees the end
  if (error_stream == ErrorStream::Kept) {
    log_.reset(memfd_create("log", 0));
    if (log_.get() < 0)
      fail("memory for the messages of a process cannot be had");
  }
  if (limits_.time)
    deadline_ =
        began_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits_.time->value()));
  std::fflush(nullptr); // what is buffered would be printed twice
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ < 0)
    fail("a process cannot be started");
  if (process_ == 0)
    run(work, parent, input.get());
}

ChildProcess::~ChildProcess() {
  if (process_ < 0)
    return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

void ChildProcess::run(const Work& work, pid_t parent, int output) const {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) // it ended before that was heard of
    _exit(1);
  std::signal(SIGINT, SIG_IGN); // Ctrl-C reaches all at once: the parent decides
  if (log_.get() >= 0)
    dup2(log_.get(), STDERR_FILENO);
  if (limits_.memory)
    limit_memory(static_cast<rlim_t>(limits_.memory->value()));
  std::string text;
  try {
    text = done + work();
  } catch (const std::bad_alloc&) {
    limit_memory(RLIM_INFINITY);
    text = out_of_memory;
  } catch (const InputError& error) {
    text = refused + std::string(error.what());
  } catch (const std::exception& error) {
    text = failed + std::string(error.what());
  }
  std::fflush(stderr);
  send(output, text);
  _exit(0);
}

bool ChildProcess::receive() {
  std::array<char, 65536> block{};
  const ssize_t count = ::read(output_.get(), block.data(), block.size());
  if (count < 0 && errno == EINTR)
    return true;
  if (count > 0)
    received_.append(block.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void ChildProcess::enforce_limit() {
  if (!deadline_ || Clock::now() < *deadline_)
    return;
  kill(process_, is_late_ ? SIGKILL : SIGTERM);
  is_late_ = true;
  deadline_ = Clock::now() + grace;
}

std::string ChildProcess::end_of_log() const {
  if (log_.get() < 0)
    return "";
  const off_t size = lseek(log_.get(), 0, SEEK_END);
  std::string text(std::min(static_cast<std::size_t>(std::max<off_t>(size, 0)), kept_log_bytes), '\0');
  const ssize_t count = pread(log_.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

std::string ChildProcess::reason_of(int status) const {
  if (is_late_)
    return fmt::format("took longer than the time limit of {}", format_seconds(*limits_.time));
  if (WIFSIGNALED(status))
    return fmt::format("was ended by signal {} ({}){}", WTERMSIG(status), strsignal(WTERMSIG(status)),
                       WTERMSIG(status) == SIGKILL ? ", as the system does when memory runs out" : "");
  return fmt::format("ended with exit status {}", WEXITSTATUS(status));
}

Outcome ChildProcess::outcome() {
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  Outcome outcome{Ending::Failed, "", "", end_of_log(), seconds_since(began_)};
  const bool is_complete = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !received_.empty();
  const char kind = is_complete ? received_.front() : '\0';
  if (is_complete)
    received_.erase(0, 1);
  is_late_ = is_late_ || (limits_.time && outcome.wall_time > *limits_.time);
  if (is_late_) {
    outcome.reason = reason_of(status);
  } else if (kind == done) {
    outcome.ending = Ending::Done;
    outcome.value = std::move(received_);
  } else if (kind == refused) {
    outcome.ending = Ending::Refused;
    outcome.reason = std::move(received_);
  } else if (kind == failed) {
    outcome.reason = last_line(received_);
  } else if (kind == out_of_memory) {
    outcome.reason = limits_.memory
                         ? fmt::format("needed more memory than the limit of {}", format_bytes(*limits_.memory))
                         : "ran out of memory";
  } else {
    wait_for_own_end(status);
    outcome.reason = reason_of(status);
    if (const std::string said = last_line(outcome.log); !said.empty())
      outcome.reason += "; its last words: " + said;
  }
  return outcome;
}

} // namespace moesim::pool
