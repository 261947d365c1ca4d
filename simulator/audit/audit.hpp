// Compares what a document claims of a deployment with what its own figures imply and with what is simulated.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "simulator/audit/deployment.hpp"
#include "simulator/audit/judge.hpp"
#include "simulator/pool/process_pool.hpp"

namespace moesim::audit {

struct Finding {
  claims::Claim claim;
  Evidence evidence;
  Verdict verdict = Verdict::NotCheckable;
  std::string because; // one line
};

struct Audit {
  std::string name;                    // of the scenario
  std::string file;                    // its name without folder: where it lies is nobody's result
  std::vector<Finding> findings;       // in the order of the claims
  std::vector<Deployment> deployments; // that do what the document wants, in the order of the claims that want it

  [[nodiscard]] std::size_t count(Verdict verdict) const;
  // Whether every claim is consistent or not-checkable.
  [[nodiscard]] bool holds() const;
};

// Loads the scenario and those that its claims name, simulates each once in `workers` processes, and judges every
// claim; then looks for the nearest deployments. Throws InputError for what is wrong with the scenarios, also when
// there are no claims or a sum has no value.
[[nodiscard]] Audit audit(const std::filesystem::path& file, std::size_t workers,
                          const pool::ProgressSink& progress = {});

// Keys: name, scenario and claims; of each claim id, quote, unit, claimed, derived, simulated, verdict, because;
// figures as numbers in the unit, of percentages as fractions. A claim that is a bound says so under `relation`
// ("below", "above"), a span has its upper end under `claimed_to`. Of each of `deployments`: scenario, wanted (ids of
// claims), meets (null where nothing is wanted), changes (axis, from, to), outcome, command, time_s, wanted_time_s,
// time_as_given_s and memory_bytes, null where there is none.
[[nodiscard]] std::string to_json(const Audit& audit);

// One HTML file that opens from disk and asks nothing of the network. The same audit gives the same bytes.
[[nodiscard]] std::string page(const Audit& audit);

} // namespace moesim::audit
