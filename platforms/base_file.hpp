// The rule that GPUs and clusters share: a section is a name, a path, or a map that may say `base` and what differs.
#pragma once

#include <string>

#include "simulator/base/input_error.hpp"
#include "simulator/config/catalogue.hpp"
#include "simulator/config/node.hpp"

namespace moesim::platforms {

struct BaseFile {
  bool found = false; // false: a problem was noted
  config::Node node;  // the base's map with the section laid over it, without `base`; a map over a name refines it
  std::string name;   // catalogue name or file name of the base; "inline" when there is none
};

// Follows `base`, relative to the file that says it (also through a base that has a base itself, up to eight deep).
[[nodiscard]] BaseFile with_base(config::CatalogueKind kind, const config::Node& section, const std::string& path,
                                 Problems& problems);

} // namespace moesim::platforms
