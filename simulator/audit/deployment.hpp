// What a document could have deployed instead: the deployment nearest to its own that does what it claims.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "simulator/claims/claim.hpp"
#include "simulator/search/nearest.hpp"

namespace moesim::audit {

// One for each scenario, with its settings, that claims of times or rates are judged with.
struct Deployment {
  std::string file;                // of the scenario, without folder
  std::string job;                 // "moe30b.yaml with training.seq_length=2048"
  std::vector<std::string> wanted; // ids of the claims that it shall do justice to; none: as fast as possible
  search::Wanted limits;           // all of them together
  search::Nearest nearest;
  std::vector<std::string> assignments; // of what was found, as `--set` takes them
};

// "moesim run FILE --set ...", from the folder of the scenario; "" where nothing was found.
[[nodiscard]] std::string command(const Deployment& deployment);
// Which claims it does justice to: "does what gpu_throughput, first_token claim".
[[nodiscard]] std::string verdict_text(const Deployment& deployment);
// In one line, such as "tp 8 to 4, sharding zero-1 to zero-2", or "as the document has it".
[[nodiscard]] std::string changes_text(const Deployment& deployment);
// What came of it in one line: "13.4 ms, wanted 16 ms; 28.8 ms as the document has it", with the times that are asked
// for.
[[nodiscard]] std::string outcome_text(const Deployment& deployment);

// What a scenario is asked for by its claims: times as they are, rates as the time of a batch. Claims of other
// quantities ask for nothing.
[[nodiscard]] search::Wanted wanted_by(std::span<const claims::Claim> claims, const scenario::Scenario& scenario);
[[nodiscard]] bool asks_for_speed(const claims::Claim& claim);

// Searches around the scenario in `file` with the claims' settings, for what these claims, which are all judged with
// it, want of it. Simulates in `workers` processes.
[[nodiscard]] Deployment find_deployment(const std::filesystem::path& file, std::span<const claims::Claim> claims,
                                         std::size_t workers);

} // namespace moesim::audit
