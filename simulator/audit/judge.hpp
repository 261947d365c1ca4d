// From what is known of a claimed figure to a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "simulator/claims/claim.hpp"

namespace moesim::audit {

enum class Verdict : std::uint8_t { Consistent, SelfContradiction, Refuted, BeyondHardware, NotCheckable };
inline constexpr std::size_t verdict_count = 5;
// "consistent", "self-contradiction", "refuted", "beyond-hardware", "not-checkable".
[[nodiscard]] std::string_view name_of(Verdict verdict);

// What the claimed figure is compared with, in base units.
struct Evidence {
  std::optional<double> derived{};   // what the document's own figures make of it
  double derived_rounding = 0;       // how far off that can be, the figures that it is made of being rounded
  std::optional<double> limit{};     // the most, of a time the least, that the hardware can do
  std::optional<double> simulated{}; // what moesim finds
};

// The first of these that holds: the figure is beyond the limit; it is not what the document's own figures make, up to
// the rounding of its digits and of theirs; it is not what is simulated, up to the tolerance of its quantity
// (claims::tolerance_of), a figure that the deployment beats among them: it is not what it does. Consistent: at
// least one of sum and simulation was there and agreed.
[[nodiscard]] Verdict judge(const claims::Claim& claim, const Evidence& evidence);

} // namespace moesim::audit
