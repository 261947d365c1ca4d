// A temporary folder for sweep files and the scenarios that they name.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "simulator/base/input_error.hpp"
#include "simulator/sweep/plan.hpp"
#include "tests/record/temporary_folder.hpp"

namespace moesim::sweep {

class SweepFiles {
public:
  SweepFiles() { write("base.yaml", "version: 1\n"); }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  [[nodiscard]] Plan plan(std::string_view text) const {
    write("sweep.yaml", text);
    return read_plan(folder_ / "sweep.yaml");
  }

  // The assignments of each point, joined by spaces.
  [[nodiscard]] std::vector<std::string> points(std::string_view text) const {
    std::vector<std::string> result;
    for (const Point& point : plan(text).points) {
      std::string line;
      for (const std::string& assignment : point.assignments())
        line += (line.empty() ? "" : " ") + assignment;
      result.push_back(line);
    }
    return result;
  }

  // What is said about a sweep file, without its folder.
  [[nodiscard]] std::string problems(std::string_view text) const {
    try {
      (void)plan(text);
    } catch (const InputError& error) {
      std::string said = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at = 0; (at = said.find(prefix)) != std::string::npos;)
        said.erase(at, prefix.size());
      return said;
    }
    return "";
  }

private:
  testing::TemporaryFolder temporary_;
  std::filesystem::path folder_ = temporary_.path();
};

} // namespace moesim::sweep
