// A program is what every rank of one pipeline stage does, step by step: the compact form from which the task graph of
// the whole job, or of some ranks only, is generated. 512 GPUs in 4 stages have 4 programs.
//
// Steps are listed in the order in which they are issued. Each stream runs its steps in that order, and so do streams
// that share a queue; add() turns this into dependencies and leaves out those that others already imply.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simulator/graph/task_graph.hpp"
#include "simulator/graph/token_works.hpp"

namespace moesim::graph {

// The parallel dimensions whose groups communicate. Dp is the data-parallel group of the attention and dense parts
// (context-parallel ranks included, as their gradients are summed, too), Edp that of the experts.
enum class Dimension : std::uint8_t { Tp, Cp, Dp, Etp, Ep, Edp };
inline constexpr std::size_t dimension_count = 6;

[[nodiscard]] std::string_view name_of(Dimension dimension);
// The stream on which collectives over its groups run.
[[nodiscard]] Stream stream_of(Dimension dimension);

// The queue that the tasks of each stream are in. Streams that share one run one task at a time, in the order of issue.
using Queues = std::array<Stream, stream_count>;
[[nodiscard]] Queues own_queues(); // each stream in its own

struct Step {
  Task task;                          // `place` is filled in per rank by expand()
  Dimension over = Dimension::Tp;     // of a collective: the groups it runs in
  std::uint32_t peer_stage = 0;       // of a transfer: the stage at the other end
  bool receives = false;              // of a transfer: this stage is the destination
  std::uint32_t family = no_family;   // into Programs::families: its work is not the same on every rank
  std::uint32_t first_dependency = 0; // into Program::dependencies()
  std::uint32_t dependency_count = 0;
};

class Program {
public:
  using StepIndex = std::uint32_t;

  explicit Program(const Queues& queues = own_queues()) : queues_(queues) {}

  // Appends a step that starts after `after` (earlier steps of this program) and after the step before it in the queue
  // of its stream.
  StepIndex add(Step step, std::span<const StepIndex> after);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] std::span<const StepIndex> dependencies(StepIndex step) const {
    return std::span(dependencies_).subspan(steps_[step].first_dependency, steps_[step].dependency_count);
  }

private:
  // How far each queue has come, counted in steps, once a given step has ended.
  using Clock = std::array<std::uint32_t, stream_count>;

  [[nodiscard]] std::size_t queue_of(const Step& step) const;

  Queues queues_;
  std::vector<Step> steps_;
  std::vector<StepIndex> dependencies_;
  std::vector<Clock> clocks_;
  Clock issued_{};
  std::array<StepIndex, stream_count> latest_{};
};

// The programs of all stages, with the tables that their steps refer to.
struct Programs {
  std::vector<Program> stages;
  std::vector<Work> works;
  std::vector<std::string> names;
  std::vector<WorkFamily> families;
  TokenLoads loads; // none where every rank has the same

  // Of a step that has a family: where its tokens go.
  [[nodiscard]] std::uint32_t spread_of(const Step& step) const;
  // The work of a step on a rank of the job; of a communication, that rank's part in it.
  [[nodiscard]] std::uint32_t work_on(RankId rank, const Step& step) const;
  // Of such a step, a communication: what the rank's expert group exchanges, into TokenLoads::matrices.
  [[nodiscard]] std::uint32_t matrix_of(RankId rank, const Step& step) const;
};

// What a communication step amounts to in a group of ranks of the job. Requires the step to have a family.
[[nodiscard]] Work work_in(std::span<const RankId> group, const Step& step, const Programs& programs);

// Who takes part. Ranks of the graph are classes of ranks of the job.
struct Membership {
  Folding folding;
  // Ranks of the graph, ascending: the i-th of one stage exchanges activations with the i-th of the next.
  std::vector<std::vector<RankId>> stages;
  // Groups of ranks of the job: one of each kind of groups, where groups are of a kind when their members are of the
  // same classes, equally many of each. The groups of a dimension together have all classes, each of them once; a
  // dimension in which nothing is sent needs none.
  std::array<std::vector<std::vector<RankId>>, dimension_count> groups;
};

// One task per rank for each compute step, one per group for each collective, one per pair for each transfer.
// A receiving step is matched with the sending step of the same micro-batch, chunk, name and direction; of several
// such, the first with the first and so on. Throws InternalError when a receive has no send or a rank is in no group.
[[nodiscard]] TaskGraph expand(const Programs& programs, const Membership& membership);

} // namespace moesim::graph
