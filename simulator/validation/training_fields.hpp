// What the fields of a training entry say, as fields of a scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulator/validation/aliases.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/system.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// Degrees that a source may leave open; none: it does.
struct Degrees {
  std::optional<std::int64_t> tp;
  std::optional<std::int64_t> pp;
  std::optional<std::int64_t> ep;
};

// An entry on its way to a scenario.
struct TrainingFields {
  Entry entry;
  System system;
  Model model;
  config::Node rule;     // of the framework
  std::string framework; // its name
  std::string schedule;  // of the pipeline; empty: not given
  std::string precision;
  std::string release;
  std::int64_t gpus = 0;
  std::int64_t seq_length = 0;
  std::int64_t global_batch_size = 0;
  Degrees degrees;
  std::int64_t cp = 1;                          // ranks that share a sequence, however they attend to all of it
  std::optional<std::int64_t> micro_batch_size; // to be tried; else: micro_batch.hpp
  bool has_experts = false;
  std::vector<std::string> assumptions;
};

// Throws Unpredictable when something is missing that nobody can fill in.
[[nodiscard]] TrainingFields training_fields(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary);

// All that differs from a scenario without any field, for degrees that are all given.
[[nodiscard]] std::vector<std::string> assignments(const TrainingFields& fields, const Degrees& degrees,
                                                   const Vocabulary& vocabulary);

} // namespace moesim::validation
