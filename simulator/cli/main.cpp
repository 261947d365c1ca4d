// moesim: exit status 0 done, 1 the answer is no, 2 bad usage or input, 3 internal error, 130 interrupted.
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/record/result_file.hpp"

namespace {

constexpr int bad_input = 2;
constexpr int internal_error = 3;

int run(int argc, char** argv) {
  CLI::App app("moesim simulates training of Mixture-of-Experts and dense language models on a GPU cluster", "moesim");
  app.require_subcommand(1);
  app.set_version_flag("--version", MOESIM_VERSION);
  int status = 0;
  moesim::cli::add_run(app, status);
  moesim::cli::add_check(app, status);
  moesim::cli::add_dump(app, status);
  moesim::cli::add_gantt(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : bad_input;
  }
  return status;
}

} // namespace

int main(int argc, char** argv) {
  moesim::cli::exit_cleanly_when_interrupted();
  int status = internal_error;
  try {
    status = run(argc, argv);
  } catch (const moesim::InputError& error) {
    fmt::print(stderr, "{}", error.what());
    status = bad_input;
  } catch (const moesim::record::ResultFileError& error) {
    fmt::print(stderr, "{}\n", error.what());
    status = bad_input;
  } catch (const std::exception& error) {
    fmt::print(stderr, "moesim: internal error: {}\nThis is a bug; please report it with the command and its input.\n",
               error.what());
  }
  if (std::fflush(stdout) != 0 && status < bad_input) {
    fmt::print(stderr, "moesim: standard output cannot be written: the text above is incomplete\n");
    status = bad_input;
  }
  return status;
}
