// Scenarios written in a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// Loads the text of a scenario from a file of this test's own.
inline Scenario load_text(const std::string& text, const std::vector<std::string>& assignments = {}) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".yaml");
  std::ofstream(file) << text;
  return load(file, assignments);
}

} // namespace moesim::scenario
