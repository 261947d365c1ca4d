#include "simulator/run/series.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <tuple>
#include <vector>

namespace moesim::run {
namespace {

using graph::Memory;
using graph::MemoryUse;

// What is given back at a time.
struct Return {
  double time;
  std::uint32_t task;
  friend bool operator>(const Return& a, const Return& b) {
    return std::tie(a.time, a.task) > std::tie(b.time, b.task);
  }
};

// Writes one rank's series. A row holds from its time to that of the next one; what lasts no longer than a task has no
// rows of its own, but is in that of the time it falls in, at the fullest moment.
class RankReplay {
public:
  RankReplay(record::MemorySeries& series, std::uint32_t rank, const MemoryUse& at_rest)
      : series_(series), rank_(rank), held_(at_rest), fullest_(at_rest) {}

  // Times do not decrease.
  void take(double time, const MemoryUse& use) {
    change(time, use, [this](const MemoryUse& by) { held_ += by; });
  }
  void give_back(double time, const MemoryUse& use) {
    change(time, use, [this](const MemoryUse& by) { held_ -= by; });
  }

  void finish() { write_row(); }

private:
  template <class Apply>
  void change(double time, const MemoryUse& use, Apply apply) {
    if (use.lasts() && time > since_) {
      write_row();
      since_ = time;
      apply(use);
      fullest_ = held_;
      return;
    }
    apply(use);
    if (held_.total() > fullest_.total() || use.lasts())
      fullest_ = held_;
  }

  void write_row() {
    series_.time.push_back(since_);
    series_.rank.push_back(rank_);
    for (std::size_t category = 0; category < graph::memory_count; ++category)
      series_.bytes[category].push_back(fullest_[static_cast<Memory>(category)].value());
  }

  record::MemorySeries& series_;
  std::uint32_t rank_;
  MemoryUse held_;
  MemoryUse fullest_; // moment since the last row
  double since_ = 0;
};

// A transfer takes memory where it arrives.
bool takes_memory(const record::TaskTable& table, std::size_t row, const graph::Task& task) {
  const auto stream = static_cast<graph::Stream>(table.stream[row]);
  return task.kind != graph::Kind::SendRecv || stream == graph::Stream::PpRecvNext ||
         stream == graph::Stream::PpRecvPrev;
}

// What a rank of the graph takes and gives back for a task.
graph::MemberUse use_on(RankId rank, const graph::Task& task, const graph::TaskGraph& graph) {
  const auto members = graph.members(task);
  return graph.use_of(task, static_cast<std::size_t>(std::ranges::find(members, rank) - members.begin()));
}

} // namespace

record::MemorySeries replay_memory(const record::TaskTable& table, const graph::TaskGraph& graph,
                                   const std::vector<workloads::StageMemory>& stages, const workloads::Layout& layout) {
  record::MemorySeries series;
  for (std::size_t category = 0; category < graph::memory_count; ++category)
    series.categories.emplace_back(name_of(static_cast<Memory>(category)));
  series.bytes.resize(series.categories.size());
  std::size_t row = 0;
  for (const RankId rank : graph.folding().representative) {
    const RankId rank_class(graph.folding().class_of[rank.value()]);
    const auto stage = static_cast<std::size_t>(layout.coordinates(rank).pp);
    RankReplay replay(series, rank.value(), stages[stage].at_rest);
    std::priority_queue<Return, std::vector<Return>, std::greater<>> returns;
    const auto give_back_until = [&](double time) {
      for (; !returns.empty() && returns.top().time <= time; returns.pop())
        replay.give_back(returns.top().time, use_on(rank_class, graph.task(TaskId(returns.top().task)), graph).freed);
    };
    for (; row < table.size() && table.rank[row] == rank.value(); ++row) {
      const std::uint32_t index = table.task[row];
      const graph::Task& task = graph.task(TaskId(index));
      const graph::MemberUse use = use_on(rank_class, task, graph);
      if ((use.allocated.empty() && use.freed.empty()) || !takes_memory(table, row, task))
        continue;
      give_back_until(table.start[row]);
      replay.take(table.start[row], use.allocated);
      returns.push({table.end[row], index});
    }
    give_back_until(std::numeric_limits<double>::infinity());
    replay.finish();
  }
  return series;
}

RateCounter::RateCounter(Seconds makespan) {
  constexpr std::size_t slices = 100;
  width_ = makespan.value() / slices;
  rates_.tokens_per_s.assign(slices, 0);
  for (std::size_t slice = 0; slice < slices; ++slice)
    rates_.time.push_back(width_ * static_cast<double>(slice + 1));
}

void RateCounter::count(double time, double tokens) {
  const std::size_t slice = std::min(rates_.time.size() - 1, static_cast<std::size_t>(time / width_));
  rates_.tokens_per_s[slice] += tokens / width_;
}

namespace {

// How many replicas of the data each simulated rank of a stage speaks for: one rank of each does.
std::vector<std::uint32_t> replicas_of(std::int64_t stage, const workloads::Layout& layout,
                                       const graph::Folding& folding) {
  std::vector<std::uint32_t> replicas(folding.size.size(), 0);
  for (std::uint32_t position = 0; position < layout.position_count(); ++position) {
    const RankId rank = layout.rank_of(stage, position);
    const workloads::Coordinates at = layout.coordinates(rank);
    if (at.tp == 0 && at.cp == 0)
      ++replicas[folding.class_of[rank.value()]];
  }
  return replicas;
}

// When the backward (of the input) of each micro-batch ends in a chunk, over the rows of a rank from `row` on; less
// than 0: it does not run there.
std::vector<double> backward_ends(const record::TaskTable& table, std::size_t row, std::int64_t chunk,
                                  std::size_t micro_batches) {
  std::vector<double> ends(micro_batches, -1);
  const std::uint32_t rank = table.rank[row];
  for (; row < table.size() && table.rank[row] == rank; ++row)
    if (table.kind[row] == static_cast<std::uint8_t>(graph::Kind::Compute) && table.chunk[row] == chunk &&
        table.phase[row] == static_cast<std::uint8_t>(graph::Phase::Backward))
      ends[static_cast<std::size_t>(table.micro_batch[row])] = table.end[row];
  return ends;
}

} // namespace

record::Throughput throughput(const record::TaskTable& table, const workloads::TrainingJob& job,
                              const workloads::Layout& layout, const graph::Folding& folding, Seconds makespan) {
  const auto micro_batches = static_cast<std::size_t>(job.training.micro_batches(job.sizes));
  const double tokens = static_cast<double>(job.training.micro_batch_size * job.training.seq_length);
  const schedulers::Chunks chunks = job.chunks();
  RateCounter rate(makespan);
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage)
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk) {
      if (chunks.virtual_stage({stage, chunk}) != 0)
        continue;
      const std::vector<std::uint32_t> replicas = replicas_of(stage, layout, folding);
      for (std::size_t rank = 0; rank < replicas.size(); ++rank) {
        if (replicas[rank] == 0)
          continue;
        const auto first = std::ranges::lower_bound(table.rank, folding.representative[rank].value());
        const auto row = static_cast<std::size_t>(first - table.rank.begin());
        for (const double end : backward_ends(table, row, chunk, micro_batches))
          if (end >= 0)
            rate.count(end, tokens * replicas[rank]);
      }
    }
  return rate.result();
}

} // namespace moesim::run
