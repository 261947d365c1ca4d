#include "simulator/graph/task_graph.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <ranges>
#include <set>

#include <boost/graph/compressed_sparse_row_graph.hpp>

#include "simulator/base/check.hpp"

namespace moesim::graph {

std::string_view name_of(Stream stream) {
  constexpr std::array<std::string_view, stream_count> names{
      "compute", "tp", "cp", "ep", "dp", "pp-send-next", "pp-send-prev", "pp-recv-next", "pp-recv-prev"};
  return names[static_cast<std::size_t>(stream)];
}

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, kind_count> names{
      "compute",   "all-reduce",    "all-gather", "reduce-scatter", "all-to-all",
      "send-recv", "ring-exchange", "broadcast",  "dispatch",       "combine"};
  return names[static_cast<std::size_t>(kind)];
}

bool moves_tokens(Kind kind) {
  return kind == Kind::AllToAll || kind == Kind::Dispatch || kind == Kind::Combine;
}

std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, phase_count> names{"forward",   "backward",   "backward-weight", "gradients",
                                                            "optimizer", "parameters", "prefill",         "decode"};
  return names[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Memory memory) {
  constexpr std::array<std::string_view, memory_count> names{"weights",  "gradients",     "optimizer", "activations",
                                                             "kv-cache", "communication", "workspace"};
  return names[static_cast<std::size_t>(memory)];
}

Stream stream_at(const Task& task, std::size_t member) {
  if (task.kind != Kind::SendRecv || member == 0)
    return task.stream;
  return task.stream == Stream::PpSendNext ? Stream::PpRecvPrev : Stream::PpRecvNext;
}

struct TaskGraph::Csr {
  boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property, boost::no_property,
                                     std::uint32_t, std::uint32_t>
      graph;
};

namespace {

using Edge = std::pair<std::uint32_t, std::uint32_t>;

// Sorts the edges by source, then target, and drops repeated ones. Sources first by counting: there are millions.
std::vector<Edge> sorted_unique(std::size_t task_count, const std::vector<Edge>& edges) {
  std::vector<std::size_t> next(task_count + 1, 0);
  for (const Edge& edge : edges)
    ++next[edge.first + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<Edge> sorted(edges.size());
  for (const Edge& edge : edges)
    sorted[next[edge.first]++] = edge;
  // next[t] is now where the edges of task t end.
  auto kept = sorted.begin();
  auto first = sorted.begin();
  for (std::size_t task = 0; task < task_count; ++task) {
    const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(next[task]);
    std::sort(first, last);
    kept = std::unique_copy(first, last, kept);
    first = last;
  }
  sorted.erase(kept, sorted.end());
  return sorted;
}

void check_indices(const TaskGraph::Parts& parts) {
  MOESIM_CHECK(parts.folding.size.size() == parts.rank_count, "the graph has a rank for each class");
  const auto in_graph = [&](const Edge& edge) {
    return edge.first < parts.tasks.size() && edge.second < parts.tasks.size();
  };
  MOESIM_CHECK(std::ranges::all_of(parts.edges, in_graph), "an edge joins tasks of the graph");
  for (const Task& task : parts.tasks) {
    MOESIM_CHECK(task.work < parts.works.size() && task.name < parts.names.size(), "work and name exist");
    MOESIM_CHECK(task.place < (task.kind == Kind::Compute ? parts.rank_count : parts.groups.size()),
                 "the place exists");
    MOESIM_CHECK(task.kind != Kind::SendRecv || parts.groups[task.place].size() == 2, "a transfer has two ends");
  }
  for (const auto& group : parts.groups)
    for (const RankId rank : group)
      MOESIM_CHECK(rank.value() < parts.folding.class_of.size(), "a group's members are ranks of the job");
}

// The places in a group at which classes of ranks come first.
std::vector<std::uint32_t> first_places(const std::vector<RankId>& group, const Folding& folding) {
  std::vector<std::uint32_t> places;
  std::set<std::uint32_t> seen;
  for (std::uint32_t place = 0; place < group.size(); ++place)
    if (seen.insert(folding.class_of[group[place].value()]).second)
      places.push_back(place);
  return places;
}

} // namespace

TaskGraph::TaskGraph(Parts parts) {
  if (parts.folding.size.empty())
    parts.folding = unfolded(parts.rank_count);
  check_indices(parts);
  const std::vector<Edge> edges = sorted_unique(parts.tasks.size(), parts.edges);
  csr_ = std::make_shared<const Csr>(
      Csr{{boost::edges_are_sorted, edges.begin(), edges.end(), static_cast<std::uint32_t>(parts.tasks.size()),
           static_cast<std::uint32_t>(edges.size())}});
  row_starts_ = csr_->graph.m_forward.m_rowstart;
  targets_ = csr_->graph.m_forward.m_column;
  tasks_ = std::move(parts.tasks);
  groups_ = std::move(parts.groups);
  works_ = std::move(parts.works);
  names_ = std::move(parts.names);
  rank_count_ = parts.rank_count;
  folding_ = std::move(parts.folding);
  for (std::uint32_t rank = 0; rank < rank_count_; ++rank)
    ranks_.emplace_back(rank);
  if (folding_.class_of.size() > rank_count_)
    for (const std::vector<RankId>& group : groups_) {
      places_.push_back(first_places(group, folding_));
      std::vector<RankId>& members = members_.emplace_back();
      for (const std::uint32_t place : places_.back())
        members.emplace_back(folding_.class_of[group[place].value()]);
    }
  for (const Task& task : tasks_)
    row_count_ += members(task).size();
}

std::vector<std::uint32_t> TaskGraph::predecessor_counts() const {
  std::vector<std::uint32_t> counts(tasks_.size(), 0);
  for (const std::uint32_t target : targets_)
    ++counts[target];
  return counts;
}

std::span<const RankId> TaskGraph::members(const Task& task) const {
  if (task.kind == Kind::Compute)
    return {&ranks_[task.place], 1};
  return members_.empty() ? groups_[task.place] : members_[task.place];
}

std::span<const RankId> TaskGraph::ranks(const Task& task) const {
  if (task.kind == Kind::Compute)
    return {&folding_.representative[task.place], 1};
  return groups_[task.place];
}

MemberUse TaskGraph::use_of(const Task& task, std::size_t member) const {
  const Work& of = work(task);
  if (of.members.empty())
    return {of.bytes, of.allocated, of.freed};
  return of.members[places_.empty() ? member : places_[task.place][member]];
}

std::size_t TaskGraph::memory_footprint() const {
  std::size_t bytes = tasks_.size() * sizeof(Task) + row_starts_.size_bytes() + targets_.size_bytes();
  bytes += ranks_.size() * sizeof(RankId);
  for (const auto* groups : {&groups_, &members_})
    for (const auto& group : *groups)
      bytes += sizeof(group) + group.size() * sizeof(RankId);
  for (const Work& work : works_)
    bytes += sizeof(work) + work.operators.size() * sizeof(Operator) + work.members.size() * sizeof(MemberUse);
  for (const std::string& name : names_)
    bytes += sizeof(name) + name.size();
  return bytes;
}

} // namespace moesim::graph
