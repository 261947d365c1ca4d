// The files of this folder as texts inside the program. CMake makes the definitions (cmake/EmbedTexts.cmake).
#pragma once

#include <string_view>

namespace moesim::audit::page_files {

extern const std::string_view page;   // audit.html
extern const std::string_view style;  // audit.css
extern const std::string_view script; // audit.js

} // namespace moesim::audit::page_files
