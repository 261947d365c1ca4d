// Shuffles and deflates chunks of columns exactly as HDF5's filter pipeline would, on several threads: deflate is
// nearly all of the time it takes to write a result file, and HDF5 would run it on one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace moesim::record {

// Level 1: result files are written often and read seldom; level 6 takes four times as long for a tenth less.
inline constexpr int deflate_level = 1;

struct RawChunk {
  std::span<const std::byte> bytes;
  std::size_t full_size = 0;    // bytes of a whole chunk; what `bytes` lacks of it is padded with zeros
  std::size_t element_size = 1; // bytes
};

struct PackedChunk {
  std::vector<unsigned char> bytes;
  std::uint32_t skipped_filters = 0; // HDF5's filter mask: bit 1 is set when deflate did not pay
};

// In the order of `chunks`; the result does not depend on the number of threads.
[[nodiscard]] std::vector<PackedChunk> pack(std::span<const RawChunk> chunks);

} // namespace moesim::record
