#include "analysis/gantt_trace.hpp"

#include "analysis/bubbles.hpp"
#include "analysis/event_merge.hpp"
#include "analysis/gantt_lanes.hpp"
#include "analysis/pass_lanes.hpp"
#include "analysis/trace_json.hpp"
#include "analysis/transfer_pairs.hpp"

#include <algorithm>
#include <set>

namespace moesim::analysis {
namespace {

constexpr std::size_t piece = 1 << 20; // bytes that are written at once

// The threads of a process, in the order in which they are shown.
constexpr std::uint32_t pass_thread = 0; // and the second lane of passes
constexpr std::uint32_t bubble_thread = 2;
constexpr std::uint32_t first_stream_thread = 3;

class Trace {
public:
  Trace(const record::RunRecord& run, const GanttOptions& options, const std::function<void(std::string_view)>& write)
      : run_(run), options_(options), ranks_(shown_ranks(run, options.ranks)), names_(all_quoted(run.tasks.names)),
        streams_(all_quoted(run.tasks.streams)), kinds_(all_quoted(run.tasks.kinds)),
        phases_(all_quoted(run.tasks.phases)), categories_(all_quoted(run.memory.categories)), finder_(run),
        bubbles_(finder_.bubbles(ranks_)), write_(write) {
    for (const std::uint32_t rank : ranks_)
      lanes_.push_back(pass_lanes(run, rank));
    for (const TransferPair& pair : transfer_pairs(run, ranks_))
      // An arrow binds to the slices that are open where it starts and ends; those of no length cannot hold one.
      if (is_shown(run.tasks.start[pair.send_row], run.tasks.end[pair.send_row]) &&
          arrow_end(pair) >= arrow_start(pair))
        arrows_.push_back(pair);
  }

  void write() {
    append_text(out_, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    name_processes();
    std::vector<EventSource> sources;
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      for (std::size_t lane = 0; lane < lanes_[i].size(); ++lane)
        sources.push_back(passes(ranks_[i], pass_thread + static_cast<std::uint32_t>(lane), lanes_[i][lane]));
      sources.push_back(idle_times(ranks_[i], bubbles_[i]));
      sources.push_back(tasks(ranks_[i]));
      sources.push_back(memory(ranks_[i]));
    }
    sources.push_back(arrow_starts());
    sources.push_back(arrow_ends());
    sources.push_back(throughput());
    merge(sources, [&](const EventSource& source, std::size_t event) {
      separate();
      source.append(event, out_);
    });
    append_text(out_, "\n]}\n");
    flush();
  }

private:
  void flush() {
    write_({out_.data(), out_.size()});
    out_.clear();
  }

  // Goes between events.
  void separate() {
    if (!first_)
      append_text(out_, ",\n");
    first_ = false;
    if (out_.size() >= piece)
      flush();
  }

  [[nodiscard]] bool is_shown(double start, double end) const { return end >= options_.from && start <= options_.to; }

  // A value holds until the next.
  [[nodiscard]] bool is_shown_until(double time, double next) const {
    return time <= options_.to && (time >= options_.from || next > options_.from);
  }

  void name(const char* what, std::uint32_t process, std::uint32_t thread, const std::string& json_text,
            std::uint32_t place) {
    separate();
    append(out_, FMT_COMPILE(R"({{"ph":"M","name":"{}_name","pid":{},"tid":{},"args":{{"name":{}}}}})"), what, process,
           thread, json_text);
    separate();
    append(out_, FMT_COMPILE(R"({{"ph":"M","name":"{}_sort_index","pid":{},"tid":{},"args":{{"sort_index":{}}}}})"),
           what, process, thread, place);
  }

  void name_processes() {
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      const std::uint32_t rank = ranks_[i];
      name("process", rank, 0, quoted(fmt::format("rank {} | {}", rank, coordinates(run_.ranks, rank))),
           static_cast<std::uint32_t>(i + 1));
      name("thread", rank, pass_thread, "\"passes\"", pass_thread);
      if (!lanes_[i][1].empty())
        name("thread", rank, pass_thread + 1, "\"passes 2\"", pass_thread + 1);
      if (!bubbles_[i].empty())
        name("thread", rank, bubble_thread, "\"bubbles\"", bubble_thread);
      std::set<std::uint8_t> used;
      const record::RowRange rows = rows_of(run_, rank);
      for (std::size_t row = rows.first; row < rows.last; ++row)
        used.insert(run_.tasks.stream[row]);
      for (const std::uint8_t stream : used)
        name("thread", rank, thread_of(stream), streams_[stream], thread_of(stream));
    }
    if (!run_.throughput.time.empty())
      name("process", job(), 0, "\"job\"", 0);
  }

