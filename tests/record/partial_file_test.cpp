#include "simulator/record/partial_file.hpp"

#include <fstream>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/record/temporary_folder.hpp"

namespace moesim::record {
namespace {

using moesim::testing::TemporaryFolder;

std::string read_all(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(FileReplacement, ReplacesTheOlderFileOnlyWhenItIsFinished) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "file";
  replace_file(path, bytes("old"));
  {
    FileReplacement file(path);
    file.append(bytes("ne"));
    file.append(bytes("w"));
    EXPECT_EQ(read_all(path), "old");
    file.finish();
    EXPECT_EQ(read_all(path), "new");
  }
  EXPECT_EQ(folder.file_count(), 1U);
}

TEST(FileReplacement, LeavesNothingWhenItIsGivenUp) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "file";
  {
    FileReplacement file(path);
    file.append(bytes("half"));
    EXPECT_EQ(folder.file_count(), 1U);
  }
  EXPECT_EQ(folder.file_count(), 0U);
}

} // namespace
} // namespace moesim::record
