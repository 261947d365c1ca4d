// Puts texts into lines of a given width.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moesim::analysis {

// `pieces` in as few lines as it takes, none wider than `width` pixels at a font size; `separator` stands between
// pieces of a line. A piece that is too long for a line by itself is cut, and ends in "…".
[[nodiscard]] std::vector<std::string> lines_of(const std::vector<std::string>& pieces, std::string_view separator,
                                                double width, double font_size);

[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

} // namespace moesim::analysis
