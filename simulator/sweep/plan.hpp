// What a sweep simulates: points, each a scenario with some of its fields set. A point's number is its place in the
// plan, and the same sweep file gives the same plan.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace moesim::sweep {

// The most points of a sweep.
inline constexpr std::size_t most_points = 100'000;

struct Setting {
  std::string field; // dotted path, such as training.micro_batch_size
  std::string value; // YAML in one line

  // As `--set` takes it.
  [[nodiscard]] std::string assignment() const { return field + "=" + value; }
  bool operator==(const Setting&) const = default;
};

struct Point {
  std::size_t scenario = 0; // index into Plan::scenarios
  std::vector<Setting> settings;

  [[nodiscard]] std::vector<std::string> assignments() const;
  bool operator==(const Point&) const = default;
};

struct ScenarioFile {
  std::string reference; // as the sweep file names it
  std::filesystem::path file;
};

struct Plan {
  std::string name;
  std::vector<ScenarioFile> scenarios;
  std::vector<std::string> fields; // every field that a point sets, in the order of axes or columns
  std::vector<Point> points;
};

// Reads a sweep file (simulator/sweep/README.md), and the CSV of settings that it may name. Scenarios have to exist and
// to be YAML; whether points are valid is found when they are loaded. Throws InputError with all problems.
[[nodiscard]] Plan read_plan(const std::filesystem::path& file);

} // namespace moesim::sweep
