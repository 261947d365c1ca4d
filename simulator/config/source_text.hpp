// The bytes of a document, checked before a parser sees them: yaml-cpp takes the byte 4 for the end of the file, drops
// NUL bytes, and guesses an encoding, all in silence.
#pragma once

#include <string>

#include "simulator/base/input_error.hpp"

namespace moesim::config {

// `text` without its byte order mark and with every line end as '\n'. `start` is where its first character stands.
// Throws InputError at the first byte that is no UTF-8 or that is a control character other than tab and line end.
[[nodiscard]] std::string checked_text(const std::string& text, const Position& start);

// The place of the byte at `offset` of a checked text; columns count bytes.
[[nodiscard]] Position position_at(const std::string& text, std::size_t offset, const Position& start);

} // namespace moesim::config
