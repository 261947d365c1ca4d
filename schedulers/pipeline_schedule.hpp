// A pipeline schedule is data: for each stage, the order in which it runs the passes of its micro-batches. Pure
// functions, one file per schedule, found by name through the registry below.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/base/operator.hpp"

namespace moesim::schedulers {

// One run of a stage (or of one of its virtual chunks) over one micro-batch.
struct PipelinePass {
  Pass pass = Pass::Forward;
  std::int32_t micro_batch = 0;
  std::int32_t chunk = 0;
  bool operator==(const PipelinePass&) const = default;
};

struct ScheduleShape {
  std::int64_t stages = 1;
  std::int64_t micro_batches = 1;
};

// The passes of each stage, in the order in which it runs them.
using PipelineOrder = std::vector<std::vector<PipelinePass>>;

struct PipelineSchedule {
  std::string_view name;
  std::string_view description; // one line, with the formula of its bubble and its source
  PipelineOrder (*order)(const ScheduleShape& shape);
};

// All schedules, by name.
[[nodiscard]] const std::vector<PipelineSchedule>& schedules();
[[nodiscard]] std::vector<std::string_view> schedule_names();
// Requires `name` to be one of schedule_names().
[[nodiscard]] const PipelineSchedule& find_schedule(std::string_view name);

// One line per stage with its passes in order, F or B and the micro-batch: "stage 0: F0 F1 B0 B1".
[[nodiscard]] std::string describe(const PipelineOrder& order);

} // namespace moesim::schedulers
