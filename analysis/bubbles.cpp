#include "analysis/bubbles.hpp"

#include <ranges>
#include <span>

namespace moesim::analysis {
namespace {

// What is less, as a share of a wait, is the same sum in another order.
constexpr double nothing = 1e-9;

// An interval in which the rank idles, and the tasks of the chain at its end.
struct Wait {
  double start = 0;
  double end = 0;
  std::uint32_t blocker = TaskChains::none;
  std::uint32_t waiter = TaskChains::none;
};

// Idle time that would not have been, until a moment or of some waits.
struct Saving {
  double until = 0;     // s
  double of_stages = 0; // s: if no stage were slower
  double of_ranks = 0;  // s: if no rank were slower than its stage
};

class RankBubbles {
public:
  // `losses` are those of the rank's stage.
  RankBubbles(const BubbleEvidence& evidence, ChainLosses& losses, std::uint32_t rank)
      : run_(evidence.run), evidence_(evidence), chains_(evidence.chains), losses_(losses),
        rank_(run_.ranks.representative[rank]), stage_(run_.ranks.pp[rank]), rows_(rows_of(run_, rank)) {
    for (std::size_t row = rows_.first; row < rows_.last; ++row) {
      if (evidence.meanings.is_compute(row))
        compute_rows_.push_back(static_cast<std::uint32_t>(row));
      if (evidence.meanings.is_pass(row)) {
        first_pass_start_ = std::min(first_pass_start_, run_.tasks.start[row]);
        last_pass_end_ = std::max(last_pass_end_, run_.tasks.end[row]);
      }
    }
  }

  std::vector<Bubble> find() {
    std::vector<Wait> waits;
    visit_activities(run_, rows_, evidence_.meanings, [&](double begin, double end, Activity activity) {
      if (activity == Activity::Idle)
        waits.push_back({begin, end});
    });
    for (auto first = waits.begin(); first != waits.end();) {
      const std::uint32_t next = row_after(first->end);
      const auto last = std::find_if(first, waits.end(), [&](const Wait& wait) { return row_after(wait.end) != next; });
      explain({first, last}, next);
      first = last;
    }
    return std::move(bubbles_);
  }

private:
  // The compute task that starts next, at `time` or later; after the last one, whatever starts next.
  [[nodiscard]] std::uint32_t row_after(double time) const {
    const auto starts_before = [&](std::uint32_t row, double start) { return run_.tasks.start[row] < start; };
    const auto compute = std::lower_bound(compute_rows_.begin(), compute_rows_.end(), time, starts_before);
    if (compute != compute_rows_.end())
      return *compute;
    const auto rows = std::views::iota(static_cast<std::uint32_t>(rows_.first), static_cast<std::uint32_t>(rows_.last));
    const auto any = std::lower_bound(rows.begin(), rows.end(), time, starts_before);
    return any != rows.end() ? *any : Bubble::no_row;
  }

  // All waits before the same task, which one chain covers.
  void explain(std::span<Wait> waits, std::uint32_t next) {
    if (next != Bubble::no_row)
      find_blockers(waits, run_.tasks.task[next]);
    if (waits.front().start >= last_pass_end_)
      return explain_after_passes(waits);
    const Saving saving = saving_of(waits);
    saved_.push_back(
        {waits.back().end, saved_.back().of_stages + saving.of_stages, saved_.back().of_ranks + saving.of_ranks});
    if (waits.front().start >= first_pass_start_)
      return explain_between_passes(waits, saving);
    for (const Wait& wait : waits)
      add(wait, wait.start, wait.end, BubbleCause::WarmUp);
  }

  void find_blockers(std::span<Wait> waits, std::uint32_t task) const {
    std::uint32_t waiter = task;
    std::uint32_t blocker = chains_.blocker(task);
    for (Wait& wait : waits | std::views::reverse) {
      while (blocker != TaskChains::none && chains_.start(blocker) >= wait.end) {
        waiter = blocker;
        blocker = chains_.blocker(waiter);
      }
      wait.blocker = blocker;
      wait.waiter = waiter;
    }
  }

  void explain_after_passes(std::span<const Wait> waits) {
    for (const Wait& wait : waits) {
      if (is_for_a_peer(wait)) {
        add(wait, wait.start, wait.end, BubbleCause::SlowerRank);
        continue;
      }
      const double passes_end = std::clamp(evidence_.last_pass_end, wait.start, wait.end);
      add(wait, wait.start, passes_end, BubbleCause::CoolDown);
      add(wait, passes_end, wait.end, BubbleCause::OptimizerTail);
    }
  }

