#include "simulator/record/result_file.hpp"

#include "simulator/base/check.hpp"
#include "tests/record/sample_record.hpp"
#include "tests/record/temporary_folder.hpp"

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

// HDF5 forgets some memory when a file is damaged; the leak sanitizer asks this function what to overlook.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

namespace moesim::record {
namespace {

using moesim::testing::sample_record;
using moesim::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ResultFileError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ResultFile, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const RunRecord run = sample_record();
  write(run, folder / "out.h5");
  EXPECT_EQ(read(folder / "out.h5"), run);
  EXPECT_EQ(folder.file_count(), 1U);
}

TEST(ResultFile, GivesBackColumnsOfSeveralChunks) {
  const TemporaryFolder folder;
  const RunRecord run =
      sample_record({.stages = 4, .micro_batches = 64, .layers_per_stage = 30, .ranks_per_stage = 4, .folded = false});
  ASSERT_GT(run.tasks.size(), std::size_t{2} * (1 << 20) / sizeof(double)) << "start has to span several chunks";
  write(run, folder / "out.h5");
  EXPECT_EQ(read(folder / "out.h5"), run);
}

TEST(ResultFile, GivesBackManyLongNames) {
  const TemporaryFolder folder;
  RunRecord run = sample_record();
  for (int i = 0; i < 2000; ++i)
    run.tasks.names.push_back(std::to_string(i) + std::string(60, 'x')); // 120 kB: more than a header of HDF5 holds
  write(run, folder / "out.h5");
  EXPECT_EQ(read(folder / "out.h5"), run);
}

TEST(ResultFile, GivesBackARunWithoutRows) {
  const TemporaryFolder folder;
  write({}, folder / "out.h5");
  EXPECT_EQ(read(folder / "out.h5"), RunRecord());
}

TEST(ResultFile, SameRecordGivesSameBytesAtAnotherTimeUnderAnotherName) {
  const TemporaryFolder folder;
  write(sample_record(), folder / "a.h5");
  sleep(1); // HDF5 counts in seconds
  write(sample_record(), folder / "b.h5");
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(ResultFile, ReplacesAnOlderFileAndFollowsLinks) {
  const TemporaryFolder folder;
  put(folder / "old.h5", "old");
  std::filesystem::create_symlink(folder / "old.h5", folder / "link.h5");
  write(sample_record(), folder / "link.h5");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.h5"));
  EXPECT_EQ(read(folder / "old.h5"), sample_record());
}

TEST(ResultFile, FullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  put(folder / "out.h5", "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{2000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  // SIGXFSZ is left at its default, which ends the process: write() has to keep it away.
  const std::string error = error_of([&] { write(sample_record(), folder / "out.h5"); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error, (folder / "out.h5").string() + ": cannot write: File too large");
  EXPECT_EQ(bytes_of(folder / "out.h5"), "old");
  EXPECT_EQ(folder.file_count(), 1U);
}

TEST(ResultFile, InterruptWhileWritingLeavesNothing) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGINT, [](int) {
      remove_partial_files();
      _exit(130);
    });
    const RunRecord run = sample_record();
    for (;;)
      write(run, folder / "out.h5");
  }
  usleep(200'000);
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_EQ(folder.file_count(), 1U) << "out.h5 of an earlier round, and no temporary";
  EXPECT_EQ(read(folder / "out.h5"), sample_record());
}

TEST(ResultFile, RefusesToWriteARecordThatBreaksItsRules) {
  const TemporaryFolder folder;
  RunRecord run = sample_record();
  run.tasks.layer.pop_back();
  EXPECT_THROW(write(run, folder / "out.h5"), InternalError);
  EXPECT_EQ(folder.file_count(), 0U);
}

TEST(CheckWritable, NamesThePathAndTheReason) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { check_writable(folder / "out.h5"); }), "no error");
  EXPECT_EQ(folder.file_count(), 0U);
  EXPECT_EQ(error_of([&] { check_writable(folder / "none/out.h5"); }),
            (folder / "none/out.h5").string() + ": cannot write: No such file or directory");
  std::filesystem::create_directory(folder / "dir.h5");
  EXPECT_THAT(error_of([&] { check_writable(folder / "dir.h5"); }), HasSubstr(": cannot write: Is a directory"));
  EXPECT_EQ(error_of([&] { check_writable("/dev/full"); }), "/dev/full: cannot write: Not a regular file");
  EXPECT_THAT(error_of([&] { check_writable(folder / std::string(300, 'x').c_str()); }), HasSubstr("too long"));
}

