// One piece of work in a process of its own, as the pool watches it.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include <sys/types.h>

#include "simulator/pool/process_pool.hpp"

namespace moesim::pool {

// A file descriptor that closes itself.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  void reset(int number);
  void close() { reset(-1); }

private:
  int number_;
};

class ChildProcess {
public:
  using Clock = std::chrono::steady_clock;

  // Forks, and runs `work` there. Throws std::system_error.
  ChildProcess(const Work& work, const Limits& limits, ErrorStream error_stream);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess(); // ends it if it still runs

  // Readable when there is something to receive.
  [[nodiscard]] int descriptor() const { return output_.get(); }
  // Takes what has come; false when nothing will come any more. Requires descriptor() to be readable.
  [[nodiscard]] bool receive();
  // When the next enforce_limit() has something to do; none without a limit.
  [[nodiscard]] std::optional<Clock::time_point> deadline() const { return deadline_; }
  // Ends the process if its time is over: asks it first, and kills it a second later.
  void enforce_limit();
  // Requires that receive() returned false: waits for the end of the process.
  [[nodiscard]] Outcome outcome();

private:
  [[noreturn]] void run(const Work& work, pid_t parent, int output) const;
  [[nodiscard]] std::string end_of_log() const;
  [[nodiscard]] std::string reason_of(int status) const;

  Limits limits_;
  Clock::time_point began_ = Clock::now();
  std::optional<Clock::time_point> deadline_;
  bool is_late_ = false;
  Descriptor output_;
  Descriptor log_;
  pid_t process_ = -1;
  std::string received_;
};

} // namespace moesim::pool
