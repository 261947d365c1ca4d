// Builds an HDF5 file in memory. The disk sees it only when it is complete: running out of space is then one failed
// write of plain bytes, where HDF5 would be caught half-way through its own structures.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "simulator/record/column.hpp"

namespace moesim::record {

struct GroupAttribute {
  std::string path; // of the group
  std::string name;
  std::vector<std::string> words;
};

// Same columns and attributes, same bytes. Groups are made from the columns' paths. `target` is named in errors.
[[nodiscard]] std::vector<std::byte> hdf5_image(std::span<const Column> columns,
                                                std::span<const GroupAttribute> attributes, const std::string& target);

} // namespace moesim::record
