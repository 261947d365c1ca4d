// Which stage holds what, as one string: Megatron Core's `pipeline_model_parallel_layout`, such as
// "Et*3|(tt|)*13,t|tL". E is the embedding, t a transformer layer, m a layer for multi-token prediction, L the loss
// (and the head); | ends a stage; x*n and (...)*n repeat a letter and a group, which may hold |; commas mean nothing.
// Groups do not nest. (Megatron Core, pipeline_parallel_layer_layout.py)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moesim::workloads {

struct PipelineLayout {
  std::vector<std::int64_t> layers_per_stage; // t's; a stage with E or L may have none
  std::int64_t mtp_layers = 0;                // m's, in the last stage

  // What is wrong with the string, one line each, with the position (from 1) and what would be right; when there is
  // something, the rest means nothing.
  std::vector<std::string> problems;
};

// A stage for each part between bars, however many there should be.
[[nodiscard]] PipelineLayout read_pipeline_layout(std::string_view text);

} // namespace moesim::workloads