TEST(ReadResult, SaysWhyAForeignFileIsRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { (void)read(folder / "none.h5"); }), HasSubstr("none.h5: cannot read: No such file"));
  put(folder / "text.h5", "start,end\n0,1\n");
  EXPECT_THAT(error_of([&] { (void)read(folder / "text.h5"); }), HasSubstr("text.h5: is not an HDF5 file"));
  put(folder / "empty.h5", "");
  EXPECT_THAT(error_of([&] { (void)read(folder / "empty.h5"); }), HasSubstr("empty.h5: is not an HDF5 file"));
  H5Fclose(H5Fcreate((folder / "other.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_THAT(error_of([&] { (void)read(folder / "other.h5"); }), HasSubstr("is not a result file of moesim"));
}

// Opens a good file to spoil it.
class SpoiledFile : public ::testing::Test {
protected:
  void SetUp() override {
    write(sample_record(), path_);
    file_ = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  }
  std::string error_after_closing() {
    H5Fclose(file_);
    return error_of([&] { (void)read(path_); });
  }
  template <class T>
  void overwrite_first(const char* dataset, hid_t type, T value) {
    const hid_t set = H5Dopen2(file_, dataset, H5P_DEFAULT);
    const hid_t all = H5Dget_space(set);
    const hid_t one = H5Screate(H5S_SCALAR);
    const hsize_t first = 0;
    if (H5Sget_simple_extent_ndims(all) == 1)
      H5Sselect_elements(all, H5S_SELECT_SET, 1, &first);
    EXPECT_GE(H5Dwrite(set, type, one, all, H5P_DEFAULT, &value), 0);
    H5Sclose(one);
    H5Sclose(all);
    H5Dclose(set);
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "out.h5";
  hid_t file_ = -1;
};

TEST_F(SpoiledFile, NamesTheMissingDataset) {
  H5Ldelete(file_, "tasks/layer", H5P_DEFAULT);
  EXPECT_EQ(error_after_closing(), path_.string() + ": tasks/layer is missing");
}

TEST_F(SpoiledFile, NamesBothFormatVersions) {
  overwrite_first("run/format_version", H5T_NATIVE_INT, 7);
  EXPECT_EQ(error_after_closing(), path_.string() + ": has version 7 of the format; this moesim reads version 5");
}

TEST_F(SpoiledFile, RefusesColumnsOfUnequalLength) {
  H5Lmove(file_, "tasks/layer", file_, "old", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcopy(file_, "ranks/tp", file_, "tasks/layer", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THAT(error_after_closing(), HasSubstr(": is damaged: tasks: columns differ in length"));
}

TEST_F(SpoiledFile, RefusesIndicesWithoutAWord) {
  overwrite_first("tasks/stream", H5T_NATIVE_INT, 200);
  EXPECT_THAT(error_after_closing(), HasSubstr(": is damaged: tasks: an index has no word"));
}

TEST_F(SpoiledFile, RefusesARankOutsideTheJob) {
  overwrite_first("ranks/representative", H5T_NATIVE_INT, 99);
  EXPECT_THAT(error_after_closing(), HasSubstr(": is damaged: ranks: a representative is not a rank"));
}

TEST_F(SpoiledFile, RefusesTextWhereNumbersBelong) {
  H5Lmove(file_, "run/makespan", file_, "old", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcopy(file_, "run/name", file_, "run/makespan", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THAT(error_after_closing(), HasSubstr("run/makespan does not hold numbers"));
}

// Bytes that change on a disk or in a mail must end in a message or, where nothing looks, in a sound record.
TEST(ReadResult, SurvivesDamagedBytes) {
  const TemporaryFolder folder;
  write(sample_record(), folder / "good.h5");
  const std::string good = bytes_of(folder / "good.h5");
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bad = good;
    if (round % 10 == 0)
      bad.resize(random() % bad.size());
    else
      bad[random() % bad.size()] ^= static_cast<char>(1U << (random() % 8));
    put(folder / "bad.h5", bad);
    const std::string error = error_of([&] { (void)read(folder / "bad.h5"); });
    if (error != "no error") {
      EXPECT_THAT(error, StartsWith((folder / "bad.h5").string() + ": "));
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);
}

} // namespace
} // namespace moesim::record
