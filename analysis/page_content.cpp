// Gathers the data of the interactive page: see page_content() in gantt_page.hpp.
#include "analysis/gantt_page.hpp"

#include "analysis/bubbles.hpp"
#include "analysis/page_columns.hpp"
#include "analysis/page_rows.hpp"
#include "analysis/palette.hpp"
#include "analysis/summary.hpp"
#include "analysis/time_budget.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

using nlohmann::json;
using Numbers = std::vector<std::int64_t>;

// The page tells apart the kinds of passes, then the activities besides computing.
constexpr std::size_t first_activity = static_cast<std::size_t>(Activity::Tp);
constexpr std::size_t category_count = block_kind_count + busy_activity_count + 1 - first_activity;

std::size_t category_of(BlockKind kind) {
  return static_cast<std::size_t>(kind);
}
// A rank that computes is drawn grey in the strip: which pass it computes is told by the block above.
std::int64_t category_of(Activity activity) {
  if (activity < Activity::Tp)
    return activity == Activity::Compute ? -1 : static_cast<std::int64_t>(category_of(BlockKind::Optimizer));
  return static_cast<std::int64_t>(block_kind_count + static_cast<std::size_t>(activity) - first_activity);
}

// Of computing in each phase.
std::vector<std::size_t> categories_of_phases(const record::TaskTable& tasks) {
  std::vector<std::size_t> categories;
  for (const std::string& phase : tasks.phases) {
    std::size_t kind = 0;
    while (kind + 1 < block_kind_count && name_of(static_cast<BlockKind>(kind)) != phase)
      ++kind;
    categories.push_back(kind);
  }
  return categories;
}

json categories() {
  json list = json::array();
  for (std::size_t kind = 0; kind < block_kind_count; ++kind)
    list.push_back({{"label", name_of(static_cast<BlockKind>(kind))},
                    {"letter", std::string(1, letter_of(static_cast<BlockKind>(kind)))},
                    {"colour", fmt::format("#{:06X}", colour_of(static_cast<BlockKind>(kind)))}});
  for (std::size_t i = first_activity; i <= busy_activity_count; ++i)
    list.push_back({{"label", activity_labels[i]}, {"colour", activity_colours[i]}});
  return list;
}

// Nanoseconds: the page's unit of time.
std::int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

std::int64_t length(double start, double end) {
  return nanoseconds(end) - nanoseconds(start);
}

