// Writes down the passes of one stage. Each chunk's micro-batches follow each other, so that the writer numbers them;
// it also knows which backward passes of the weights are still to come.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

class StagePasses {
public:
  StagePasses() = default;
  // Of two chunks that number their micro-batches from 0 and from `first_of_second`.
  explicit StagePasses(std::int64_t first_of_second);

  void forward(std::int32_t chunk = 0);
  void backward(std::int32_t chunk = 0);
  // One forward and one backward that run together.
  void forward_with_backward(std::int32_t forward_chunk, std::int32_t backward_chunk);
  void backward_input(std::int32_t chunk = 0);
  // Of the oldest backward of the input that still lacks it.
  void backward_weight();
  void backward_weights_left();
  // After so many forwards one forward and one backward in turn, that of the weights `delay` micro-batches behind.
  void one_forward_one_split_backward(std::int64_t warm_up, std::int64_t micro_batches, std::int64_t delay);

  [[nodiscard]] std::int64_t forwards(std::int32_t chunk = 0) const;
  [[nodiscard]] std::int64_t backwards(std::int32_t chunk = 0) const;
  [[nodiscard]] const std::vector<PipelinePass>& all() const { return passes_; }

private:
  struct Next { // micro-batch of a chunk
    std::int32_t first = 0;
    std::int32_t forward = 0;
    std::int32_t backward = 0;
  };
  std::array<Next, 2> next_{};
  std::vector<PipelinePass> passes_;
  std::vector<PipelinePass> weights_; // of all backwards of the input so far, in their order
  std::size_t weights_done_ = 0;
};

} // namespace moesim::schedulers
