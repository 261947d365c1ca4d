#include "tests/cli/golden.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using Json = nlohmann::ordered_json;

bool updates() {
  const char* chosen = std::getenv("MOESIM_UPDATE_GOLDEN");
  return chosen != nullptr && std::string_view(chosen) == "1";
}

void write(std::string_view name, const std::string& text) {
  std::filesystem::create_directories(golden_folder());
  std::ofstream(golden_folder() / name, std::ios::binary) << text;
}

Json load(std::string_view name) {
  if (!std::filesystem::exists(golden_folder() / name))
    return Json::object();
  return Json::parse(read_all(golden_folder() / name));
}

double default_tolerance(const Json& value) {
  if (value.is_object())
    return 1e-9;
  const bool is_whole = value.is_number() && value.get<double>() == std::floor(value.get<double>());
  return value.is_number() && !is_whole ? 1e-9 : 0;
}

void update(std::string_view name, const Json& actual) {
  const Json before = load(name);
  Json golden = Json::object();
  for (const auto& [key, value] : actual.items()) {
    const double tolerance =
        before.contains(key) ? before[key]["relative_tolerance"].get<double>() : default_tolerance(value);
    golden[key] = {{"value", value}, {"relative_tolerance", tolerance}};
  }
  write(name, golden.dump(2) + "\n");
}

// The largest number in a value: what the tolerances of smaller ones beside it are relative to.
double magnitude(const Json& value) {
  double largest = 0;
  const Json items = value.flatten();
  for (const auto& [key, item] : items.items())
    largest = std::max(largest, item.is_number() ? std::abs(item.get<double>()) : 0.0);
  return largest;
}

void compare_within(const std::string& key, const Json& expected, const Json& actual, double tolerance) {
  const Json items = expected.flatten();
  const Json found = actual.flatten();
  EXPECT_EQ(found.size(), items.size()) << key;
  for (const auto& [path, value] : items.items()) {
    if (value.is_number() && found.contains(path) && found[path].is_number())
      EXPECT_LE(std::abs(found[path].get<double>() - value.get<double>()), tolerance)
          << key << path << " is " << found[path] << ", expected " << value;
    else
      EXPECT_EQ(found.contains(path) ? found[path] : Json(), value) << key << path;
  }
}

void compare(const std::string& key, const Json& expected, const Json& actual) {
  const Json& value = expected["value"];
  if (!value.is_primitive() && !value.empty())
    return compare_within(key, value, actual, expected["relative_tolerance"].get<double>() * magnitude(value));
  if (!value.is_number() || !actual.is_number()) {
    EXPECT_EQ(actual, value) << key;
    return;
  }
  const double tolerance = expected["relative_tolerance"].get<double>();
  EXPECT_LE(std::abs(actual.get<double>() - value.get<double>()), tolerance * std::abs(value.get<double>()))
      << key << " is " << actual << ", expected " << value;
}

} // namespace

std::filesystem::path golden_folder() {
  return std::filesystem::path(MOESIM_TEST_DIR) / "golden";
}

void expect_golden_text(std::string_view name, const std::string& text) {
  if (updates())
    return write(name, text);
  EXPECT_EQ(text, read_all(golden_folder() / name)) << name;
}

void expect_golden_json(std::string_view name, const std::string& json) {
  const Json actual = Json::parse(json);
  if (updates())
    return update(name, actual);
  const Json golden = load(name);
  for (const auto& [key, expected] : golden.items()) {
    EXPECT_TRUE(actual.contains(key)) << name << " has an entry '" << key << "' that nothing uses";
    if (actual.contains(key))
      compare(key, expected, actual[key]);
  }
  for (const auto& [key, value] : actual.items())
    EXPECT_TRUE(golden.contains(key)) << name << " has no entry '" << key << "'; its value is " << value;
}

} // namespace moesim::testing
