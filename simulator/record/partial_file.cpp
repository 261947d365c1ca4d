#include "simulator/record/partial_file.hpp"

#include "simulator/record/result_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace moesim::record {
namespace {

// The temporary being written, for remove_partial_files(): a signal handler may read it at any instruction, hence plain
// memory of fixed size behind a lock-free flag.
std::array<char, PATH_MAX> partial_name{};
std::atomic<bool> partial_exists{false};
static_assert(std::atomic<bool>::is_always_lock_free);

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw ResultFileError(fmt::format("{}: cannot write: {}", path.string(), std::system_category().message(error)));
}

// Holds signals back while alive. A file that outgrows `ulimit -f` then fails with EFBIG like a full disk, where
// SIGXFSZ would have killed the process.
class HeldSignals {
public:
  explicit HeldSignals(std::initializer_list<int> signals) {
    sigemptyset(&held_);
    for (const int signal : signals)
      sigaddset(&held_, signal);
    pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // Takes a pending signal away, so that it is not delivered at the end.
  void discard_pending() const {
    const timespec now{};
    while (sigtimedwait(&held_, nullptr, &now) > 0) {
    }
  }

private:
  sigset_t held_{};
  sigset_t before_{};
};

// Follows links, so that the file behind one is replaced, and refuses what a rename would destroy (folders, devices).
std::filesystem::path resolved_target(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(path, error))
    target = weakly_canonical(path, error);
  const std::filesystem::file_status status = std::filesystem::status(target, error);
  if (is_directory(status))
    fail(path, EISDIR);
  if (exists(status) && !is_regular_file(status))
    throw ResultFileError(fmt::format("{}: cannot write: Not a regular file", path.string()));
  return target;
}

} // namespace

// A temporary file beside its target; removed again unless it was renamed.
class FileReplacement::PartialFile {
public:
  explicit PartialFile(const std::filesystem::path& path) : target_(resolved_target(path)) {
    for (int attempt = 0; file_ < 0; ++attempt) {
      const std::string name = fmt::format("{}.{}-{}.partial", target_.string(), getpid(), attempt);
      if (name.size() >= partial_name.size())
        fail(target_, ENAMETOOLONG);
      // Between creating the file and noting it, an interrupt would leave it behind.
      const HeldSignals held{SIGINT, SIGTERM, SIGHUP};
      file_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_ < 0 && (errno != EEXIST || attempt == 1000))
        fail(target_, errno);
      if (file_ >= 0) {
        std::memcpy(partial_name.data(), name.c_str(), name.size() + 1);
        partial_exists.store(true);
      }
    }
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (file_ >= 0)
      close(file_);
    remove_partial_files();
  }

  void append(std::span<const std::byte> bytes) {
    const HeldSignals held{SIGXFSZ};
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 24));
      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0) {
        const int error = written < 0 ? errno : ENOSPC;
        held.discard_pending();
        fail(target_, error);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  // Some file systems report a full disk only now.
  void flush_and_close() {
    if (fsync(file_) != 0 && errno != EINVAL && errno != ENOTSUP)
      fail(target_, errno);
    const int closing = std::exchange(file_, -1);
    if (close(closing) != 0 && errno != EINTR)
      fail(target_, errno);
  }

  void rename_to_target() {
    if (std::rename(partial_name.data(), target_.c_str()) != 0)
      fail(target_, errno);
    partial_exists.store(false);
  }

private:
  std::filesystem::path target_;
  int file_ = -1;
};

void remove_partial_files() noexcept {
  if (partial_exists.exchange(false))
    unlink(partial_name.data());
}

FileReplacement::FileReplacement(const std::filesystem::path& path) : file_(std::make_unique<PartialFile>(path)) {}

FileReplacement::~FileReplacement() = default;

void FileReplacement::append(std::span<const std::byte> bytes) {
  file_->append(bytes);
}

void FileReplacement::finish() {
  file_->flush_and_close();
  file_->rename_to_target();
}

// Tried out rather than derived from permission bits: quotas, read-only mounts and name lengths count as well.
void check_writable(const std::filesystem::path& path) {
  const FileReplacement trial(path);
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  FileReplacement file(path);
  file.append(bytes);
  file.finish();
}

} // namespace moesim::record
