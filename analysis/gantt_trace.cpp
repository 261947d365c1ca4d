#include "analysis/gantt_trace.hpp"

#include "analysis/gantt_lanes.hpp"
#include "analysis/transfer_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

// At equal times a slice has to come before the arrows inside it, and an outer slice before an inner one.
enum class Order : std::uint8_t { Slice, ArrowStart, ArrowEnd, Counter };

struct Event {
  std::int64_t time = 0; // ns
  Order order = Order::Slice;
  std::int64_t length = 0; // ns, of a slice
  std::string json;
};

constexpr std::uint32_t pass_thread = 0; // streams follow

std::int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

// Microseconds as Perfetto reads them back to the nanosecond.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> all_quoted(const std::vector<std::string>& words) {
  std::vector<std::string> result(words.size());
  std::transform(words.begin(), words.end(), result.begin(), quoted);
  return result;
}

class Trace {
public:
  Trace(const record::RunRecord& run, const GanttOptions& options, std::ostream& out)
      : run_(run), ranks_(shown_ranks(run, options.ranks)), names_(all_quoted(run.tasks.names)),
        streams_(all_quoted(run.tasks.streams)), kinds_(all_quoted(run.tasks.kinds)),
        phases_(all_quoted(run.tasks.phases)), out_(out) {}

  void write() {
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
    for (const std::uint32_t rank : ranks_) {
      name_process(rank);
      add_passes(rank);
      add_tasks(rank);
      add_memory(rank);
    }
    add_arrows();
    add_throughput();
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return std::tuple(a.time, a.order, -a.length) < std::tuple(b.time, b.order, -b.length);
    });
    for (const Event& event : events_)
      emit(event.json);
    out_ << "\n]}\n";
  }

