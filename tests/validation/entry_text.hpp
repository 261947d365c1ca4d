// Entries for tests: written as YAML and read as `moesim validate` does.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/validation/entry.hpp"

namespace moesim::validation {

// A file of its own for each test, in the folder for temporary files.
inline std::filesystem::path file_of(const std::string& text) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / (std::string(test->test_suite_name()) + test->name() + ".yaml");
  std::ofstream(file) << text;
  return file;
}

// One entry: `rest` holds its config and what was measured, as flow maps.
inline Entry entry_of(const std::string& system, const std::string& rest, const std::string& source = "A paper") {
  return read_entries(file_of("- id: it\n  source: {title: " + source + "}\n  system: '" + system + "'\n" + rest))
      .at(0);
}

} // namespace moesim::validation
