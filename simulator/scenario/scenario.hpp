// A scenario: what to simulate, complete and checked. Everything that can be wrong with a user's input is found here;
// later stages rely on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/claims/claim.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/scenario/adapt.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::scenario {

// Whether ranks that provably behave alike are simulated once (auto), or every rank by itself (off).
enum class Symmetry : std::uint8_t { Auto, Off };

struct Scenario {
  std::string name;
  std::string file; // that it was read from, for messages
  std::string text; // as the user wrote it
  platforms::Cluster cluster;
  std::variant<workloads::TrainingJob, workloads::InferenceJob> work; // what the GPUs do
  std::string rank_order{workloads::default_rank_order};
  cost::NetworkOptions network; // how each stream communicates
  cost::LaunchTimes launch;     // what a kernel costs the host; of inference nothing, as its steps are CUDA graphs
  Symmetry symmetry = Symmetry::Auto;
  std::uint64_t seed = 1;
  std::vector<claims::Claim> claims;   // of the document that it was made from; they change no result
  std::vector<Adaptation> adaptations; // by rules of `adapt:`, whose settings the fields above have
  std::vector<std::string> warnings;   // one line each, such as fields of a model file that mean nothing here

  // What training and inference share: the model and its layout.
  [[nodiscard]] const workloads::Job& job() const;
  [[nodiscard]] workloads::Job& job();
  // Each requires the scenario to be one of it.
  [[nodiscard]] const workloads::TrainingJob& training_job() const { return std::get<workloads::TrainingJob>(work); }
  [[nodiscard]] workloads::TrainingJob& training_job() { return std::get<workloads::TrainingJob>(work); }
  [[nodiscard]] const workloads::InferenceJob& inference_job() const { return std::get<workloads::InferenceJob>(work); }
  [[nodiscard]] workloads::InferenceJob& inference_job() { return std::get<workloads::InferenceJob>(work); }

  [[nodiscard]] bool is_training() const { return std::holds_alternative<workloads::TrainingJob>(work); }
  [[nodiscard]] Precision precision() const; // of matrix products
};

// The most that one run takes: task rows (simulated GPUs x micro-batches x layers x steps of a layer x tokens), ranks,
// and bytes that one transfer may be about (a layer's activations or a rank's gradients).
inline constexpr double most_rows = 2e8;
inline constexpr std::int64_t most_ranks = 1'048'576;
inline constexpr Bytes most_bytes{4e13};

// Reads a scenario file, applies `assignments` ("path.to.field=value") in order, fills in every default and checks that
// everything fits together. Throws InputError with all problems found.
[[nodiscard]] Scenario load(const std::filesystem::path& file, std::span<const std::string> assignments);

// The same for a text, as if it stood in `file`, which is what its relative paths and messages refer to.
[[nodiscard]] Scenario parse(const std::string& text, const std::filesystem::path& file,
                             std::span<const std::string> assignments);

// Whether the sections of a scenario that nobody wrote down fit together: load() would accept them, unless the run that
// they make is too large. Each value has to be sound by itself.
[[nodiscard]] bool is_consistent(const Scenario& scenario);

// What the fullest GPU needs at its fullest moment, by workloads::stage_memories().
[[nodiscard]] Bytes estimated_memory(const Scenario& scenario);

// The scenario as YAML with every default visible and nothing left to look up; load() reads it back to the same value,
// but for the claims, which say nothing of what is simulated and are left out, and the rules of `adapt`: comments say
// which have been applied.
[[nodiscard]] std::string resolved_yaml(const Scenario& scenario);
// Fields of its `training`, in one line.
[[nodiscard]] std::string yaml_of(const workloads::Recompute& recompute);
[[nodiscard]] std::string yaml_of(const workloads::Overlap& overlap);

} // namespace moesim::scenario
