// Values of options that carry a unit, written as in a scenario: 10ms, 4GiB.
#pragma once

#include <string>

#include "simulator/base/units.hpp"

namespace moesim::cli {

// Throw CLI::ValidationError that names the option when the text is no such quantity.
[[nodiscard]] Seconds time_option(const char* option, const std::string& text);
[[nodiscard]] Bytes size_option(const char* option, const std::string& text);

} // namespace moesim::cli
