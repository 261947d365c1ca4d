// Runs pieces of work in processes of their own, several at a time: SimGrid runs one simulation per process, and a
// crash or a piece that takes all memory must not take the others with it.
//
//   const auto outcomes = pool::run_all({work_a, work_b}, {.workers = 4});                // in the order of the works
//   pool::run_each(count, work_of_index, options, [](std::size_t index, Outcome outcome) { ... });   // as they end
//
// A work is a callable that returns its result as bytes. It runs in a fork of this process, so it may use everything
// that was there before, and nothing that it changes comes back but these bytes. Outcomes depend neither on the number
// of workers nor on the order in which pieces end. Processes end when this one does, however it ends (kill -9 too), so
// that SIGINT needs nothing but a handler that ends this one. Use from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::pool {

enum class Ending : std::uint8_t {
  Done,    // the work returned
  Refused, // it threw InputError: what it was given is wrong, and will be wrong again
  Failed,  // it threw something else, crashed, or went over a limit
};

struct Outcome {
  Ending ending = Ending::Done;
  std::string value;  // what the work returned, when it did
  std::string reason; // else why: the lines of the InputError, or one line without a full stop
  std::string log;    // the end of what it wrote to stderr, where that was kept
  Seconds wall_time;  // from the start of the process to its end
};

// For each piece by itself; none without a value.
struct Limits {
  std::optional<Seconds> time{};
  std::optional<Bytes> memory{}; // that the process may write to, on top of which come program and libraries
};

// Where stderr of the processes goes: into Outcome::log, or where this process's goes.
enum class ErrorStream : std::uint8_t { Kept, Shared };

struct Options {
  std::size_t workers = 1; // processes at a time, at least 1
  Limits limits{};
  ErrorStream error_stream = ErrorStream::Kept;
};

// That this process may run on.
[[nodiscard]] std::size_t processor_count();

struct Progress {
  std::size_t done = 0;
  std::size_t refused = 0;
  std::size_t failed = 0;
  std::size_t running = 0;
  std::size_t total = 0;
};

using Work = std::function<std::string()>;
using WorkOfIndex = std::function<std::string(std::size_t)>;
using OutcomeSink = std::function<void(std::size_t index, Outcome outcome)>;
// Called when something changed, and five times a second; may throw to stop.
using ProgressSink = std::function<void(const Progress&)>;

// Works 0 .. count - 1, started in this order. `sink` gets each outcome as soon as it is there, when the next work has
// started already; an exception of a sink ends all processes and leaves. Throws std::system_error when no process can
// be started.
void run_each(std::size_t count, const WorkOfIndex& work, const Options& options, const OutcomeSink& sink,
              const ProgressSink& progress = {});

// The same for a list, with the outcomes in its order.
[[nodiscard]] std::vector<Outcome> run_all(std::span<const Work> works, const Options& options = {},
                                           const ProgressSink& progress = {});

} // namespace moesim::pool