  [[nodiscard]] std::uint32_t job() const { return static_cast<std::uint32_t>(run_.ranks.size()); } // besides the ranks

  static std::uint32_t thread_of(std::uint8_t stream) { return first_stream_thread + stream; }

  [[nodiscard]] EventSource passes(std::uint32_t rank, std::uint32_t thread,
                                   const std::vector<PassBlock>& blocks) const {
    return {EventKind::Slice, blocks.size(), [&blocks](std::size_t i) { return nanoseconds(blocks[i].start); },
            [this, &blocks](std::size_t i) { return is_shown(blocks[i].start, blocks[i].end); },
            [&blocks, rank, thread](std::size_t i, Buffer& out) {
              const PassBlock& block = blocks[i];
              // Perfetto gives names that differ in a number the same colour.
              const std::string title = block.kind == BlockKind::Optimizer
                                            ? std::string("\"optimizer\"")
                                            : fmt::format("\"{} {}\"", letter_of(block.kind), block.micro_batch);
              append_slice(out, title, "\"pass\"", rank, thread, block.start, block.end);
              append(out, FMT_COMPILE(R"(,"args":{{"micro_batch":{},"chunk":{}}}}})"), block.micro_batch, block.chunk);
            }};
  }

  [[nodiscard]] EventSource idle_times(std::uint32_t rank, const std::vector<Bubble>& bubbles) const {
    return {EventKind::Slice, bubbles.size(), [&bubbles](std::size_t i) { return nanoseconds(bubbles[i].start); },
            [this, &bubbles](std::size_t i) { return is_shown(bubbles[i].start, bubbles[i].end); },
            [this, &bubbles, rank](std::size_t i, Buffer& out) { append_bubble(rank, bubbles[i], out); }};
  }

  void append_bubble(std::uint32_t rank, const Bubble& bubble, Buffer& out) const {
    append_slice(out, fmt::format("\"{}\"", name_of(bubble.cause)), "\"bubble\"", rank, bubble_thread, bubble.start,
                 bubble.end);
    append(out, FMT_COMPILE(R"(,"args":{{"why":{})"), quoted(finder_.label(rank, bubble)));
    if (const std::uint32_t row = bubble.blocker; row != Bubble::no_row)
      append(out, FMT_COMPILE(R"(,"waited_for":{},"stage":{},"phase":{},"layer":{},"micro_batch":{},"chunk":{})"),
             names_[run_.tasks.name[row]], run_.ranks.pp[run_.tasks.rank[row]], phases_[run_.tasks.phase[row]],
             run_.tasks.layer[row], run_.tasks.micro_batch[row], run_.tasks.chunk[row]);
    append_text(out, "}}");
  }

  [[nodiscard]] EventSource tasks(std::uint32_t rank) const {
    const record::RowRange rows = rows_of(run_, rank);
    const record::TaskTable& tasks = run_.tasks;
    return {EventKind::Slice, rows.last - rows.first,
            [&tasks, rows](std::size_t i) { return nanoseconds(tasks.start[rows.first + i]); },
            [this, &tasks, rows](std::size_t i) {
              return is_shown(tasks.start[rows.first + i], tasks.end[rows.first + i]);
            },
            [this, rows, rank](std::size_t i, Buffer& out) { append_task(rank, rows.first + i, out); }};
  }

  void append_task(std::uint32_t rank, std::size_t row, Buffer& out) const {
    const record::TaskTable& tasks = run_.tasks;
    append_slice(out, names_[tasks.name[row]], kinds_[tasks.kind[row]], rank, thread_of(tasks.stream[row]),
                 tasks.start[row], tasks.end[row]);
    append(out, FMT_COMPILE(R"(,"args":{{"layer":{},"micro_batch":{},"chunk":{},"phase":{},"bytes":{},"flops":{}}}}})"),
           tasks.layer[row], tasks.micro_batch[row], tasks.chunk[row], phases_[tasks.phase[row]], tasks.bytes[row],
           tasks.flops[row]);
  }

  [[nodiscard]] std::int64_t arrow_start(const TransferPair& pair) const {
    return nanoseconds(run_.tasks.start[pair.send_row]);
  }
  [[nodiscard]] std::int64_t arrow_end(const TransferPair& pair) const {
    return nanoseconds(run_.tasks.end[pair.send_row]) - 1;
  }

  void append_arrow(Buffer& out, const char* head, std::size_t id, std::uint32_t rank, std::size_t row,
                    std::int64_t time) const {
    append(out, FMT_COMPILE(R"({{{},"id":{},"name":"transfer","cat":"pp","pid":{},"tid":{},"ts":)"), head, id + 1, rank,
           thread_of(run_.tasks.stream[row]));
    append_microseconds(out, time);
    append_text(out, "}");
  }

