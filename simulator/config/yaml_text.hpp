// Writes text as YAML.
#pragma once

#include <string>
#include <string_view>

namespace moesim::config {

// `text` as a YAML scalar in double quotes, control characters escaped: what parse_yaml() reads back.
[[nodiscard]] std::string double_quoted(std::string_view text);

} // namespace moesim::config
