#include "simulator/slurm/job_array.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "simulator/slurm/program.hpp"

namespace moesim::slurm {
namespace {

constexpr int no_such_program = 127;

bool is_one_of(std::string_view state, std::initializer_list<std::string_view> states) {
  return std::ranges::find(states, state) != states.end();
}

ProgramOutput run(const std::vector<std::string>& words, const std::string& input = "") {
  ProgramOutput output = run_program(words, input);
  if (output.status == no_such_program)
    throw SlurmError(
        fmt::format("Slurm is not here: there is no {} on PATH; use a login node of its cluster, or leave out "
                    "--slurm to run the sweep on this computer",
                    words.front()));
  if (output.status != 0) {
    std::ranges::replace(output.err, '\n', ' ');
    throw SlurmError(fmt::format("{} says: {}", words.front(), output.err));
  }
  return output;
}

} // namespace

bool ArrayTask::is_running() const {
  return is_one_of(state, {"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT"});
}

bool ArrayTask::is_queued() const {
  return is_one_of(state,
                   {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "RESV_DEL_HOLD", "SPECIAL_EXIT"});
}

bool ArrayTask::is_cancelled() const {
  return is_one_of(state, {"CANCELLED", "REVOKED"});
}

bool is_available() {
  return run_program({"squeue", "--version"}).status == 0;
}

std::vector<std::string> sbatch_words(const JobArray& array) {
  std::vector<std::string> words{"sbatch",
                                 "--parsable",
                                 "--requeue",
                                 "--open-mode=append",
                                 "--job-name=" + array.name,
                                 fmt::format("--array=0-{}", array.tasks - 1),
                                 fmt::format("--cpus-per-task={}", array.cpus),
                                 "--output=" + (array.logs / "%a.log").string()};
  for (const auto& [option, value] :
       {std::pair{"--partition=", &array.partition}, {"--account=", &array.account}, {"--time=", &array.time}})
    if (!value->empty())
      words.push_back(option + *value);
  words.insert(words.end(), array.more.begin(), array.more.end());
  return words;
}

std::string submit(const JobArray& array) {
  const std::string out = run(sbatch_words(array), array.script).out;
  return out.substr(0, out.find_first_of(";\n")); // the number, perhaps of which cluster
}

std::vector<ArrayTask> parse_tasks(const std::string& text) {
  std::vector<ArrayTask> tasks;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find('|');
    const std::size_t second = line.find('|', first + 1);
    if (second == std::string::npos)
      continue;
    ArrayTask task{line.substr(0, first), 0, line.substr(second + 1)};
    const auto [end, error] = std::from_chars(line.data() + first + 1, line.data() + second, task.task);
    if (error == std::errc() && end == line.data() + second)
      tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<ArrayTask> tasks_named(const std::string& name) {
  return parse_tasks(
      run({"squeue", "--noheader", "--array", "--states=all", "--format=%F|%K|%T", "--name=" + name}).out);
}

} // namespace moesim::slurm
