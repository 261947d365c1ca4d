// What divides a size: what can be chosen, and for messages about sizes that do not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moesim {

// All divisors of `whole`, at least 1, ascending.
[[nodiscard]] std::vector<std::int64_t> divisors(std::int64_t whole);

// The divisors of `whole` next to `wanted`, below and above: "4 or 8", or one when only one is left. Both at least 1.
[[nodiscard]] std::string nearest_divisors(std::int64_t whole, std::int64_t wanted);

} // namespace moesim
