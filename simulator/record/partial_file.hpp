// Replaces a file in one step: bytes go to a temporary beside it, reach the disk, and are renamed over it. Whoever
// looks sees the old file or the new one, never half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace moesim::record {

// Throws ResultFileError with the system's reason; the temporary is gone by then.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

} // namespace moesim::record
