// A scenario file to search, gone when the test ends: small enough to simulate all that a few axes give.
#pragma once

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "simulator/search/space.hpp"
#include "tests/record/temporary_folder.hpp"

namespace moesim::search {

inline constexpr std::string_view searched_scenario = R"(version: 1
name: searched
platform: {base: dgx-h100, nodes: 2, node: {gpus: 4}}
model:
  model_type: mixtral
  hidden_size: 256
  num_hidden_layers: 4
  num_attention_heads: 4
  intermediate_size: 512
  vocab_size: 1000
  num_local_experts: 4
  num_experts_per_tok: 2
parallel: {tp: 2, pp: 2, ep: 2}
)";
inline constexpr std::string_view searched_training = "training: {global_batch_size: 8, seq_length: 128}\n";
inline constexpr std::string_view searched_inference =
    "inference: {batch_size: 16, prompt_length: 64, output_length: 3, micro_batch_size: 4}\n";

class Searched {
public:
  explicit Searched(std::string_view work = searched_training) : file_(folder_ / "scenario.yaml") {
    std::ofstream(file_, std::ios::binary) << searched_scenario << work;
  }

  [[nodiscard]] Subject subject(std::int64_t gpus = 0) const { return load_subject(file_, {}, gpus); }
  [[nodiscard]] Space space(const std::vector<std::string>& axes, std::int64_t gpus = 0) const {
    Subject loaded = subject(gpus);
    Axes read = axes_of(loaded, axes);
    return Space(std::move(loaded), std::move(read));
  }

private:
  moesim::testing::TemporaryFolder folder_;
  std::filesystem::path file_;
};

// Every candidate, in the order of preference.
inline std::vector<Candidate> candidates_of(const Space& space) {
  std::vector<Candidate> all;
  for (std::uint32_t layout = 0; layout < space.layouts().size(); ++layout)
    for (const std::uint32_t variant : space.variants_of(space.layouts()[layout]))
      all.push_back({layout, variant});
  return all;
}

} // namespace moesim::search
