// The line behind a verdict: a sum or a figure that a reader can check with a pencil.
#pragma once

#include <functional>
#include <string>

#include "simulator/audit/judge.hpp"

namespace moesim::audit {

// "tp * pp = 8 × 4 = 32" in `unit`; a sum without names needs no second part.
[[nodiscard]] std::string sum_text(const claims::Expression& sum, double value, const claims::Unit& unit,
                                   const claims::Expression::Words& words);

struct Grounds {
  std::string derived;   // the sum, "" without
  std::string limit;     // the sum, "" without
  std::string simulated; // "moe30b.yaml with training.seq_length=128", or "" for the scenario itself
};
// What decided, and then the claim's note.
[[nodiscard]] std::string reason(const claims::Claim& claim, const Evidence& evidence, const Grounds& grounds);

} // namespace moesim::audit
