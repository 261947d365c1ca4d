#include "simulator/cli/separate_process.hpp"

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "simulator/base/check.hpp"

namespace moesim::cli {
namespace {

constexpr int out_of_memory = 2; // exit status of the child

// A pipe end that closes itself.
class Descriptor {
public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
    descriptor_ = -1;
  }

private:
  int descriptor_;
};

[[noreturn]] void run_child(const std::function<std::string()>& work, int output) {
  prctl(PR_SET_PDEATHSIG, SIGTERM); // a simulation does not outlive the command that wanted it
  int status = 0;
  std::string text;
  try {
    text = work();
  } catch (const std::bad_alloc&) {
    status = out_of_memory;
  } catch (const std::exception& error) {
    text = error.what();
    status = 1;
  }
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t written = ::write(output, text.data() + sent, text.size() - sent);
    if (written <= 0)
      _exit(1);
    sent += static_cast<std::size_t>(written);
  }
  _exit(status);
}

std::string read_all(int input) {
  std::string text;
  std::array<char, 65536> block{};
  for (ssize_t count = 0; (count = ::read(input, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(count));
  return text;
}

} // namespace

std::string in_separate_process(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  MOESIM_CHECK(pipe(ends.data()) == 0, "a pipe can be opened");
  const Descriptor input(ends[0]);
  Descriptor output(ends[1]);
  std::fflush(nullptr); // what is buffered would be printed twice
  const pid_t child = fork();
  MOESIM_CHECK(child >= 0, "a process can be started");
  if (child == 0)
    run_child(work, output.get());
  output.close();
  std::string text = read_all(input.get());
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    throw InternalError(fmt::format("the simulation was ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) == out_of_memory)
    throw std::bad_alloc();
  if (WEXITSTATUS(status) != 0)
    throw InternalError(text);
  return text;
}

} // namespace moesim::cli
