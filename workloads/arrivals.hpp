// What a stage receives from its neighbours, in the order in which they send it.
//
// A stream runs its transfers in order at both ends. A schedule may well use what comes in another order than it is
// sent, so a receive is posted when what comes before it on its stream is, however much later that is used: nothing
// then waits in a circle but passes that do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::workloads {

// The activations of a forward, or the gradients of a backward, on their way to a place in the pipeline.
struct Arrival {
  schedulers::ChunkPlace from;
  std::int32_t micro_batch = 0;
  bool is_forward = true;
  bool operator==(const Arrival&) const = default;
};

// Where the result of a pass goes: the virtual stage behind, or, of a backward, before; none: the pass is the last of
// its micro-batch, or its result is for no other pass.
[[nodiscard]] std::optional<schedulers::ChunkPlace> destination(const schedulers::Chunks& chunks,
                                                                schedulers::ChunkPlace at, schedulers::PassKind kind);

// What a pass at a place needs from another stage; none: nothing.
[[nodiscard]] std::optional<Arrival> arrival_for(const schedulers::Chunks& chunks, schedulers::ChunkPlace at,
                                                 const schedulers::PipelinePass& pass);

// The stream on which a stage sends to a virtual stage next to one of its own.
[[nodiscard]] graph::Stream sending_stream(const schedulers::Chunks& chunks, schedulers::ChunkPlace from,
                                           schedulers::ChunkPlace to);

// A stage that uses two things in another order than its neighbour sends them, the two passes that make them named.
struct Crossing {
  std::int64_t receiver = 0;
  std::int64_t sender = 0;
  schedulers::PipelinePass used_first;
  schedulers::PipelinePass sent_first;
};
// The first of the first stage that has any.
[[nodiscard]] std::optional<Crossing> first_crossing(const schedulers::PipelineOrder& order,
                                                     const schedulers::Chunks& chunks);

class Arrivals {
public:
  Arrivals(const schedulers::PipelineOrder& order, const schedulers::Chunks& chunks, std::int64_t stage);

  // Everything up to `wanted` on its stream that has not been taken yet, in order; `wanted` is then the last.
  // Nothing when it was taken before.
  [[nodiscard]] std::vector<Arrival> take_until(const Arrival& wanted);

private:
  struct Queue {
    std::vector<Arrival> arrivals;
    std::size_t taken = 0;
  };
  std::array<Queue, 2> queues_; // sent to the next stage, to the previous one
  schedulers::Chunks chunks_;
};

} // namespace moesim::workloads
