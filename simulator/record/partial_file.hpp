// Replaces a file in one step: bytes go to a temporary beside it, reach the disk, and are renamed over it. Whoever
// looks sees the old file or the new one, never half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace moesim::record {

// Throws ResultFileError with the system's reason; the temporary is gone by then.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

// The same for bytes that come little by little. The older file stays until finish(). At most one at a time.
class FileReplacement {
public:
  explicit FileReplacement(const std::filesystem::path& path);
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;
  ~FileReplacement();

  void append(std::span<const std::byte> bytes);
  void finish();

private:
  class PartialFile;
  std::unique_ptr<PartialFile> file_;
};

} // namespace moesim::record
