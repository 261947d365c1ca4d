// A plan as the text of sweep.json, and back.
#pragma once

#include <string>

#include "simulator/sweep/plan.hpp"

namespace moesim::sweep {

// The scenarios' texts are part of it: a sweep whose scenario was changed is another one.
struct Manifest {
  Plan plan;
  std::string identity; // the same for two plans with the same results, wherever their files lie
};

// Reads the scenarios; throws InputError when they are gone.
[[nodiscard]] std::string manifest_text(const Plan& plan);
// Throws std::runtime_error when `text` is no manifest.
[[nodiscard]] Manifest parse_manifest(const std::string& text);
[[nodiscard]] std::string identity_of(const Plan& plan);

} // namespace moesim::sweep
