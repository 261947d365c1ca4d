#include "simulator/graph/program.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "simulator/base/check.hpp"

namespace moesim::graph {

std::string_view name_of(Dimension dimension) {
  constexpr std::array<std::string_view, dimension_count> names{"tp", "cp", "dp", "etp", "ep", "edp"};
  return names[static_cast<std::size_t>(dimension)];
}

Stream stream_of(Dimension dimension) {
  switch (dimension) {
  case Dimension::Tp:
    return Stream::Tp;
  case Dimension::Cp:
    return Stream::Cp;
  case Dimension::Etp:
  case Dimension::Ep:
    return Stream::Ep;
  case Dimension::Dp:
  case Dimension::Edp:
    break;
  }
  return Stream::Dp;
}

Queues own_queues() {
  Queues queues{};
  for (std::size_t stream = 0; stream < stream_count; ++stream)
    queues[stream] = static_cast<Stream>(stream);
  return queues;
}

std::size_t Program::queue_of(const Step& step) const {
  const Stream stream = stream_at(step.task, step.receives ? 1 : 0);
  return static_cast<std::size_t>(queues_[static_cast<std::size_t>(stream)]);
}

Program::StepIndex Program::add(Step step, std::span<const StepIndex> after) {
  const auto index = static_cast<StepIndex>(steps_.size());
  const std::size_t queue = queue_of(step);
  std::vector<StepIndex> candidates(after.begin(), after.end());
  if (issued_[queue] > 0)
    candidates.push_back(latest_[queue]);
  std::ranges::sort(candidates);
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  MOESIM_CHECK(candidates.empty() || candidates.back() < index, "a step waits only for earlier steps");

  step.first_dependency = static_cast<std::uint32_t>(dependencies_.size());
  Clock clock{};
  for (const StepIndex candidate : candidates) {
    const std::size_t on = queue_of(steps_[candidate]);
    const std::uint32_t position = clocks_[candidate][on];
    const bool implied = std::ranges::any_of(
        candidates, [&](StepIndex other) { return other != candidate && clocks_[other][on] >= position; });
    if (!implied)
      dependencies_.push_back(candidate);
    for (std::size_t at = 0; at < stream_count; ++at)
      clock[at] = std::max(clock[at], clocks_[candidate][at]);
  }
  step.dependency_count = static_cast<std::uint32_t>(dependencies_.size()) - step.first_dependency;
  clock[queue] = ++issued_[queue];
  latest_[queue] = index;
  clocks_.push_back(clock);
  steps_.push_back(step);
  return index;
}

namespace {

// Generates the graph, stage by stage. A task's index is the first index of its step plus the position of its rank, or
// of its rank's group, within the stage: nothing has to be looked up by hash.
class Expansion {
public:
  Expansion(const Programs& programs, const Membership& membership)
      : programs_(programs), membership_(membership), first_task_(programs.stages.size()),
        group_position_(programs.stages.size()), first_group_(programs.stages.size()) {}

  TaskGraph run() {
    parts_.folding = membership_.folding;
    parts_.rank_count = static_cast<std::uint32_t>(membership_.folding.size.size());
    parts_.works = programs_.works;
    parts_.names = programs_.names;
    place_groups();
    for (std::uint32_t stage = 0; stage < programs_.stages.size(); ++stage)
      add_tasks(stage);
    for (std::uint32_t stage = 0; stage < programs_.stages.size(); ++stage)
      match_receives(stage);
    for (std::uint32_t stage = 0; stage < programs_.stages.size(); ++stage)
      add_edges(stage);
    return TaskGraph(std::move(parts_));
  }

private:
  using Positions = std::array<std::vector<std::uint32_t>, dimension_count>;

  static constexpr std::uint32_t no_group = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] RankId representative(RankId rank) const { return membership_.folding.representative[rank.value()]; }
  [[nodiscard]] std::size_t ranks_in(std::uint32_t stage) const { return membership_.stages[stage].size(); }

