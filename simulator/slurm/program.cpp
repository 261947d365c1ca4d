#include "simulator/slurm/program.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace moesim::slurm {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Files rather than pipes: nobody has to read one while writing another.
File temporary(const std::string& text = "") {
  File file(std::tmpfile(), &std::fclose);
  if (!file)
    throw std::system_error(errno, std::generic_category(), "a temporary file cannot be made");
  std::fwrite(text.data(), 1, text.size(), file.get());
  std::rewind(file.get());
  return file;
}

std::string contents(const File& file) {
  std::string text;
  std::rewind(file.get());
  for (int letter = 0; (letter = std::fgetc(file.get())) != EOF;)
    text += static_cast<char>(letter);
  return text;
}

} // namespace

ProgramOutput run_program(const std::vector<std::string>& words, const std::string& input) {
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  arguments.reserve(copies.size() + 1);
  for (std::string& word : copies)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const File in = temporary(input);
  const File out = temporary();
  const File err = temporary();
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0)
    throw std::system_error(errno, std::generic_category(), "a process cannot be started");
  if (process == 0) {
    if (dup2(fileno(in.get()), STDIN_FILENO) >= 0 && dup2(fileno(out.get()), STDOUT_FILENO) >= 0 &&
        dup2(fileno(err.get()), STDERR_FILENO) >= 0)
      execvp(arguments.front(), arguments.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), contents(out), contents(err)};
}

} // namespace moesim::slurm
