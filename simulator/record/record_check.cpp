#include "simulator/record/record_check.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace moesim::record {
namespace {

template <class First, class... Others>
bool same_length(const First& first, const Others&... others) {
  return ((first.size() == others.size()) && ...);
}

template <class T>
bool all_below(const std::vector<T>& indices, std::size_t count) {
  return std::all_of(indices.begin(), indices.end(), [count](T index) { return index < count; });
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

std::string defect_of(const RankTable& ranks) {
  if (!same_length(ranks.node, ranks.tp, ranks.cp, ranks.dp, ranks.pp, ranks.etp, ranks.ep, ranks.edp,
                   ranks.representative))
    return "ranks: columns differ in length";
  if (!all_below(ranks.representative, ranks.size()))
    return "ranks: a representative is not a rank";
  for (const std::uint32_t representative : ranks.representative)
    if (ranks.representative[representative] != representative)
      return "ranks: a representative does not represent itself";
  return {};
}

bool is_ordered(const TaskTable& tasks) {
  for (std::size_t row = 1; row < tasks.size(); ++row) {
    const auto key = [&](std::size_t i) { return std::tuple(tasks.rank[i], tasks.start[i], tasks.stream[i]); };
    if (key(row) < key(row - 1))
      return false;
  }
  return true;
}

std::string defect_of(const TaskTable& tasks, std::size_t ranks) {
  if (!same_length(tasks.start, tasks.end, tasks.rank, tasks.stream, tasks.kind, tasks.name, tasks.layer,
                   tasks.micro_batch, tasks.chunk, tasks.phase, tasks.task, tasks.bytes, tasks.flops))
    return "tasks: columns differ in length";
  if (!all_below(tasks.rank, ranks))
    return "tasks: a rank is not in the table of ranks";
  if (!all_below(tasks.stream, tasks.streams.size()) || !all_below(tasks.kind, tasks.kinds.size()) ||
      !all_below(tasks.name, tasks.names.size()) || !all_below(tasks.phase, tasks.phases.size()))
    return "tasks: an index has no word";
  if (!all_finite(tasks.start) || !all_finite(tasks.end) || !all_finite(tasks.bytes) || !all_finite(tasks.flops))
    return "tasks: a number is not finite";
  for (std::size_t row = 0; row < tasks.size(); ++row)
    if (tasks.start[row] < 0 || tasks.end[row] < tasks.start[row])
      return "tasks: a task starts before 0 or ends before it starts";
  return is_ordered(tasks) ? std::string() : "tasks: rows are not sorted by rank, start and stream";
}

std::string defect_of(const Dependencies& dependencies, const TaskTable& tasks) {
  const std::vector<std::uint32_t>& first = dependencies.first;
  if (tasks.size() == 0 && first.empty() && dependencies.before.empty())
    return {};
  if (first.empty() || first.front() != 0 || first.back() != dependencies.before.size() ||
      !std::is_sorted(first.begin(), first.end()))
    return "dependencies: the lists of the tasks do not follow each other";
  if (!all_below(tasks.task, first.size() - 1) || !all_below(dependencies.before, first.size() - 1))
    return "dependencies: a task has no list";
  return {};
}

std::string defect_of(const MemorySeries& memory, std::size_t ranks) {
  if (memory.categories.size() != memory.bytes.size() || !same_length(memory.time, memory.rank))
    return "memory: columns differ in length";
  for (const std::vector<double>& bytes : memory.bytes) {
    if (!same_length(memory.time, bytes))
      return "memory: columns differ in length";
    if (!all_finite(bytes))
      return "memory: a number is not finite";
  }
  if (!all_finite(memory.time))
    return "memory: a number is not finite";
  // Categories are datasets beside these two.
  for (const std::string& category : memory.categories)
    if (category.empty() || category == "time" || category == "rank" || category.find('/') != std::string::npos)
      return "memory: a category has an impossible name";
  if (!all_below(memory.rank, ranks))
    return "memory: a rank is not in the table of ranks";
  for (std::size_t row = 1; row < memory.time.size(); ++row)
    if (std::tuple(memory.rank[row], memory.time[row]) < std::tuple(memory.rank[row - 1], memory.time[row - 1]))
      return "memory: rows are not sorted by rank and time";
  return {};
}

std::string defect_of_series(const RunRecord& run) {
  const LinkLoad& links = run.links;
  if (!same_length(links.names, links.capacity) || links.bytes.size() != links.names.size() * links.bins)
    return "links: columns differ in length";
  if (!all_below(links.row_of_link, links.names.size()))
    return "links: a link has no row";
  if (!same_length(run.symmetry.attributes, run.symmetry.classes))
    return "symmetry: columns differ in length";
  if (!same_length(run.throughput.time, run.throughput.tokens_per_s))
    return "throughput: columns differ in length";
  if (!all_finite(run.throughput.time) || !all_finite(run.throughput.tokens_per_s))
    return "throughput: a number is not finite";
  const ExpertLoad& experts = run.experts;
  if (experts.tokens.size() != experts.layers.size() * experts.experts ||
      !same_length(experts.tokens, experts.dropped) || !same_length(experts.rank_layer, experts.rank_micro_batch) ||
      !same_length(experts.rank_layer, experts.rank_step) ||
      experts.rank_tokens.size() != experts.rank_layer.size() * experts.ranks)
    return "experts: columns differ in length";
  return {};
}

} // namespace

std::string first_defect(const RunRecord& run) {
  if (std::string defect = defect_of(run.ranks); !defect.empty())
    return defect;
  if (std::string defect = defect_of(run.tasks, run.ranks.size()); !defect.empty())
    return defect;
  if (std::string defect = defect_of(run.dependencies, run.tasks); !defect.empty())
    return defect;
  if (std::string defect = defect_of(run.memory, run.ranks.size()); !defect.empty())
    return defect;
  if (std::string defect = defect_of_series(run); !defect.empty())
    return defect;
  return std::isfinite(run.figures.makespan) ? std::string() : "run: makespan is not finite";
}

} // namespace moesim::record