  // Lists the groups of each stage and dimension one after the other, and for each rank of the stage which of them is
  // its own.
  void place_groups() {
    struct Place {
      std::uint32_t stage = 0;
      std::uint32_t position = 0;
    };
    std::vector<Place> places(parts_.rank_count);
    for (std::uint32_t stage = 0; stage < membership_.stages.size(); ++stage)
      for (std::uint32_t position = 0; position < ranks_in(stage); ++position)
        places[membership_.stages[stage][position].value()] = {stage, position};
    const auto place_of = [&](RankId rank) { return places[membership_.folding.class_of[rank.value()]]; };

    std::vector<std::array<std::vector<const std::vector<RankId>*>, dimension_count>> groups(membership_.stages.size());
    for (std::size_t dimension = 0; dimension < dimension_count; ++dimension)
      for (const std::vector<RankId>& group : membership_.groups[dimension])
        groups[place_of(group.front()).stage][dimension].push_back(&group);
    for (std::uint32_t stage = 0; stage < groups.size(); ++stage)
      for (std::size_t dimension = 0; dimension < dimension_count; ++dimension) {
        first_group_[stage][dimension] = static_cast<std::uint32_t>(parts_.groups.size());
        group_position_[stage][dimension].assign(ranks_in(stage), no_group);
        for (std::uint32_t at = 0; at < groups[stage][dimension].size(); ++at) {
          const std::vector<RankId>& group = *groups[stage][dimension][at];
          for (const RankId member : group) {
            MOESIM_CHECK(place_of(member).stage == stage, "a group lies within one stage");
            std::uint32_t& position = group_position_[stage][dimension][place_of(member).position];
            MOESIM_CHECK(position == no_group || position == at, "a rank is in one group of each dimension");
            position = at;
          }
          parts_.groups.push_back(group);
        }
      }
  }

  // The group index of the first of the ordered pairs (i-th rank of `stage`, i-th rank of `peer`).
  std::uint32_t pairs(std::uint32_t stage, std::uint32_t peer) {
    const auto [entry, is_new] =
        first_pair_.try_emplace({stage, peer}, static_cast<std::uint32_t>(parts_.groups.size()));
    if (is_new) {
      MOESIM_CHECK(ranks_in(stage) == ranks_in(peer), "stages that exchange activations have equally many ranks");
      for (std::size_t at = 0; at < ranks_in(stage); ++at)
        parts_.groups.push_back(
            {representative(membership_.stages[stage][at]), representative(membership_.stages[peer][at])});
    }
    return entry->second;
  }

  void add_tasks(std::uint32_t stage) {
    for (const Step& step : programs_.stages[stage].steps()) {
      first_task_[stage].push_back(static_cast<std::uint32_t>(parts_.tasks.size()));
      if (step.receives)
        continue;
      Task task = step.task;
      if (task.kind == Kind::Compute) {
        for (const RankId rank : membership_.stages[stage]) {
          task.place = rank.value();
          task.work = programs_.work_on(representative(rank), step);
          parts_.tasks.push_back(task);
        }
      } else {
        const auto [first, count] = places(stage, step);
        for (std::uint32_t at = 0; at < count; ++at) {
          task.place = first + at;
          if (step.family != no_family)
            task.work = work_of_group(task.place, step);
          parts_.tasks.push_back(task);
        }
      }
    }
  }

  // Groups in which the same is sent share a work.
  std::uint32_t work_of_group(std::uint32_t place, const Step& step) {
    const auto [known, is_new] = group_works_.try_emplace({place, step.family, programs_.spread_of(step)});
    if (!is_new)
      return known->second;
    const std::vector<RankId>& group = parts_.groups[place];
    Work work = work_in(group, step, programs_);
    std::pair<const TokenMatrix*, std::vector<std::uint32_t>> what(work.tokens.matrix.get(), {});
    for (const RankId rank : group)
      what.second.push_back(programs_.work_on(rank, step));
    const auto [same, is_first] =
        works_of_members_.try_emplace(std::move(what), static_cast<std::uint32_t>(parts_.works.size()));
    if (is_first)
      parts_.works.push_back(std::move(work));
    return known->second = same->second;
  }

