// What models are called in published tables: an aliases.yaml, and the config.json files in models/ beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/validation/entry.hpp"

namespace moesim::validation {

struct Model {
  std::string file;                     // a config.json
  std::vector<std::string> assignments; // "model.num_hidden_layers=12": how it differs from that
  config::Node fields;                  // both together
};

class Aliases {
public:
  // Throws InputError with all problems of the file.
  explicit Aliases(const std::filesystem::path& file);

  // By the name in the entry's config, in the variant that its other fields choose. Its own numbers of layers, heads
  // and words and its hidden size come last. Throws Unpredictable when nothing is known of the model.
  [[nodiscard]] Model model_of(const Entry& entry) const;

  // The entry with the values that its source does not print, and what they are: "seq_length: 8192 (why)".
  [[nodiscard]] Entry completed(Entry entry, std::vector<std::string>& assumptions) const;

private:
  std::filesystem::path folder_;
  config::Node models_;
  std::vector<config::Node> defaults_;
};

} // namespace moesim::validation
