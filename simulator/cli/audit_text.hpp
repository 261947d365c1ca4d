// What `moesim audit` says.
#pragma once

#include <string>

#include "simulator/audit/audit.hpp"

namespace moesim::cli {

// Each claim with its figures, verdict and reason, then how many there are of each verdict.
[[nodiscard]] std::string audit_text(const audit::Audit& audit);

} // namespace moesim::cli
