// One value for each forward and for each backward (of the input, where it is split) of an order. Of two copies of the
// model a micro-batch meets only one, so that its virtual stage and micro-batch tell all passes apart.
#pragma once

#include <cstddef>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

template <typename Value>
class PassTable {
public:
  // All values are `initial` at first. The chunks must outlive the table.
  PassTable(const Chunks& chunks, std::int64_t micro_batches, Value initial)
      : chunks_(chunks), micro_batches_(micro_batches),
        forward_(static_cast<std::size_t>(chunks.virtual_stages() * micro_batches), initial), backward_(forward_) {}

  [[nodiscard]] Value& forward(ChunkPlace at, std::int32_t micro_batch) { return forward_[slot(at, micro_batch)]; }
  [[nodiscard]] Value& backward(ChunkPlace at, std::int32_t micro_batch) { return backward_[slot(at, micro_batch)]; }

  void set(ChunkPlace at, const PipelinePass& pass, Value value) {
    if (pass.kind == PassKind::Forward)
      forward(at, pass.micro_batch) = value;
    else if (pass.kind != PassKind::BackwardWeight)
      backward(at, pass.micro_batch) = value;
  }

private:
  [[nodiscard]] std::size_t slot(ChunkPlace at, std::int32_t micro_batch) const {
    return static_cast<std::size_t>(chunks_.virtual_stage(at) * micro_batches_ + micro_batch);
  }

  const Chunks& chunks_;
  std::int64_t micro_batches_;
  std::vector<Value> forward_, backward_;
};

} // namespace moesim::schedulers