  // The groups that a communication step runs in: the index of the first, and how many.
  std::pair<std::uint32_t, std::uint32_t> places(std::uint32_t stage, const Step& step) {
    if (step.task.kind == Kind::SendRecv)
      return {pairs(stage, step.peer_stage), static_cast<std::uint32_t>(ranks_in(stage))};
    const auto dimension = static_cast<std::size_t>(step.over);
    const std::vector<std::uint32_t>& positions = group_position_[stage][dimension];
    MOESIM_CHECK(std::ranges::count(positions, no_group) == 0, "every rank is in a group of the dimension");
    return {first_group_[stage][dimension], 1 + *std::ranges::max_element(positions)};
  }

  using TransferKey = std::tuple<std::uint32_t, std::uint32_t, Stream, std::int32_t, std::uint8_t, std::uint16_t>;
  static TransferKey key(std::uint32_t from, std::uint32_t to, const Task& task) {
    return {from, to, task.stream, task.micro_batch, task.chunk, task.name};
  }

  // Gives every receiving step of the stage the tasks of the sending step at the other end.
  void match_receives(std::uint32_t stage) {
    if (sends_.empty())
      list_sends();
    const std::vector<Step>& steps = programs_.stages[stage].steps();
    for (std::size_t index = 0; index < steps.size(); ++index) {
      if (!steps[index].receives)
        continue;
      const TransferKey transfer = key(steps[index].peer_stage, stage, steps[index].task);
      const auto send = sends_.find(transfer);
      const std::size_t received = received_[transfer]++;
      MOESIM_CHECK(send != sends_.end() && received < send->second.size(),
                   fmt::format("stage {} receives {} of micro-batch {} that stage {} never sends", stage,
                               programs_.names[steps[index].task.name], steps[index].task.micro_batch,
                               steps[index].peer_stage));
      first_task_[stage][index] = send->second[received];
    }
  }

  void list_sends() {
    for (std::uint32_t stage = 0; stage < programs_.stages.size(); ++stage) {
      const std::vector<Step>& steps = programs_.stages[stage].steps();
      for (std::size_t index = 0; index < steps.size(); ++index)
        if (steps[index].task.kind == Kind::SendRecv && !steps[index].receives)
          sends_[key(stage, steps[index].peer_stage, steps[index].task)].push_back(first_task_[stage][index]);
    }
  }

  // The task of `step` in which the rank at `position` of the stage takes part.
  [[nodiscard]] std::uint32_t task_of(std::uint32_t stage, std::uint32_t step, std::size_t position) const {
    const Step& of = programs_.stages[stage].steps()[step];
    const bool one_per_rank = of.task.kind == Kind::Compute || of.task.kind == Kind::SendRecv;
    const auto dimension = static_cast<std::size_t>(of.over);
    return first_task_[stage][step] +
           (one_per_rank ? static_cast<std::uint32_t>(position) : group_position_[stage][dimension][position]);
  }

  void add_edges(std::uint32_t stage) {
    const Program& program = programs_.stages[stage];
    for (std::uint32_t step = 0; step < program.steps().size(); ++step)
      for (const std::uint32_t dependency : program.dependencies(step))
        for (std::size_t position = 0; position < ranks_in(stage); ++position)
          parts_.edges.emplace_back(task_of(stage, dependency, position), task_of(stage, step, position));
  }

  const Programs& programs_;
  const Membership& membership_;
  TaskGraph::Parts parts_;
  std::vector<std::vector<std::uint32_t>> first_task_; // [stage][step]
  std::vector<Positions> group_position_;              // [stage][dimension][rank of the stage]
  std::vector<std::array<std::uint32_t, dimension_count>> first_group_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> first_pair_;
  std::map<TransferKey, std::vector<std::uint32_t>> sends_; // first tasks, in the order of the program
  std::map<TransferKey, std::size_t> received_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t>
      group_works_; // place, family, spread
  std::map<std::pair<const TokenMatrix*, std::vector<std::uint32_t>>, std::uint32_t> works_of_members_;
};

} // namespace

TaskGraph expand(const Programs& programs, const Membership& membership) {
  MOESIM_CHECK(programs.stages.size() == membership.stages.size(), "there is one program per stage");
  return Expansion(programs, membership).run();
}

} // namespace moesim::graph
