#include "simulator/pool/process_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sched.h>

#include "simulator/base/check.hpp"
#include "simulator/pool/child_process.hpp"

namespace moesim::pool {
namespace {

using Clock = ChildProcess::Clock;

constexpr std::chrono::milliseconds progress_interval{200};

struct Running {
  std::size_t index = 0;
  std::unique_ptr<ChildProcess> process;
};

struct Ended {
  std::size_t index = 0;
  Outcome outcome;
};

class Pool {
public:
  Pool(std::size_t count, const WorkOfIndex& work, const Options& options) : work_(work), options_(options) {
    progress_.total = count;
  }

  void run(const OutcomeSink& sink, const ProgressSink& report) {
    refill();
    while (!running_.empty()) {
      wait();
      std::vector<Ended> ended = take_ended();
      refill(); // processors compute while outcomes are dealt with
      for (Ended& each : ended)
        sink(each.index, std::move(each.outcome));
      if (report)
        report(progress_);
    }
  }

private:
  void refill() {
    while (running_.size() < options_.workers && next_ < progress_.total) {
      const std::size_t index = next_++;
      running_.push_back({index, std::make_unique<ChildProcess>([&, index] { return work_(index); }, options_.limits,
                                                                options_.error_stream)});
    }
    progress_.running = running_.size();
  }

  // Until something comes from a process, the next time limit, or the next report.
  void wait() {
    polled_.clear();
    Clock::time_point until = Clock::now() + progress_interval;
    for (const Running& each : running_) {
      polled_.push_back({each.process->descriptor(), POLLIN, 0});
      until = std::min(until, each.process->deadline().value_or(until));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (poll(polled_.data(), polled_.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0))) < 0 &&
        errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "processes cannot be waited for");
  }

  std::vector<Ended> take_ended() {
    std::vector<Ended> ended;
    for (std::size_t at = 0; at < running_.size(); ++at) {
      ChildProcess& process = *running_[at].process;
      process.enforce_limit();
      if (polled_[at].revents == 0 || process.receive())
        continue;
      ended.push_back({running_[at].index, process.outcome()});
      count(ended.back().outcome.ending);
      running_[at].process.reset();
    }
    std::erase_if(running_, [](const Running& each) { return each.process == nullptr; });
    return ended;
  }

  void count(Ending ending) {
    switch (ending) {
    case Ending::Done:
      ++progress_.done;
      break;
    case Ending::Refused:
      ++progress_.refused;
      break;
    case Ending::Failed:
      ++progress_.failed;
      break;
    }
  }

  const WorkOfIndex& work_;
  const Options& options_;
  Progress progress_;
  std::size_t next_ = 0;
  std::vector<Running> running_;
  std::vector<pollfd> polled_; // one of each of running_
};

} // namespace

std::size_t processor_count() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1;
}

void run_each(std::size_t count, const WorkOfIndex& work, const Options& options, const OutcomeSink& sink,
              const ProgressSink& progress) {
  MOESIM_CHECK(options.workers > 0, "a pool has at least one worker");
  Pool(count, work, options).run(sink, progress);
}

std::vector<Outcome> run_all(std::span<const Work> works, const Options& options, const ProgressSink& progress) {
  std::vector<Outcome> outcomes(works.size());
  run_each(
      works.size(), [&](std::size_t index) { return works[index](); }, options,
      [&](std::size_t index, Outcome outcome) { outcomes[index] = std::move(outcome); }, progress);
  return outcomes;
}

} // namespace moesim::pool
