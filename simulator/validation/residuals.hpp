// What of a report goes into the picture of its errors.
#pragma once

#include <string>

#include "analysis/residual_svg.hpp"
#include "simulator/validation/comparison.hpp"

namespace moesim::validation {

// Every comparison that has a size. What has no model, such as a kernel, goes by its kind.
[[nodiscard]] analysis::ResidualPicture residuals_of(const FileReport& report);

} // namespace moesim::validation