// Amounts need no more digits than people read.
std::int64_t float_bits(double value) {
  return std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

class Content {
public:
  Content(const record::RunRecord& run, const GanttOptions& options)
      : run_(run), options_(options), bubbles_(run), lanes_(shown_ranks(run, options.ranks)),
        rows_(page_rows(run, TaskChains(run), lanes_, options)) {}

  PageContent gather() {
    add_rows();
    add_dependencies();
    add_passes();
    add_stretches();
    add_bubbles();
    add_memory();
    return {header().dump(-1, ' ', false, json::error_handler_t::replace), columns_.bytes()};
  }

private:
  template <class Number> // of a row of the record
  void add_row_column(const char* name, Coding coding, Number number) {
    Numbers numbers(rows_.rows.size());
    std::transform(rows_.rows.begin(), rows_.rows.end(), numbers.begin(),
                   [&](std::size_t row) { return static_cast<std::int64_t>(number(row)); });
    columns_.add(name, numbers, coding);
  }

  void add_rows() {
    const record::TaskTable& tasks = run_.tasks;
    const RowMeanings meanings(tasks);
    const std::vector<std::size_t> of_phase = categories_of_phases(tasks);
    const auto start = [&](std::size_t row) { return nanoseconds(tasks.start[row]); };
    add_row_column("start", Coding::Differences, start);
    add_row_column("duration", Coding::Values,
                   [&](std::size_t row) { return nanoseconds(tasks.end[row]) - start(row); });
    add_row_column("rank", Coding::Differences, [&](std::size_t row) { return tasks.rank[row]; });
    add_row_column("task", Coding::Differences, [&](std::size_t row) { return rows_.place_of(tasks.task[row]); });
    add_row_column("stream", Coding::Values, [&](std::size_t row) { return tasks.stream[row]; });
    add_row_column("kind", Coding::Values, [&](std::size_t row) { return tasks.kind[row]; });
    add_row_column("name", Coding::Values, [&](std::size_t row) { return tasks.name[row]; });
    add_row_column("phase", Coding::Values, [&](std::size_t row) { return tasks.phase[row]; });
    add_row_column("layer", Coding::Values, [&](std::size_t row) { return tasks.layer[row]; });
    add_row_column("micro_batch", Coding::Values, [&](std::size_t row) { return tasks.micro_batch[row]; });
    add_row_column("chunk", Coding::Values, [&](std::size_t row) { return tasks.chunk[row]; });
    add_row_column("bytes", Coding::Values, [&](std::size_t row) { return float_bits(tasks.bytes[row]); });
    add_row_column("flops", Coding::Values, [&](std::size_t row) { return float_bits(tasks.flops[row]); });
    add_row_column("category", Coding::Values, [&](std::size_t row) {
      return meanings.is_compute(row) ? static_cast<std::int64_t>(of_phase[tasks.phase[row]])
                                      : category_of(meanings.activity(row));
    });
  }

  void add_dependencies() {
    const record::Dependencies& list = rows_.dependencies;
    Numbers count;
    Numbers distance; // from a task back to what it waits for: small numbers
    for (std::uint32_t task = 0; task < rows_.tasks.size(); ++task) {
      count.push_back(static_cast<std::int64_t>(list.of(task).size()));
      for (const std::uint32_t before : list.of(task))
        distance.push_back(static_cast<std::int64_t>(task) - before);
    }
    columns_.add("before_count", count, Coding::Values);
    columns_.add("before_distance", distance, Coding::Values);
    columns_.add("before_unlisted", Numbers(rows_.unlisted.begin(), rows_.unlisted.end()), Coding::Values);
  }

  void add_passes() {
    PageTable<6> table({"pass_rank", "pass_start", "pass_duration", "pass_category", "pass_micro_batch", "pass_chunk"});
    for (const std::uint32_t rank : rows_.ranks)
      for (const PassBlock& block : pass_blocks(run_, rank))
        if (is_shown(block.start, block.end, options_))
          table.add({rank, nanoseconds(block.start), length(block.start, block.end),
                     static_cast<std::int64_t>(category_of(block.kind)), block.micro_batch, block.chunk});
    table.write(columns_);
  }

  // What each rank is seen doing.
  void add_stretches() {
    PageTable<4> table({"stretch_rank", "stretch_start", "stretch_duration", "stretch_category"});
    for (const std::uint32_t rank : rows_.ranks)
      for (const Stretch& stretch : stretches(run_, rank))
        if (stretch.activity != Activity::Idle && is_shown(stretch.start, stretch.end, options_))
          table.add(
              {rank, nanoseconds(stretch.start), length(stretch.start, stretch.end), category_of(stretch.activity)});
    table.write(columns_);
  }

  void add_bubbles() {
    PageTable<5> table({"bubble_rank", "bubble_start", "bubble_duration", "bubble_label", "bubble_row"});
    const std::vector<std::vector<Bubble>> of_ranks = bubbles_.bubbles(rows_.ranks);
    for (std::size_t at = 0; at < rows_.ranks.size(); ++at)
      for (const Bubble& bubble : of_ranks[at])
        if (is_shown(bubble.start, bubble.end, options_))
          table.add({rows_.ranks[at], nanoseconds(bubble.start), length(bubble.start, bubble.end),
                     number_of(bubbles_.label(rows_.ranks[at], bubble)), page_row(bubble)});
    table.write(columns_);
  }

  std::int64_t number_of(const std::string& label) {
    const auto number = static_cast<std::int64_t>(labels_.size());
    const auto [found, is_new] = label_numbers_.try_emplace(label, number);
    if (is_new)
      labels_.push_back(label);
    return found->second;
  }

  // The place in the page of what ends a bubble, or else of what it was for; -1 when neither is shown.
  [[nodiscard]] std::int64_t page_row(const Bubble& bubble) const {
    const auto end = rows_.rows.begin() + static_cast<std::ptrdiff_t>(rows_.shown);
    for (const std::uint32_t row : {bubble.waiter, bubble.blocker})
      if (const auto found = std::lower_bound(rows_.rows.begin(), end, row); found != end && *found == row)
        return found - rows_.rows.begin();
    return -1;
  }

  // The changes in the time that is shown, and the one that holds when it begins.
  [[nodiscard]] std::vector<std::size_t> memory_rows() const {
    const record::MemorySeries& memory = run_.memory;
    std::vector<std::size_t> rows;
    for (const std::uint32_t rank : rows_.ranks) {
      const auto [first, last] = std::equal_range(memory.rank.begin(), memory.rank.end(), rank);
      for (auto at = first; at != last; ++at) {
        const auto row = static_cast<std::size_t>(at - memory.rank.begin());
        const bool holds_later = at + 1 == last || memory.time[row + 1] > options_.from;
        if (memory.time[row] <= options_.to && holds_later)
          rows.push_back(row);
      }
    }
    return rows;
  }

  // Bytes are whole; a schedule by itself holds shares of micro-batches.
  [[nodiscard]] double whole_amounts() const { return options_.unit == TimeUnit::Second ? 1 : 1000; }

  void add_memory() {
    const std::vector<std::size_t> rows = memory_rows();
    const auto column = [&](std::string name, auto number) {
      Numbers numbers(rows.size());
      std::transform(rows.begin(), rows.end(), numbers.begin(), number);
      columns_.add(std::move(name), numbers, Coding::Differences);
    };
    const record::MemorySeries& memory = run_.memory;
    column("memory_rank", [&](std::size_t row) { return memory.rank[row]; });
    column("memory_time", [&](std::size_t row) { return nanoseconds(memory.time[row]); });
    for (std::size_t i = 0; i < memory.categories.size(); ++i)
      column(fmt::format("memory_{}", i),
             [&](std::size_t row) { return std::llround(memory.bytes[i][row] * whole_amounts()); });
  }

  [[nodiscard]] json lanes() const {
    json list = json::array();
    for (const std::uint32_t rank : lanes_)
      list.push_back({{"rank", rank},
                      {"representative", run_.ranks.representative[rank]},
                      {"stage", run_.ranks.pp[rank]},
                      {"node", run_.ranks.node[rank]},
                      {"coordinates", coordinates(run_.ranks, rank)}});
    return list;
  }

  [[nodiscard]] json figures() const {
    const Summary summary = summarize(run_);
    return {{"iteration_time_s", summary.iteration_time_s},
            {"tokens_per_s", summary.tokens_per_s},
            {"bubble_fraction", summary.bubble_fraction},
            {"exposed_communication_fraction", summary.exposed_communication_fraction},
            {"mfu", summary.mfu},
            {"world_size", summary.world_size},
            {"memory_capacity_bytes", summary.memory_capacity_bytes}};
  }

  // Nanoseconds that an average rank of each stage, and of all, idles, by cause; causes that nobody has are left out.
  [[nodiscard]] json bubble_causes() const {
    const TimeBudgets budgets = time_budgets(run_);
    json list = json::array();
    for (std::size_t i = 0; i < bubble_cause_count; ++i) {
      const auto cause = static_cast<BubbleCause>(i);
      json stages = json::array();
      for (const TimeBudget& stage : budgets.stages)
        stages.push_back(nanoseconds(stage.bubble(cause)));
      if (budgets.mean.bubble(cause) > 0)
        list.push_back(
            {{"label", name_of(cause)}, {"stages", stages}, {"mean", nanoseconds(budgets.mean.bubble(cause))}});
    }
    return list;
  }

  [[nodiscard]] json header() const {
    const double makespan = run_.figures.makespan;
    json columns = json::array();
    for (const PageColumn& column : columns_.columns())
      columns.push_back({{"name", column.name},
                         {"count", column.count},
                         {"width", column.width},
                         {"differences", column.coding == Coding::Differences}});
    return {{"name", run_.figures.name},
            {"figures", figures()},
            {"unit", options_.unit == TimeUnit::Second ? "s" : "units"},
            {"makespan", nanoseconds(makespan)},
            {"from", nanoseconds(std::min(options_.from, makespan))},
            {"to", nanoseconds(std::min(options_.to, makespan))},
            {"streams", run_.tasks.streams},
            {"kinds", run_.tasks.kinds},
            {"names", run_.tasks.names},
            {"phases", run_.tasks.phases},
            {"categories", categories()},
            {"passes", block_kind_count},
            {"idle", category_count - 1},
            {"bubbles", labels_},
            {"bubble_causes", bubble_causes()},
            {"stages", run_.ranks.pp},
            {"lanes", lanes()},
            {"shown_rows", rows_.shown},
            {"memory", run_.memory.categories},
            {"throughput", {{"time", run_.throughput.time}, {"tokens_per_s", run_.throughput.tokens_per_s}}},
            {"columns", columns}};
  }

  const record::RunRecord& run_;
  const GanttOptions& options_;
  BubbleFinder bubbles_;
  std::vector<std::uint32_t> lanes_; // ranks
  PageRows rows_;
  PageColumns columns_;
  std::vector<std::string> labels_; // of bubbles
  std::map<std::string, std::int64_t> label_numbers_;
};

} // namespace

PageContent page_content(const record::RunRecord& run, const GanttOptions& options) {
  return Content(run, options).gather();
}

} // namespace moesim::analysis
