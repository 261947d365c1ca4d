// What a candidate comes to: it is loaded as a user would load it, with `--set`, and simulated.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "simulator/base/units.hpp"

namespace moesim::search {

struct Measurement {
  Bytes memory;      // of the fullest GPU: by the estimate where that is too much, else the larger of it and simulated
  bool fits = false; // where not, nothing below is known
  Seconds time;      // of an iteration, or of the whole batch
  double tokens_per_s = 0;
  // Of an average GPU, adding up to the time.
  Seconds compute, bubble;
  std::array<Seconds, 5> exposed{}; // by analysis::dimensions
  // Of inference.
  double output_tokens_per_s = 0;
  std::optional<Seconds> ttft, tpot;
};

// As bytes, for a process of the pool to return. Throws InputError as scenario::load() does. Simulates at most once per
// process.
[[nodiscard]] std::string measure(const std::filesystem::path& file, std::span<const std::string> assignments,
                                  Bytes memory_limit);
[[nodiscard]] Measurement read_measurement(const std::string& bytes);

} // namespace moesim::search
