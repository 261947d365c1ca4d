// Which tokens the members of a group send each other, where their experts are not all as well liked. Copies of tokens
// may be fractions: expected counts are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::graph {

// From the tokens of each member to the experts of each: `slots` on every member, one behind the other.
struct TokenMatrix {
  std::size_t members = 0;
  std::size_t slots = 1;
  std::vector<double> copies; // [source][member x slots + slot]
  std::vector<double> tokens; // of each source

  [[nodiscard]] double copies_at(std::size_t source, std::size_t member, std::size_t slot) const {
    return copies[(source * members + member) * slots + slot];
  }
  // To all experts of a member.
  [[nodiscard]] double copies_between(std::size_t source, std::size_t member) const {
    double sum = 0;
    for (std::size_t slot = 0; slot < slots; ++slot)
      sum += copies_at(source, member, slot);
    return sum;
  }
};

// What a communication moves of it.
struct TokenTraffic {
  std::shared_ptr<const TokenMatrix> matrix{}; // shared by all who send the same; none: all members are alike
  double share = 1;                            // of all copies
  bool returns = false;                        // from the experts to where the tokens are
  bool of_weights = false;                     // the matrix is of experts' weights that other ranks need
  Bytes copy;                                  // of one
  Seconds reaction{}; // that passes before anything is sent: a policy, as alike on all platforms

  bool operator==(const TokenTraffic&) const = default;
};

} // namespace moesim::graph
