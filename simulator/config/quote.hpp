// Shows text of the user inside a message, which must stay one readable line whatever the text holds.
#pragma once

#include <string>
#include <string_view>

#include "simulator/config/node.hpp"

namespace moesim::config {

// `text` with control characters escaped and everything after 60 characters replaced by "...".
[[nodiscard]] std::string shown(std::string_view text);

// What stands at `node`, as the first half of a message: `the text "eight"`, `the number 8`, `a list`.
[[nodiscard]] std::string description(const Node& node);

} // namespace moesim::config
