// The files of vocabulary/, which are part of the program.
#pragma once

#include <string_view>

namespace moesim::validation::vocabulary_files {

extern const std::string_view systems;
extern const std::string_view collectives;
extern const std::string_view inference;
extern const std::string_view kernels;
extern const std::string_view recipes;
extern const std::string_view schedules;
extern const std::string_view training;

} // namespace moesim::validation::vocabulary_files
