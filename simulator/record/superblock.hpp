// H5Fget_file_image clears a flag in the superblock and leaves the checksum as it was, so that nobody can open the
// image (https://github.com/HDFGroup/hdf5/pull/5489, in HDF5 up to 1.14.6). This puts the checksum right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moesim::record {

// Bob Jenkins' lookup3 (hashlittle, initial value 0), which HDF5 uses for its metadata.
[[nodiscard]] std::uint32_t lookup3(std::span<const std::byte> bytes);

// `image` starts with a superblock of version 2 or 3.
void correct_superblock_checksum(std::span<std::byte> image);

} // namespace moesim::record
