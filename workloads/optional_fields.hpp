// Fields of a config.json that may be null, which there means "not given".
#pragma once

#include "simulator/config/map_reader.hpp"

namespace moesim::workloads {

[[nodiscard]] inline bool is_given(config::MapReader& map, std::string_view key) {
  const config::Node* node = map.node(key);
  return node != nullptr && node->kind != config::Node::Kind::Null;
}

[[nodiscard]] inline std::int64_t integer_if_given(config::MapReader& map, std::string_view key, std::int64_t fallback,
                                                   config::IntegerRange range) {
  return is_given(map, key) ? map.integer(key, range) : fallback;
}

} // namespace moesim::workloads
