// Puts data into the texts of a page.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace moesim::analysis {

// JSON that can stand inside a script element, where only "<" can do harm: it begins what ends the element, or a
// comment.
[[nodiscard]] std::string script_safe(std::string_view json);

// The template with each {{name}} replaced by its value. What is put in is not looked at again.
[[nodiscard]] std::string filled(std::string_view page, const std::map<std::string_view, std::string>& values);

} // namespace moesim::analysis
