// Tables of sweeps that were never run.
#pragma once

#include <string>
#include <vector>

#include "simulator/record/sweep_table.hpp"

namespace moesim::testing {

struct SweepRow {
  std::vector<std::string> settings;
  double tokens_per_s = 0;
  double peak_memory_bytes = 1;
  double gpus = 8;
  bool fits = true;
};

inline record::SweepTable sweep_of(const std::vector<std::string>& fields, const std::vector<SweepRow>& rows) {
  record::SweepTable table;
  table.name = "a <sweep>";
  table.fields = fields;
  table.settings.resize(fields.size());
  table.figures = {"tokens_per_s", "peak_memory_bytes", "world_size", "fits"};
  table.values.resize(4);
  for (const SweepRow& row : rows) {
    table.scenario.emplace_back("base.yaml");
    table.status.emplace_back("done");
    table.reason.emplace_back();
    for (std::size_t field = 0; field < fields.size(); ++field)
      table.settings[field].push_back(row.settings[field]);
    table.values[0].push_back(row.tokens_per_s);
    table.values[1].push_back(row.peak_memory_bytes);
    table.values[2].push_back(row.gpus);
    table.values[3].push_back(row.fits ? 1 : 0);
  }
  return table;
}

} // namespace moesim::testing
