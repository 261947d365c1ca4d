// moesim: exit status 0 done, 1 the answer is no, 2 bad usage or input, 3 internal error, 130 interrupted.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/slurm/job_array.hpp"

namespace {

constexpr int bad_input = 2;
constexpr int internal_error = 3;

// On stderr, and in silence when there is none.
void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
}

// What is wrong with the first word, when it is no command; else "". (CLI11 would say that a command is missing.)
std::string unknown_command(CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({}))
    names.push_back(command->get_name());
  if (word.starts_with('-') || std::ranges::count(names, word) > 0)
    return "";
  const auto near = moesim::config::nearest(word, names);
  const std::string hint =
      near ? fmt::format("did you mean '{}'?", *near) : fmt::format("expected one of {}", fmt::join(names, ", "));
  return fmt::format("unknown command '{}'; {}\nRun with --help for more information.\n", word, hint);
}

int run(int argc, char** argv) {
  CLI::App app(
      "moesim simulates training and inference of Mixture-of-Experts and dense language models on a GPU cluster",
      "moesim");
  app.require_subcommand(1);
  app.set_version_flag("--version", MOESIM_VERSION);
  int status = 0;
  moesim::cli::add_run(app, status);
  moesim::cli::add_check(app, status);
  moesim::cli::add_dump(app, status);
  moesim::cli::add_gantt(app, status);
  moesim::cli::add_experts(app, status);
  moesim::cli::add_schedule(app, status);
  moesim::cli::add_sweep(app, status);
  moesim::cli::add_sweep_report(app, status);
  moesim::cli::add_collective(app, status);
  moesim::cli::add_validate(app, status);
  moesim::cli::add_audit(app, status);
  moesim::cli::add_search(app, status);
  moesim::cli::add_calibrate(app, status);
  moesim::cli::add_list(app, status);
  if (const std::string problem = argc > 1 ? unknown_command(app, argv[1]) : ""; !problem.empty()) {
    say(problem);
    return bad_input;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : bad_input;
  }
  return status;
}

// What the system refuses is neither the input's fault nor ours, but trying again elsewhere helps.
int run_and_report(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const moesim::InputError& error) {
    say(error.what());
  } catch (const moesim::record::ResultFileError& error) {
    say(fmt::format("{}\n", error.what()));
  } catch (const moesim::slurm::SlurmError& error) {
    say(fmt::format("{}\n", error.what()));
  } catch (const std::bad_alloc&) {
    say("moesim: there is not enough memory for this run; use a smaller batch, fewer layers or fewer GPUs\n");
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0)
      say(fmt::format("moesim: {}\n", error.what()));
  } catch (const std::exception& error) {
    say(fmt::format("moesim: internal error: {}\nThis is a bug; please report it with the command and its input.\n",
                    error.what()));
    return internal_error;
  }
  return bad_input;
}

} // namespace

int main(int argc, char** argv) {
  moesim::cli::exit_cleanly_when_interrupted();
  const int status = run_and_report(argc, argv);
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_written || status == internal_error)
    return status;
  say("moesim: standard output cannot be written: the text above is incomplete\n");
  return bad_input;
}
