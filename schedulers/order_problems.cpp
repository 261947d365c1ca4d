#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "schedulers/custom_order.hpp"
#include "schedulers/pass_cycle.hpp"

namespace moesim::schedulers {
namespace {

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

// What the order of one stage lacks, or has too much of.
class StageCheck {
public:
  StageCheck(const Chunks& chunks, const ScheduleShape& shape, std::size_t stage, std::vector<std::string>& problems)
      : chunks_(chunks), shape_(shape), stage_(stage), problems_(problems),
        places_(static_cast<std::size_t>(shape.micro_batches * chunks.chunks)) {}

  void check(std::span<const PipelinePass> passes) {
    for (std::size_t at = 0; at < passes.size(); ++at)
      if (exists(passes[at]))
        place(passes[at], at);
    for (std::int64_t micro_batch = 0; micro_batch < shape_.micro_batches; ++micro_batch)
      for (std::int64_t chunk = 0; chunk < chunks_.chunks; ++chunk)
        if (chunks_.runs(chunk, micro_batch, shape_.micro_batches))
          check_micro_batch(passes, static_cast<std::int32_t>(micro_batch), static_cast<std::int32_t>(chunk));
    for (std::size_t first = 0, last = 0; first < passes.size(); first = last) {
      last = end_together(passes, first);
      check_together(passes.subspan(first, last - first));
    }
    if (!passes.empty() && passes.back().with_next)
      add(passes.back(), "runs together with the next pass, and is the last");
  }

private:
  // Where the passes of a micro-batch and chunk stand.
  struct Places {
    std::size_t forward = nowhere, backward = nowhere, weight = nowhere;
  };

  [[nodiscard]] std::string name(const PipelinePass& pass) const {
    return describe(pass, chunks_.chunks > 1 || pass.chunk > 0);
  }

  void add(const PipelinePass& pass, std::string_view problem) {
    problems_.push_back(fmt::format("stage {}: {} {}", stage_, name(pass), problem));
  }

  [[nodiscard]] Places& places(std::int32_t micro_batch, std::int32_t chunk) {
    return places_[static_cast<std::size_t>(micro_batch * chunks_.chunks + chunk)];
  }

  bool exists(const PipelinePass& pass) {
    if (pass.micro_batch < 0 || pass.micro_batch >= shape_.micro_batches)
      add(pass, fmt::format("is of a micro-batch that there is not; they are 0 to {}", shape_.micro_batches - 1));
    else if (pass.chunk < 0 || pass.chunk >= chunks_.chunks)
      add(pass, fmt::format("is of a chunk that there is not; they are 0 to {}", chunks_.chunks - 1));
    else if (!chunks_.runs(pass.chunk, pass.micro_batch, shape_.micro_batches))
      add(pass, fmt::format("is of a micro-batch that goes the other way, through chunk {}", 1 - pass.chunk));
    else
      return true;
    return false;
  }

  void place(const PipelinePass& pass, std::size_t at) {
    Places& all = places(pass.micro_batch, pass.chunk);
    std::size_t& own = pass.kind == PassKind::Forward          ? all.forward
                       : pass.kind == PassKind::BackwardWeight ? all.weight
                                                               : all.backward;
    if (own != nowhere)
      add(pass, "is there twice");
    else
      own = at;
  }

  void check_micro_batch(std::span<const PipelinePass> passes, std::int32_t micro_batch, std::int32_t chunk) {
    const auto& [forward, backward, weight] = places(micro_batch, chunk);
    const PipelinePass forward_pass{PassKind::Forward, micro_batch, chunk};
    const PipelinePass backward_pass{PassKind::Backward, micro_batch, chunk};
    const PipelinePass weight_pass{PassKind::BackwardWeight, micro_batch, chunk};
    if (forward == nowhere)
      add(forward_pass, "is missing");
    if (backward == nowhere) {
      add(backward_pass, "is missing");
      return;
    }
    if (forward != nowhere && backward < forward)
      add(backward_pass, fmt::format("comes before its {}", name(forward_pass)));
    if (weight == nowhere && passes[backward].kind == PassKind::BackwardInput)
      add(weight_pass, "is missing");
    if (weight != nowhere && weight < backward)
      add(weight_pass, fmt::format("comes before its {}", name(backward_pass)));
    if (weight != nowhere && passes[backward].kind == PassKind::Backward)
      add(weight_pass, fmt::format("is part of {} already", name(backward_pass)));
  }

  void check_together(std::span<const PipelinePass> passes) {
    if (passes.size() == 1)
      return;
    const bool is_pair = passes.size() == 2 && passes[0].kind == PassKind::Forward &&
                         passes[1].kind != PassKind::Forward && passes[1].kind != PassKind::BackwardWeight;
    if (!is_pair)
      add(passes[0],
          fmt::format("cannot run together with {}; only a forward with the backward behind it can", name(passes[1])));
    else if (passes[0].micro_batch == passes[1].micro_batch && passes[0].chunk == passes[1].chunk)
      add(passes[0], fmt::format("cannot run together with {}, which needs it", name(passes[1])));
  }

  const Chunks& chunks_;
  const ScheduleShape& shape_;
  std::size_t stage_;
  std::vector<std::string>& problems_;
  std::vector<Places> places_; // by micro-batch and chunk
};

std::int64_t count_micro_batches(const PipelineOrder& order) {
  std::int64_t count = 0;
  for (const std::vector<PipelinePass>& passes : order)
    for (const PipelinePass& pass : passes)
      count = std::max(count, pass.micro_batch + std::int64_t{1});
  return count;
}

} // namespace

std::vector<std::string> problems(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape) {
  if (static_cast<std::int64_t>(order.size()) != shape.stages)
    return {fmt::format("there are {1} stages, and the order has {0}", order.size(), shape.stages)};
  // Said once: a batch may be of very many.
  if (const std::int64_t count = count_micro_batches(order); count < shape.micro_batches)
    return {fmt::format("F{0} is missing on every stage: the order has {0} of the {1} micro-batches; write the passes "
                        "of all, or use a smaller batch",
                        count, shape.micro_batches)};
  std::vector<std::string> found;
  for (std::size_t stage = 0; stage < order.size(); ++stage)
    StageCheck(chunks, shape, stage, found).check(order[stage]);
  if (!found.empty())
    return found;
  const std::vector<StagePass> circle = cycle(order, chunks, Posting::Eager);
  if (!circle.empty())
    found.push_back(describe(circle, chunks));
  return found;
}

} // namespace moesim::schedulers
