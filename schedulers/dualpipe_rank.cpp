#include "schedulers/dualpipe_rank.hpp"

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {
namespace {

class Steps {
public:
  explicit Steps(const DualPipeRank& rank)
      : rank_(rank), near_(rank.near_chunk), far_(1 - rank.near_chunk), passes_(rank.first_of_second_chunk) {}

  std::vector<PipelinePass> all() {
    warm_up();
    steady_state();
    cool_down();
    return passes_.all();
  }

private:
  void warm_up() {
    repeat(2 * rank_.from_middle, [&] { passes_.forward(near_); });
    repeat(rank_.from_end + 1, [&] {
      passes_.forward(near_);
      passes_.forward(far_);
    });
    repeat(rank_.from_middle, [&] {
      passes_.backward_input(far_);
      passes_.backward_weight();
      passes_.forward(far_);
    });
  }

  void steady_state() {
    if (rank_.from_middle == 0) { // its first pair would wait for a backward that the forward should not wait for
      passes_.forward(near_);
      passes_.backward(far_);
    } else {
      passes_.forward_with_backward(near_, far_);
    }
    passes_.forward_with_backward(far_, near_);
    while (passes_.forwards(near_) < rank_.micro_batches) {
      passes_.forward_with_backward(near_, far_);
      passes_.forward_with_backward(far_, near_);
    }
  }

  void cool_down() {
    repeat(rank_.from_middle, [&] {
      passes_.backward(far_);
      passes_.forward_with_backward(far_, near_);
    });
    const std::int64_t whole = rank_.from_end + 1; // as many as are split after them
    for (std::int64_t turn = 0; turn < 2 * whole; ++turn) {
      const std::int32_t chunk = turn % 2 == 0 ? far_ : near_;
      if (turn < whole)
        passes_.backward(chunk);
      else
        passes_.backward_input(chunk);
    }
    repeat(rank_.from_middle, [&] {
      passes_.backward_weight();
      passes_.backward_input(near_);
    });
    passes_.backward_weights_left();
  }

  template <typename Step>
  static void repeat(std::int64_t times, Step step) {
    for (std::int64_t turn = 0; turn < times; ++turn)
      step();
  }

  const DualPipeRank& rank_;
  std::int32_t near_, far_; // chunks
  StagePasses passes_;
};

} // namespace

std::vector<PipelinePass> dualpipe_passes(const DualPipeRank& rank) {
  return Steps(rank).all();
}

} // namespace moesim::schedulers
