#include "schedulers/stage_passes.hpp"

#include "simulator/base/check.hpp"

namespace moesim::schedulers {

StagePasses::StagePasses(std::int64_t first_of_second) {
  const auto first = static_cast<std::int32_t>(first_of_second);
  next_[1] = {first, first, first};
}

void StagePasses::forward(std::int32_t chunk) {
  passes_.push_back({PassKind::Forward, next_[static_cast<std::size_t>(chunk)].forward++, chunk});
}

void StagePasses::backward(std::int32_t chunk) {
  passes_.push_back({PassKind::Backward, next_[static_cast<std::size_t>(chunk)].backward++, chunk});
}

void StagePasses::forward_with_backward(std::int32_t forward_chunk, std::int32_t backward_chunk) {
  forward(forward_chunk);
  passes_.back().with_next = true;
  backward(backward_chunk);
}

void StagePasses::backward_input(std::int32_t chunk) {
  const std::int32_t micro_batch = next_[static_cast<std::size_t>(chunk)].backward++;
  passes_.push_back({PassKind::BackwardInput, micro_batch, chunk});
  weights_.push_back({PassKind::BackwardWeight, micro_batch, chunk});
}

void StagePasses::backward_weight() {
  MOESIM_CHECK(weights_done_ < weights_.size(), "weights follow a backward of the input");
  passes_.push_back(weights_[weights_done_++]);
}

void StagePasses::backward_weights_left() {
  while (weights_done_ < weights_.size())
    backward_weight();
}

void StagePasses::one_forward_one_split_backward(std::int64_t warm_up, std::int64_t micro_batches, std::int64_t delay) {
  while (forwards() < warm_up)
    forward();
  while (backwards() < micro_batches) {
    if (forwards() < micro_batches)
      forward();
    backward_input();
    if (backwards() > delay)
      backward_weight();
  }
  backward_weights_left();
}

std::int64_t StagePasses::forwards(std::int32_t chunk) const {
  const Next& next = next_[static_cast<std::size_t>(chunk)];
  return next.forward - next.first;
}

std::int64_t StagePasses::backwards(std::int32_t chunk) const {
  const Next& next = next_[static_cast<std::size_t>(chunk)];
  return next.backward - next.first;
}

} // namespace moesim::schedulers
