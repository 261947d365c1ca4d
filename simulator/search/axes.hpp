// What a search varies: the values of each axis. Values of training or inference are kept as YAML, too: a candidate is
// written down as what `--set` takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace moesim::search {

template <class Value>
struct Choice {
  std::string text; // YAML in one line
  Value value{};
};

// In the order in which equally good candidates are preferred.
struct Axes {
  std::vector<std::int64_t> tp, cp, pp, ep, etp;
  std::vector<std::int64_t> dp;               // empty: any
  std::vector<std::int64_t> vpp;              // chunks of a stage; empty: as the schedule has them
  std::vector<std::int64_t> batch_size;       // sequences: global_batch_size of training
  std::vector<std::int64_t> micro_batch_size; // empty: whatever divides
  // Of training.
  std::vector<std::string> schedule;
  std::vector<Choice<workloads::Recompute>> recompute;
  std::vector<Choice<workloads::Sharding>> sharding;
  std::vector<Choice<workloads::Overlap>> overlap;
  // Of inference: overlap.two_batch, "false" or "true".
  std::vector<std::string> two_batch;
};

// The scenario that is searched, loaded; candidates are this file with some fields set.
struct Subject {
  std::filesystem::path file;
  std::vector<std::string> assignments; // `--set`, then what makes the cluster as large as it shall be
  scenario::Scenario scenario;          // on that cluster, with the layout of the file
  std::int64_t gpus = 0;                // that every candidate uses
};

// Loads the scenario, and gives it as many nodes as `gpus` need; 0: the GPUs that it uses. Throws InputError.
[[nodiscard]] Subject load_subject(const std::filesystem::path& file, std::span<const std::string> assignments,
                                   std::int64_t gpus);

// All values of each axis (simulator/search/README.md), narrowed by arguments "NAME=v1,v2" whose values are YAML.
// Throws InputError with all problems.
[[nodiscard]] Axes axes_of(const Subject& subject, std::span<const std::string> arguments);

} // namespace moesim::search
