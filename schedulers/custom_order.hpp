// Orders that a user writes: as text or as a table, read into an order, and checked. Nothing here reads a file.
//
// Text has a line for each stage, in the words of describe(): "F0 F1 B0 W0", a chunk after a dot ("F0.1"), and &
// between passes that run together ("F2&B0"); "stage 0:" may stand before it. A table is a CSV whose first row names
// its columns: stage, pass (F, B or W), micro_batch, chunk and, if wanted, with_next (0 or 1); its rows are in the
// order in which each stage runs them. B is the whole backward, unless the stage runs a W of the same micro-batch and
// chunk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

// Not one of schedules(), for it has an order only once somebody has written it.
inline constexpr std::string_view custom_schedule_name = "custom";
inline constexpr std::string_view custom_schedule_description = "an order of your own, as text or as a CSV";

struct LineProblem {
  int line = 1; // counts from 1
  std::string message;
};

// The order holds only where there is no problem.
struct CustomOrder {
  PipelineOrder order;
  std::vector<LineProblem> problems;
};

[[nodiscard]] CustomOrder parse_order(std::string_view text);
[[nodiscard]] CustomOrder parse_order_table(std::string_view csv);

// Everything that keeps the order from running, each naming its pass: missing, twice, unknown, before what it needs, or
// in a circle of passes that wait for each other. Empty: it runs.
[[nodiscard]] std::vector<std::string> problems(const PipelineOrder& order, const Chunks& chunks,
                                                const ScheduleShape& shape);

} // namespace moesim::schedulers
