// Small scenarios drawn from every combination of options: what a user might write, sound or not.
#pragma once

#include <cstdint>
#include <string>

namespace moesim::run {

// The YAML of scenario number `seed`; the same on every platform.
[[nodiscard]] std::string random_scenario(std::uint64_t seed);
// Its `moe` section, in which experts have unequal loads.
[[nodiscard]] std::string random_routing(std::uint64_t seed);

} // namespace moesim::run
