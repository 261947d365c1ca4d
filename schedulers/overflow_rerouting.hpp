// What an expert has no room for goes to experts with room, instead of being dropped. It changes what the model
// computes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moesim::schedulers {

// Copies per expert of one source after rerouting: what is above `capacity` goes to the experts with the fewest copies
// first (the first of equals), up to min(capacity, tokens) each, for a token cannot meet an expert twice. The sum
// stays; what finds no room stays where it was.
[[nodiscard]] std::vector<std::int64_t> reroute_overflow(std::span<const std::int64_t> copies, std::int64_t capacity,
                                                         std::int64_t tokens);

} // namespace moesim::schedulers
