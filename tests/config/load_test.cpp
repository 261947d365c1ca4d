#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "simulator/config/node.hpp"
#include "tests/config/error_text.hpp"
#include "tests/config/node_text.hpp"

namespace moesim::config {
namespace {

class Load : public testing::Test {
protected:
  void SetUp() override {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::path(testing::TempDir()) / ("moesim_load_" + test);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

std::string error(const std::filesystem::path& path) {
  return error_text([&] { (void)load(path); });
}

TEST_F(Load, TheEndingChoosesTheLanguage) {
  EXPECT_EQ(node_text(load(write("a.yaml", "a: 1\n"))), "{a@1:1: 1@1:4}@1:1");
  EXPECT_EQ(node_text(load(write("a.json", "{\"a\": 1}"))), "{a@1:2: 1@1:7}@1:1");
  EXPECT_NE(error(write("yaml.json", "a: 1\n")), "");
}

TEST_F(Load, ValuesKnowTheFileAsGiven) {
  const std::filesystem::path path = write("a.yaml", "a: 1\n");
  EXPECT_EQ(load(path).find("a")->position.file, path.string());
}

TEST_F(Load, FilesThatCannotBeReadAreWholeFileProblems) {
  const std::filesystem::path missing = folder_ / "missing.yaml";
  EXPECT_EQ(error(missing),
            missing.string() + ":1:1: cannot be opened (No such file or directory); expected a YAML or JSON file\n");
  EXPECT_EQ(error(folder_), folder_.string() + ":1:1: this is a folder; expected a YAML or JSON file\n");
}

TEST_F(Load, OversizedFilesAreRefusedUnparsed) {
  const std::filesystem::path path = write("large.yaml", "a: 1\n");
  std::filesystem::resize_file(path, (std::uintmax_t{64} << 20) + 1);
  EXPECT_EQ(error(path), path.string() + ":1:1: the file is too large; expected at most 64 MiB\n");
}

} // namespace
} // namespace moesim::config
