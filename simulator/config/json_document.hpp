// JSON text to a tree. nlohmann-json judges the text and sends events without positions; a cursor that walks the same
// text token by token supplies them.
#pragma once

#include <string>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::config {

// The document in `text`, of any kind. Notes duplicate keys in `problems`; throws InputError, with those too, when
// `text` is not JSON.
[[nodiscard]] Node parse_json_value(const std::string& text, const Position& start, Problems& problems);

} // namespace moesim::config
