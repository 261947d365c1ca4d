// What `moesim schedule` is asked for, and the timed schedule that this is.
#pragma once

#include <cstdint>
#include <string>

#include "simulator/run/schedule_record.hpp"

namespace moesim::cli {

struct ScheduleOptions {
  std::string name;
  std::string order_file;  // of a custom schedule: .csv: a table; else text
  std::int64_t stages = 0; // 0, and so below: of a custom schedule, as many as the file has
  std::int64_t micro_batches = 0;
  std::int64_t chunks = 0; // 0: as many as the schedule has
  schedulers::PassCosts costs;
  double transfer = 0;
  std::int64_t max_in_flight = 0;
  std::string output;
  double width = 0; // pixels
  bool json = false;
};

// Throws with what is wrong and what would be right: CLI::ValidationError of an option, InputError of a file.
[[nodiscard]] run::TimedSchedule timed_schedule(const ScheduleOptions& options);

} // namespace moesim::cli