  // Of the arrows, in order of time.
  [[nodiscard]] std::vector<std::uint32_t> arrows_by(std::int64_t (Trace::*time)(const TransferPair&) const) const {
    std::vector<std::uint32_t> order(arrows_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
      order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return (this->*time)(arrows_[i]); });
    return order;
  }

  [[nodiscard]] EventSource arrow_starts() const {
    const std::vector<std::uint32_t> order = arrows_by(&Trace::arrow_start);
    return {EventKind::ArrowStart, order.size(),
            [this, order](std::size_t i) { return arrow_start(arrows_[order[i]]); }, [](std::size_t) { return true; },
            [this, order](std::size_t i, Buffer& out) {
              const TransferPair& pair = arrows_[order[i]];
              append_arrow(out, R"("ph":"s")", order[i], pair.send_rank, pair.send_row, arrow_start(pair));
            }};
  }

  [[nodiscard]] EventSource arrow_ends() const {
    const std::vector<std::uint32_t> order = arrows_by(&Trace::arrow_end);
    return {EventKind::ArrowEnd, order.size(), [this, order](std::size_t i) { return arrow_end(arrows_[order[i]]); },
            [](std::size_t) { return true; },
            [this, order](std::size_t i, Buffer& out) {
              const TransferPair& pair = arrows_[order[i]];
              append_arrow(out, R"("ph":"f","bp":"e")", order[i], pair.receive_rank, pair.receive_row, arrow_end(pair));
            }};
  }

  [[nodiscard]] EventSource memory(std::uint32_t rank) const {
    const record::MemorySeries& memory = run_.memory;
    const auto range = std::ranges::equal_range(memory.rank, run_.ranks.representative[rank]);
    const auto first = static_cast<std::size_t>(range.begin() - memory.rank.begin());
    const std::size_t count = range.size();
    return {EventKind::Counter, count, [&memory, first](std::size_t i) { return nanoseconds(memory.time[first + i]); },
            [this, &memory, first, count](std::size_t i) {
              return is_shown_until(memory.time[first + i], i + 1 < count ? memory.time[first + i + 1] : options_.to);
            },
            [this, rank, first](std::size_t i, Buffer& out) { append_memory(rank, first + i, out); }};
  }

  void append_memory(std::uint32_t rank, std::size_t row, Buffer& out) const {
    append_counter(out, "memory (bytes)", rank, nanoseconds(run_.memory.time[row]));
    append_text(out, R"(,"args":{)");
    for (std::size_t i = 0; i < categories_.size(); ++i)
      append(out, FMT_COMPILE("{}{}:{}"), i == 0 ? "" : ",", categories_[i], run_.memory.bytes[i][row]);
    append_text(out, "}}");
  }

  // A rate holds from the end of the slice of time before to the end of its own; after the last it is 0.
  [[nodiscard]] EventSource throughput() const {
    const record::Throughput& series = run_.throughput;
    const auto start = [&series](std::size_t i) { return i == 0 ? 0 : series.time[i - 1]; };
    const std::size_t count = series.time.empty() ? 0 : series.time.size() + 1;
    return {EventKind::Counter, count, [start](std::size_t i) { return nanoseconds(start(i)); },
            [this, start, count](std::size_t i) {
              return is_shown_until(start(i), i + 1 < count ? start(i + 1) : options_.to);
            },
            [this, start, count](std::size_t i, Buffer& out) {
              append_counter(out, "throughput (tokens/s)", job(), nanoseconds(start(i)));
              append(out, FMT_COMPILE(R"(,"args":{{"tokens_per_s":{}}}}})"),
                     i + 1 < count ? run_.throughput.tokens_per_s[i] : 0.0);
            }};
  }

  const record::RunRecord& run_;
  const GanttOptions& options_;
  std::vector<std::uint32_t> ranks_;
  std::vector<std::string> names_, streams_, kinds_, phases_, categories_; // as JSON strings
  std::vector<std::array<std::vector<PassBlock>, 2>> lanes_;               // of the passes of each of ranks_
  BubbleFinder finder_;
  std::vector<std::vector<Bubble>> bubbles_; // of each of ranks_
  std::vector<TransferPair> arrows_;
  const std::function<void(std::string_view)>& write_;
  Buffer out_;
  bool first_ = true;
};

} // namespace

void write_gantt_trace(const record::RunRecord& run, const GanttOptions& options,
                       const std::function<void(std::string_view)>& write) {
  Trace(run, options, write).write();
}

} // namespace moesim::analysis
