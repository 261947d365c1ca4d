// Which experts the tokens of a recorded run went to: what `moe.routing: {type: trace}` replays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/model.hpp"

namespace moesim::workloads {

// A row for each (iteration, layer, micro-batch), sorted by these, each once. A layer is one of the model's, counted
// from 0, dense ones included.
struct RoutingTrace {
  std::vector<std::int32_t> iterations; // per row
  std::vector<std::int32_t> layers;
  std::vector<std::int32_t> micro_batches;
  std::int64_t experts = 0;
  std::vector<double> tokens; // [row][expert]: token copies of all ranks together, or any multiple of them

  [[nodiscard]] std::size_t rows() const { return layers.size(); }
  bool operator==(const RoutingTrace&) const = default;
};

// The row to replay. A trace that is shorter than the run starts again from its first iteration, and an iteration from
// its first micro-batch. The trace must have the layer.
[[nodiscard]] std::size_t row_of(const RoutingTrace& trace, std::int64_t iteration, std::int64_t layer,
                                 std::int64_t micro_batch);

// The same with its rows in order; equal ones stay, for problems() to find.
[[nodiscard]] RoutingTrace in_order(const RoutingTrace& trace);

// What keeps a trace from being of a model: other experts, layers without experts, layers that are missing, rows that
// are not there for each iteration and micro-batch from 0 on, or twice, counts that are none, rows without a token.
// Each says what is there and what would be right.
[[nodiscard]] std::vector<std::string> problems(const RoutingTrace& trace, const ModelSpec& model);

inline constexpr std::string_view routing_csv_header = "iteration,layer,micro_batch,expert,tokens";

// A trace as a CSV: the header, then a line for each expert of each row, in any order; an expert without a line has no
// tokens. `file` is named in messages. Throws InputError with all that is wrong.
[[nodiscard]] RoutingTrace read_routing_csv(const std::string& text, const std::string& file);
[[nodiscard]] std::string to_csv(const RoutingTrace& trace);

} // namespace moesim::workloads
