// Runs the real moesim in a process of its own, in a folder that holds nothing but what the test wrote there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace moesim::testing {

struct Outcome {
  int status = 0; // exit status; 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// Several lines, each ended by a newline.
[[nodiscard]] std::string lines(std::initializer_list<std::string_view> each);

// tests/cli/small.yaml, with `from` replaced by `to` where it first occurs. Fails the test when it does not occur.
using Edit = std::pair<std::string_view, std::string_view>;
[[nodiscard]] std::string small_scenario(std::initializer_list<Edit> edits = {});
// The model section of tests/cli/small.yaml.
[[nodiscard]] std::string small_model();

[[nodiscard]] std::string read_all(const std::filesystem::path& file);

// A temporary folder in which commands run.
class Workplace {
public:
  Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace();

  using Arguments = std::vector<std::string>;
  // In the new process, before moesim starts: limits, redirections.
  using Preparation = std::function<void()>;

  // Writes a file below the folder, and the folders that its name asks for.
  void write(const std::filesystem::path& name, std::string_view text) const;
  // Runs `moesim ARGUMENTS`. A run that takes over a minute is ended by SIGALRM (status 142).
  [[nodiscard]] Outcome run(const Arguments& arguments, const Preparation& prepare = {}) const;
  // The same, and sends `signal` once `is_time` says so.
  [[nodiscard]] Outcome interrupt(const Arguments& arguments, int signal, const std::function<bool()>& is_time) const;
  // Writes scenario.yaml and runs `moesim check scenario.yaml`.
  [[nodiscard]] Outcome check(std::string_view scenario) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Names of everything in the folder, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

private:
  [[nodiscard]] pid_t start(const Arguments& arguments, const Preparation& prepare, int out, int err) const;

  std::filesystem::path path_;
};

// What `moesim check scenario.yaml` says about a scenario that it must refuse.
[[nodiscard]] std::string problems(std::string_view scenario);

} // namespace moesim::testing
