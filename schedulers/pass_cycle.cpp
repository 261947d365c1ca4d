#include "schedulers/pass_cycle.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "schedulers/pass_table.hpp"

namespace moesim::schedulers {
namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

// Passes of a stage that run together, most often one.
struct Group {
  std::size_t stage = 0;
  std::span<const PipelinePass> passes;
};

// All groups, stage by stage in the order in which they run: those of a stage stand side by side.
std::vector<Group> groups_of(const PipelineOrder& order) {
  std::vector<Group> groups;
  for (std::size_t stage = 0; stage < order.size(); ++stage) {
    const std::span<const PipelinePass> passes = order[stage];
    for (std::size_t first = 0, last = 0; first < passes.size(); first = last) {
      last = end_together(passes, first);
      groups.push_back({stage, passes.subspan(first, last - first)});
    }
  }
  return groups;
}

std::int64_t count_micro_batches(const PipelineOrder& order) {
  std::int64_t count = 0;
  for (const std::vector<PipelinePass>& passes : order)
    for (const PipelinePass& pass : passes)
      count = std::max<std::int64_t>(count, pass.micro_batch + 1);
  return count;
}

// For each group, the groups that it waits for.
class Waits {
public:
  Waits(const std::vector<Group>& groups, const Chunks& chunks, std::int64_t micro_batches, Posting posting)
      : groups_(groups), chunks_(chunks), posting_(posting), group_of_(chunks, micro_batches, none),
        waits_for_(groups.size()) {
    for (std::size_t group = 0; group < groups.size(); ++group)
      for (const PipelinePass& pass : groups[group].passes)
        group_of_.set(place(group, pass), pass, group);
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (previous(group) != none)
        wait(group, previous(group));
      for (const PipelinePass& pass : groups[group].passes)
        connect(group, pass);
    }
  }

  [[nodiscard]] const std::vector<std::vector<std::size_t>>& all() const { return waits_for_; }

private:
  [[nodiscard]] ChunkPlace place(std::size_t group, const PipelinePass& pass) const {
    return {static_cast<std::int64_t>(groups_[group].stage), pass.chunk};
  }

  [[nodiscard]] std::size_t previous(std::size_t group) const {
    return group > 0 && groups_[group - 1].stage == groups_[group].stage ? group - 1 : none;
  }

  void connect(std::size_t group, const PipelinePass& pass) {
    const ChunkPlace at = place(group, pass);
    if (pass.kind == PassKind::Forward) {
      if (const std::optional<ChunkPlace> from = chunks_.before(at))
        receive(group, group_of_.forward(*from, pass.micro_batch));
    } else if (pass.kind == PassKind::BackwardWeight) {
      wait(group, group_of_.backward(at, pass.micro_batch));
    } else {
      wait(group, group_of_.forward(at, pass.micro_batch));
      if (const std::optional<ChunkPlace> from = chunks_.after(at))
        receive(group, group_of_.backward(*from, pass.micro_batch));
    }
  }

  void receive(std::size_t group, std::size_t sender) {
    wait(group, sender);
    if (posting_ == Posting::Eager || sender == none || groups_[sender].stage == groups_[group].stage)
      return;
    const std::size_t next_of_sender = sender + 1;
    if (next_of_sender < groups_.size() && previous(next_of_sender) == sender && previous(group) != none)
      wait(next_of_sender, previous(group));
  }

  void wait(std::size_t group, std::size_t other) {
    if (other != none) // the group itself, where a pass needs one that it should run together with
      waits_for_[group].push_back(other);
  }

  const std::vector<Group>& groups_;
  const Chunks& chunks_;
  Posting posting_;
  PassTable<std::size_t> group_of_;
  std::vector<std::vector<std::size_t>> waits_for_;
};

// Searches depth first for a group that waits for one on the path that led to it; returns that circle.
std::vector<std::size_t> circle(const std::vector<std::vector<std::size_t>>& waits_for) {
  enum class State : std::uint8_t { New, OnPath, OnNoCircle };
  std::vector<State> state(waits_for.size(), State::New);
  std::vector<std::size_t> next(waits_for.size(), 0); // of the groups that each waits for: the one to look at next
  std::vector<std::size_t> path;
  const auto enter = [&](std::size_t group) {
    state[group] = State::OnPath;
    path.push_back(group);
  };
  for (std::size_t root = 0; root < waits_for.size(); ++root) {
    if (state[root] == State::New)
      enter(root);
    while (!path.empty()) {
      const std::size_t group = path.back();
      if (next[group] == waits_for[group].size()) {
        state[group] = State::OnNoCircle;
        path.pop_back();
        continue;
      }
      const std::size_t other = waits_for[group][next[group]++];
      if (state[other] == State::OnPath)
        return {std::ranges::find(path, other), path.end()};
      if (state[other] == State::New)
        enter(other);
    }
  }
  return {};
}

} // namespace

std::vector<StagePass> cycle(const PipelineOrder& order, const Chunks& chunks, Posting posting) {
  const std::vector<Group> groups = groups_of(order);
  const Waits waits(groups, chunks, count_micro_batches(order), posting);
  std::vector<StagePass> passes;
  for (const std::size_t group : circle(waits.all()))
    for (const PipelinePass& pass : groups[group].passes)
      passes.push_back({static_cast<std::int64_t>(groups[group].stage), pass});
  return passes;
}

std::string describe(const std::vector<StagePass>& circle, const Chunks& chunks) {
  std::string text;
  std::string first;
  std::string together; // the passes so far of those that run together
  for (const auto& [stage, pass] : circle) {
    together += together.empty() ? fmt::format("stage {} ", stage) : "&";
    together += describe(pass, chunks.chunks > 1);
    if (pass.with_next)
      continue;
    first = first.empty() ? together : first;
    text += together + " for ";
    together.clear();
  }
  return "passes wait for each other in a circle: " + text + first;
}

} // namespace moesim::schedulers
