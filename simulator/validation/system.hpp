// Which cluster of the catalogue a published description of a system means, and what it says of it.
#pragma once

#include <string>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

struct System {
  std::string base;                     // a cluster of the catalogue
  std::vector<std::string> assignments; // "platform.nodes=2": how it differs
  std::string hardware;                 // as groups of figures name it
};

// For a job on `gpus` GPUs, with the numbers of GPUs a node and of nodes that the entry gives. Nodes are as few as hold
// these, all with equally many of them. Throws Unpredictable when no rule knows the system.
[[nodiscard]] System system_of(const Entry& entry, std::int64_t gpus, const Vocabulary& vocabulary);

[[nodiscard]] platforms::Cluster cluster_of(const System& system);

} // namespace moesim::validation
