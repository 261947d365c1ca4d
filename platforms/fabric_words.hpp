// A fabric as the fields that say it, for dumps and for YAML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platforms/cluster.hpp"

namespace moesim::platforms {

inline constexpr std::string_view non_blocking = "non-blocking";
inline constexpr std::string_view fat_tree = "fat-tree";
inline constexpr std::string_view rail_optimized = "rail-optimized";
inline constexpr std::string_view rail_only = "rail-only";

[[nodiscard]] std::string_view type_name(const Fabric& fabric);
[[nodiscard]] std::string_view name_of(Routing routing);

// What the type leaves open, as the field of YAML and as dumps show it. Fields that say nothing new are left out.
struct FabricField {
  std::string_view name;
  std::string yaml;
  std::string shown;
};
[[nodiscard]] std::vector<FabricField> fields_of(const Fabric& fabric);

} // namespace moesim::platforms
