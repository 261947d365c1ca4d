// The files of this folder and d3, as texts inside the program. CMake makes the definitions (cmake/EmbedTexts.cmake).
#pragma once

#include <string_view>

namespace moesim::analysis::page_files {

extern const std::string_view page_template;  // gantt.html
extern const std::string_view style;          // gantt.css
extern const std::string_view script;         // the scripts, one after the other
extern const std::string_view sweep_template; // sweep.html
extern const std::string_view sweep_style;    // sweep.css
extern const std::string_view sweep_script;   // sweep.js
extern const std::string_view d3;             // d3.min.js of Debian's package node-d3

} // namespace moesim::analysis::page_files
