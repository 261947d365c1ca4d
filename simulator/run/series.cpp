#include "simulator/run/series.hpp"

#include <algorithm>
#include <array>

namespace moesim::run {
namespace {

constexpr std::size_t activations = 3; // index of the only category that changes during the run

// Writes one rank's series.
class RankReplay {
public:
  RankReplay(record::MemorySeries& series, std::uint32_t rank, const workloads::StageMemory& at_rest)
      : series_(series),
        rank_(rank), held_{at_rest.weights.value(), at_rest.gradients.value(), at_rest.optimizer.value(), 0} {
    row(0);
  }

  void change(double time, double bytes) {
    if (bytes == 0)
      return;
    held_[activations] += bytes;
    row(time);
  }

private:
  void row(double time) {
    series_.time.push_back(time);
    series_.rank.push_back(rank_);
    for (std::size_t category = 0; category < held_.size(); ++category)
      series_.bytes[category].push_back(held_[category]);
  }

  record::MemorySeries& series_;
  std::uint32_t rank_;
  std::array<double, 4> held_;
};

} // namespace

record::MemorySeries replay_memory(const Timeline& timeline, const graph::TaskGraph& graph,
                                   const workloads::TrainingJob& job, const workloads::Layout& layout) {
  const record::TaskTable& table = timeline.table;
  record::MemorySeries series;
  series.categories = {"weights", "gradients", "optimizer", "activations"};
  series.bytes.resize(series.categories.size());
  const std::vector<workloads::StageMemory> at_rest = workloads::stage_memories(job);
  std::size_t row = 0;
  for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank) {
    const auto stage = static_cast<std::size_t>(layout.coordinates(RankId(rank)).pp);
    RankReplay replay(series, rank, at_rest[stage]);
    // Only compute takes and gives back activations, and a rank's compute rows follow each other: they are in order.
    for (; row < table.size() && table.rank[row] == rank; ++row) {
      const graph::Task& task = graph.task(TaskId(timeline.task_of_row[row]));
      if (task.kind != graph::Kind::Compute)
        continue;
      replay.change(table.start[row], graph.work(task).allocated.value());
      replay.change(table.end[row], -graph.work(task).freed.value());
    }
  }
  return series;
}

record::Throughput throughput(const record::TaskTable& table, const workloads::TrainingJob& job,
                              const workloads::Layout& layout, Seconds makespan) {
  constexpr std::size_t slices = 100;
  const auto micro_batches = static_cast<std::size_t>(job.training.micro_batches(job.sizes));
  const double tokens = static_cast<double>(job.training.micro_batch_size * job.training.seq_length);
  const double width = makespan.value() / slices;
  record::Throughput result;
  result.tokens_per_s.assign(slices, 0);
  for (std::size_t slice = 0; slice < slices; ++slice)
    result.time.push_back(width * static_cast<double>(slice + 1));
  std::size_t row = 0;
  for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank) {
    const workloads::Coordinates at = layout.coordinates(RankId(rank));
    const bool counts = at.pp == 0 && at.tp == 0 && at.cp == 0; // one rank speaks for each replica of the data
    std::vector<double> backward_end(counts ? micro_batches : 0, 0);
    for (; row < table.size() && table.rank[row] == rank; ++row) {
      const bool is_backward = table.kind[row] == static_cast<std::uint8_t>(graph::Kind::Compute) &&
                               table.phase[row] == static_cast<std::uint8_t>(graph::Phase::Backward);
      if (counts && is_backward)
        backward_end[static_cast<std::size_t>(table.micro_batch[row])] = table.end[row];
    }
    for (const double end : backward_end)
      result.tokens_per_s[std::min(slices - 1, static_cast<std::size_t>(end / width))] += tokens / width;
  }
  return result;
}

} // namespace moesim::run