  // What is saved is the last part of the waits: they would have ended before it.
  void explain_between_passes(std::span<const Wait> waits, Saving saving) {
    const std::size_t first = bubbles_.size();
    for (const Wait& wait : waits | std::views::reverse) {
      if (is_for_a_peer(wait)) {
        add(wait, wait.start, wait.end, BubbleCause::SlowerRank);
        continue;
      }
      if (wait.blocker == TaskChains::none) {
        add(wait, wait.start, wait.end, BubbleCause::Neighbour);
        continue;
      }
      const double ranks = take(saving.of_ranks, wait.start, wait.end);
      const double stages = take(saving.of_stages, wait.start, ranks);
      if (ranks < wait.end)
        add({wait.start, wait.end, losses_.of(wait.blocker).slow_rank, wait.waiter}, ranks, wait.end,
            BubbleCause::SlowerRank);
      if (stages < ranks)
        add({wait.start, wait.end, losses_.of(wait.blocker).slow_stage, wait.waiter}, stages, ranks,
            BubbleCause::SlowerStage);
      add(wait, wait.start, stages, BubbleCause::Neighbour);
    }
    std::reverse(bubbles_.begin() + static_cast<std::ptrdiff_t>(first), bubbles_.end());
  }

  // Takes up to `time` from the end of [start, end], and returns where it begins.
  static double take(double& time, double start, double end) {
    const double begin = time < end - start ? end - time : start;
    time -= end - begin;
    return begin;
  }

  // What the waits for other stages could have been shorter by; both kinds share them in proportion.
  [[nodiscard]] Saving saving_of(std::span<const Wait> waits) const {
    double waited = 0;
    std::uint32_t blocker = TaskChains::none; // of the last of them
    for (const Wait& wait : waits) {
      if (wait.blocker == TaskChains::none || is_for_a_peer(wait))
        continue;
      waited += wait.end - wait.start;
      blocker = wait.blocker;
    }
    if (blocker == TaskChains::none)
      return {};
    const ChainLoss& loss = losses_.of(blocker);
    const Saving& before = *std::prev(std::ranges::upper_bound(saved_, loss.since, {}, &Saving::until));
    Saving saving;
    saving.of_stages = std::max(loss.to_stages - (saved_.back().of_stages - before.of_stages), 0.0);
    saving.of_ranks = std::max(loss.to_ranks - (saved_.back().of_ranks - before.of_ranks), 0.0);
    const double both = saving.of_stages + saving.of_ranks;
    if (both <= nothing * waited)
      return {};
    if (both >= (1 - nothing) * waited) {
      saving.of_ranks *= waited / both;
      saving.of_stages = saving.of_ranks <= nothing * waited ? waited : waited - saving.of_ranks;
    }
    return saving;
  }

  [[nodiscard]] bool is_for_a_peer(const Wait& wait) const {
    return wait.blocker != TaskChains::none && chains_.is_on_stage(wait.blocker, stage_);
  }

  void add(const Wait& wait, double start, double end, BubbleCause cause) {
    if (start < end)
      bubbles_.push_back({start, end, cause, row_of(wait.blocker), row_of(wait.waiter)});
  }

  // Its row on this rank, else on this stage, else the first.
  [[nodiscard]] std::uint32_t row_of(std::uint32_t task) const {
    if (task == TaskChains::none)
      return Bubble::no_row;
    const auto rows = chains_.rows(task);
    const auto distance = [&](std::uint32_t row) {
      const std::uint32_t rank = run_.tasks.rank[row];
      return rank == rank_ ? 0 : run_.ranks.pp[rank] == stage_ ? 1 : 2;
    };
    return *std::ranges::min_element(rows, {}, distance);
  }

  const record::RunRecord& run_;
  const BubbleEvidence& evidence_;
  const TaskChains& chains_;
  ChainLosses& losses_;
  std::uint32_t rank_;
  std::uint32_t stage_;
  record::RowRange rows_;
  std::vector<std::uint32_t> compute_rows_;
  double first_pass_start_ = std::numeric_limits<double>::infinity();
  double last_pass_end_ = -std::numeric_limits<double>::infinity();
  std::vector<Saving> saved_{Saving{}}; // after each wait, from the start
  std::vector<Bubble> bubbles_;
};

} // namespace

BubbleEvidence::BubbleEvidence(const record::RunRecord& record)
    : run(record), meanings(record.tasks), chains(record), times(record, meanings) {
  for (std::size_t row = 0; row < run.tasks.size(); ++row)
    if (meanings.is_of_pass(row))
      last_pass_end = std::max(last_pass_end, run.tasks.end[row]);
}

std::vector<std::vector<Bubble>> BubbleFinder::bubbles(std::span<const std::uint32_t> ranks) const {
  const BubbleEvidence& evidence = evidence_;
  std::vector<std::vector<Bubble>> bubbles(ranks.size());
  for (std::uint32_t stage = 0; stage < evidence.times.stage_count(); ++stage) {
    const auto is_here = [&](std::uint32_t rank) { return evidence.run.ranks.pp[rank] == stage; };
    if (std::ranges::none_of(ranks, is_here))
      continue;
    ChainLosses losses(evidence.run, evidence.meanings, evidence.chains, evidence.times, stage);
    for (std::size_t i = 0; i < ranks.size(); ++i)
      if (is_here(ranks[i]))
        bubbles[i] = RankBubbles(evidence, losses, ranks[i]).find();
  }
  return bubbles;
}

} // namespace moesim::analysis
