// The `adapt:` section: rules by which a scenario follows its sequence length, and the memory that it needs.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::scenario {

// A rule that has changed something.
struct Adaptation {
  std::string reason;                   // "seq_length 4096 is above 2048"
  std::vector<std::string> assignments; // what it has set, as `--set` takes it
};

[[nodiscard]] std::string describe(const Adaptation& adaptation); // in one line: the reason, then what was set

// What the fullest GPU needs over what it has, for the scenario as it is so far; none where that cannot be read.
using MemoryShare = std::function<std::optional<double>(const config::Node& root)>;

// Applies the rules of `root` in their order, each to what those before it have made, and `assignments` (which it has
// already) again after each, so that a rule never sets what `--set` does. Whether a rule holds: for the tokens of
// training.seq_length or inference.prompt_length, and for a share of memory.
[[nodiscard]] std::vector<Adaptation> adapt(config::Node& root, std::span<const std::string> assignments,
                                            const MemoryShare& memory_share, Problems& problems);

} // namespace moesim::scenario
