#include "simulator/screen/inference_bound.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"

namespace moesim::screen {

using graph::Kind;
using workloads::InferenceJob;

namespace {

StepTimes& operator+=(StepTimes& sum, const StepTimes& other) {
  sum.first += other.first;
  sum.second += other.second;
  sum.between += other.between;
  sum.last += other.last;
  return sum;
}

// The longest path that stands on one stage for a while. It gets there with the first micro-batch's prompt. Then, up
// to the last step, either the stage runs the passes of all micro-batches one after the other, or one micro-batch goes
// around all stages, whichever takes longer; in the last step the stage runs all, and the last micro-batch goes on to
// the last stage. The choice is made once for the prefill and once for all steps that decode, of which the cost changes
// slowly.
Seconds path_by(const std::vector<StepTimes>& stages, std::size_t stage, double micro_batches, std::int64_t steps) {
  StepTimes all, before, after;
  for (std::size_t at = 0; at < stages.size(); ++at) {
    all += stages[at];
    if (at < stage)
      before += stages[at];
    if (at > stage)
      after += stages[at];
  }
  const StepTimes& here = stages[stage];
  if (steps == 1)
    return before.first + micro_batches * here.first + after.first;
  const Seconds prefill = std::max(micro_batches * here.first, all.first - before.first + before.second);
  const Seconds decoding = std::max(micro_batches * here.between, all.between - before.second + before.last);
  return before.first + prefill + decoding + micro_batches * here.last + after.last;
}

} // namespace

Seconds InferenceBound::of(const InferenceJob& job) {
  MOESIM_CHECK(job.sizes.cp == 1 && job.sizes.vpp == 1, "the reader refuses what inference does not do");
  Seconds bound;
  for (const RankChain& chain : chains_.of(job.sizes))
    bound = std::max(bound, along(job, chain));
  return bound;
}

Seconds InferenceBound::along(const InferenceJob& job, const RankChain& chain) {
  stages_.clear();
  for (std::size_t stage = 0; stage < chain.places.size(); ++stage)
    stages_.push_back(busy(job, stage, chain));
  Seconds longest;
  const auto micro_batches = static_cast<double>(job.inference.micro_batches(job.sizes));
  for (std::size_t stage = 0; stage < stages_.size(); ++stage)
    longest = std::max(longest, path_by(stages_, stage, micro_batches, job.inference.output_length));
  return longest;
}

// From the start of a pass to the start of the stage's next one: that waits for what this one sends, too.
StepTimes InferenceBound::busy(const InferenceJob& job, std::size_t stage, const RankChain& chain) {
  const InferenceTimes& parts = parts_.of(job, chain.places[stage]);
  const auto index = static_cast<std::int64_t>(stage);
  const bool is_last = stage + 1 == chain.places.size();
  StepTimes times;
  if (job.inference.overlaps_two_batches)
    times += parts_.of_two_batches(job, index, chain.places[stage]);
  const std::int64_t first_layer = job.first_layer(index);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(index); ++layer)
    times += parts.layers[index_of(job.model.kind_of(layer))];
  if (stage == 0)
    times += parts.embedding;
  if (is_last)
    times += parts.head;
  if (chain.places.size() == 1)
    return times;
  const auto transfer = [&](std::int64_t step) {
    const Bytes bytes = is_last ? token_bytes(job) : boundary_bytes(job.model, job.micro_batch(step));
    return communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, bytes, chain.to_next[stage]);
  };
  const std::int64_t steps = job.inference.output_length;
  const auto sends = [&](std::int64_t step) { return is_last && step == steps ? Seconds() : transfer(step); };
  times.first += sends(1);
  if (steps == 1)
    return times;
  times.second += sends(2);
  times.between += static_cast<double>(steps - 2) * transfer(2);
  times.last += sends(steps);
  return times;
}

} // namespace moesim::screen
