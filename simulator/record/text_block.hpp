// Texts of one fixed length, the longest, padded with NUL. HDF5's texts of variable length live in a heap that has no
// checksum, and HDF5 1.10 crashes when that heap is damaged; besides, they cannot be compressed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace moesim::record {

struct TextBlock {
  std::size_t length = 1; // bytes of each text; HDF5 has no texts of length 0
  std::vector<std::byte> bytes;
};

[[nodiscard]] TextBlock text_block(std::span<const std::string> texts);
[[nodiscard]] std::vector<std::string> texts_of(const TextBlock& block);

} // namespace moesim::record
