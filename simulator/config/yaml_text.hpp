// Writes texts and values as YAML.
#pragma once

#include <string>
#include <string_view>

#include "simulator/config/node.hpp"

namespace moesim::config {

// `text` as a YAML scalar in double quotes, control characters escaped: what parse_yaml() reads back.
[[nodiscard]] std::string double_quoted(std::string_view text);

// `node` in one line, such as 8, "a: b" or {overlap: {tp: true}}: what parse_yaml() and set() read back to the same
// value.
[[nodiscard]] std::string flow_text(const Node& node);

} // namespace moesim::config
