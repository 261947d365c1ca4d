// Files of measurements to reports: every entry is read, turned into a question, answered in a process of its own, and
// compared.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <regex>
#include <vector>

#include "simulator/validation/comparison.hpp"

namespace moesim::validation {

struct Options {
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> aliases; // none: aliases.yaml beside each file
  std::optional<std::regex> only;               // entries in whose id it is found
  std::size_t workers = 1;
};

using Progress = std::function<void(std::size_t done, std::size_t total)>;

// A report for each file, the same for any number of workers. Throws InputError with the problems of all files.
[[nodiscard]] std::vector<FileReport> validate(const Options& options, const Progress& progress);

} // namespace moesim::validation
