#include "simulator/scenario/later_fields.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/node.hpp"

namespace moesim::scenario {

std::string choice(config::MapReader& map, std::string_view key, std::string_view fallback,
                   std::span<const std::string_view> names, std::initializer_list<std::string_view> later) {
  const config::Node* node = map.node(key);
  const bool is_later = node != nullptr && node->kind == config::Node::Kind::Scalar &&
                        std::ranges::count(later, node->scalar) > 0 && std::ranges::count(names, node->scalar) == 0;
  if (!is_later)
    return map.choice_or(key, fallback, names);
  map.problem(key, fmt::format("{} is not available yet; use {}", node->scalar, fmt::join(names, " or ")));
  return std::string(fallback);
}

void only(config::MapReader& map, std::string_view key, std::string_view value,
          std::initializer_list<std::string_view> later) {
  const std::array<std::string_view, 1> names{value};
  choice(map, key, value, names, later);
}

} // namespace moesim::scenario
