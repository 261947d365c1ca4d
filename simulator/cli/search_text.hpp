// What `moesim search` says: for people, and for programs.
#pragma once

#include <optional>
#include <string>

#include "simulator/search/search.hpp"

namespace moesim::cli {

struct SearchReport {
  const search::Space& space;
  const search::Options& options;
  const search::Result& result;
  std::optional<search::Measurement> as_given; // the scenario as its file has it, where it uses as many GPUs
  Seconds wall_time;
};

// Several lines, each ended by a newline.
[[nodiscard]] std::string search_text(const SearchReport& report);
// One JSON object.
[[nodiscard]] std::string search_json(const SearchReport& report);

} // namespace moesim::cli