private:
  void emit(const std::string& json) {
    if (!first_)
      out_ << ",\n";
    first_ = false;
    out_ << json;
  }

  void name(const char* what, std::uint32_t process, std::uint32_t thread, const std::string& json_text) {
    emit(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, process, thread,
                     json_text));
  }
  void place(const char* what, std::uint32_t process, std::uint32_t thread, std::uint32_t index) {
    emit(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"sort_index":{}}}}})", what, process, thread,
                     index));
  }

  void name_process(std::uint32_t rank) {
    name("process_name", rank, 0, quoted(fmt::format("rank {} | {}", rank, coordinates(run_.ranks, rank))));
    place("process_sort_index", rank, 0, ++processes_);
    name("thread_name", rank, pass_thread, "\"passes\"");
    place("thread_sort_index", rank, pass_thread, pass_thread);
    std::set<std::uint8_t> used;
    const record::RowRange rows = rows_of(run_, rank);
    for (std::size_t row = rows.first; row < rows.last; ++row)
      used.insert(run_.tasks.stream[row]);
    for (const std::uint8_t stream : used) {
      name("thread_name", rank, thread_of(stream), streams_[stream]);
      place("thread_sort_index", rank, thread_of(stream), thread_of(stream));
    }
  }

  static std::uint32_t thread_of(std::uint8_t stream) { return pass_thread + 1 + stream; }

  void add_slice(double start, double end, const std::string& json_head, const std::string& json_args) {
    const std::int64_t begin = nanoseconds(start);
    const std::int64_t length = nanoseconds(end) - begin;
    events_.push_back({begin, Order::Slice, length,
                       fmt::format(R"({{"ph":"X",{},"ts":{},"dur":{},"args":{{{}}}}})", json_head, microseconds(begin),
                                   microseconds(length), json_args)});
  }

  void add_passes(std::uint32_t rank) {
    for (const PassBlock& block : pass_blocks(run_, rank)) {
      // Perfetto gives names that differ in a number the same colour.
      const std::string title = block.kind == BlockKind::Optimizer
                                    ? std::string("optimizer")
                                    : fmt::format("{} {}", letter_of(block.kind), block.micro_batch);
      add_slice(block.start, block.end,
                fmt::format(R"("name":"{}","cat":"pass","pid":{},"tid":{})", title, rank, pass_thread),
                fmt::format(R"("micro_batch":{},"chunk":{})", block.micro_batch, block.chunk));
    }
  }

  void add_tasks(std::uint32_t rank) {
    const record::TaskTable& tasks = run_.tasks;
    const record::RowRange rows = rows_of(run_, rank);
    for (std::size_t row = rows.first; row < rows.last; ++row)
      add_slice(tasks.start[row], tasks.end[row],
                fmt::format(R"("name":{},"cat":{},"pid":{},"tid":{})", names_[tasks.name[row]], kinds_[tasks.kind[row]],
                            rank, thread_of(tasks.stream[row])),
                fmt::format(R"("layer":{},"micro_batch":{},"chunk":{},"phase":{},"bytes":{},"flops":{})",
                            tasks.layer[row], tasks.micro_batch[row], tasks.chunk[row], phases_[tasks.phase[row]],
                            tasks.bytes[row], tasks.flops[row]));
  }

  // An arrow binds to the slices that are open where it starts and ends; those of no length cannot hold one.
  void add_arrows() {
    int id = 0;
    for (const TransferPair& pair : transfer_pairs(run_, ranks_)) {
      const std::int64_t begin = nanoseconds(run_.tasks.start[pair.send_row]);
      const std::int64_t end = nanoseconds(run_.tasks.end[pair.send_row]);
      if (end <= begin)
        continue;
      ++id;
      const auto arrow = [&](const char* head, std::uint32_t rank, std::size_t row, std::int64_t time) {
        return fmt::format(R"({{{},"id":{},"name":"transfer","cat":"pp","pid":{},"tid":{},"ts":{}}})", head, id, rank,
                           thread_of(run_.tasks.stream[row]), microseconds(time));
      };
      events_.push_back({begin, Order::ArrowStart, 0, arrow(R"("ph":"s")", pair.send_rank, pair.send_row, begin)});
      events_.push_back(
          {end - 1, Order::ArrowEnd, 0, arrow(R"("ph":"f","bp":"e")", pair.receive_rank, pair.receive_row, end - 1)});
    }
  }

  void add_counter(std::uint32_t process, const char* title, double time, const std::string& json_args) {
    const std::int64_t at = nanoseconds(time);
    events_.push_back({at, Order::Counter, 0,
                       fmt::format(R"({{"ph":"C","name":"{}","pid":{},"ts":{},"args":{{{}}}}})", title, process,
                                   microseconds(at), json_args)});
  }

  void add_memory(std::uint32_t rank) {
    const record::MemorySeries& memory = run_.memory;
    const auto [first, last] =
        std::equal_range(memory.rank.begin(), memory.rank.end(), run_.ranks.representative[rank]);
    for (auto at = first; at != last; ++at) {
      const auto row = static_cast<std::size_t>(at - memory.rank.begin());
      std::string args;
      for (std::size_t i = 0; i < memory.categories.size(); ++i)
        args += fmt::format("{}{}:{}", i == 0 ? "" : ",", quoted(memory.categories[i]), memory.bytes[i][row]);
      add_counter(rank, "memory (bytes)", memory.time[row], args);
    }
  }

  // A rate holds from the end of the slice of time before to the end of its own.
  void add_throughput() {
    const record::Throughput& throughput = run_.throughput;
    if (throughput.time.empty())
      return;
    const auto job = static_cast<std::uint32_t>(run_.ranks.size()); // a process besides those of the ranks
    name("process_name", job, 0, "\"job\"");
    place("process_sort_index", job, 0, 0);
    double begin = 0;
    for (std::size_t i = 0; i < throughput.time.size(); ++i) {
      add_counter(job, "throughput (tokens/s)", begin, fmt::format(R"("tokens_per_s":{})", throughput.tokens_per_s[i]));
      begin = throughput.time[i];
    }
    add_counter(job, "throughput (tokens/s)", begin, R"("tokens_per_s":0)");
  }

  const record::RunRecord& run_;
  std::vector<std::uint32_t> ranks_;
  std::vector<std::string> names_, streams_, kinds_, phases_; // as JSON strings
  std::ostream& out_;
  std::vector<Event> events_;
  std::uint32_t processes_ = 0;
  bool first_ = true;
};

} // namespace

void write_gantt_trace(const record::RunRecord& run, const GanttOptions& options, std::ostream& out) {
  Trace(run, options, out).write();
}

} // namespace moesim::analysis
