#include "tests/cli/command.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace moesim::testing {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary_file() {
  return {std::tmpfile(), &std::fclose};
}

std::string contents(std::FILE* file) {
  std::string text;
  std::array<char, 65536> block{};
  std::rewind(file);
  for (std::size_t count = 0; (count = std::fread(block.data(), 1, block.size(), file)) > 0;)
    text.append(block.data(), count);
  return text;
}

Outcome wait_for(pid_t process, std::FILE* out, std::FILE* err) {
  int status = 0;
  waitpid(process, &status, 0);
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), contents(out), contents(err)};
}

} // namespace

std::string lines(std::initializer_list<std::string_view> each) {
  std::string text;
  for (const std::string_view line : each)
    text.append(line).append("\n");
  return text;
}

std::string small_scenario(std::initializer_list<Edit> edits) {
  std::string text = read_all(std::filesystem::path(MOESIM_TEST_DIR) / "small.yaml");
  for (const auto& [from, to] : edits) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos)
      ADD_FAILURE() << "small.yaml has no '" << from << "'";
    else
      text.replace(at, from.size(), to);
  }
  return text;
}

std::string small_model() {
  const std::string text = small_scenario();
  const std::size_t from = text.find("model:");
  return text.substr(from, text.find("parallel:") - from);
}

std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

Workplace::Workplace() {
  std::string name = (std::filesystem::temp_directory_path() / "moesim-cli-XXXXXX").string();
  path_ = mkdtemp(name.data());
}

Workplace::~Workplace() {
  std::filesystem::remove_all(path_);
}

void Workplace::write(const std::filesystem::path& name, std::string_view text) const {
  std::filesystem::create_directories((path_ / name).parent_path());
  std::ofstream(path_ / name, std::ios::binary) << text;
}

pid_t Workplace::start(const Arguments& arguments, const Preparation& prepare, int out, int err) const {
  const pid_t process = fork();
  if (process != 0)
    return process;
  std::vector<std::string> words{"moesim"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  setenv("MOESIM_CATALOGUE", MOESIM_TEST_DIR "/../..", 1);
  const int nothing = open("/dev/null", O_RDONLY);
  if (chdir(path_.c_str()) != 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
    _exit(127);
  alarm(60);
  if (prepare)
    prepare();
  execv(MOESIM_BINARY, pointers.data());
  _exit(127);
}

Outcome Workplace::run(const Arguments& arguments, const Preparation& prepare) const {
  const File out = temporary_file();
  const File err = temporary_file();
  return wait_for(start(arguments, prepare, fileno(out.get()), fileno(err.get())), out.get(), err.get());
}

Outcome Workplace::interrupt(const Arguments& arguments, int signal, const std::function<bool()>& is_time) const {
  const File out = temporary_file();
  const File err = temporary_file();
  const pid_t process = start(arguments, {}, fileno(out.get()), fileno(err.get()));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(50);
  while (!is_time() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill(process, signal);
  return wait_for(process, out.get(), err.get());
}

Outcome Workplace::check(std::string_view scenario) const {
  write("scenario.yaml", scenario);
  return run({"check", "scenario.yaml"});
}

std::vector<std::string> Workplace::names() const {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(path_))
    names.push_back(file.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string problems(std::string_view scenario) {
  const Outcome outcome = Workplace().check(scenario);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

} // namespace moesim::testing
