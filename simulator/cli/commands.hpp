// One function per subcommand: declares its options and what to do. Each returns through `status` the exit status: 0
// done, 1 the answer is no; problems of the user leave as InputError or ResultFileError.
#pragma once

#include <CLI/CLI.hpp>

namespace moesim::cli {

void add_run(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_dump(CLI::App& app, int& status);
void add_gantt(CLI::App& app, int& status);
void add_experts(CLI::App& app, int& status);
void add_schedule(CLI::App& app, int& status);
void add_sweep(CLI::App& app, int& status);
void add_sweep_report(CLI::App& app, int& status);
void add_collective(CLI::App& app, int& status);
void add_validate(CLI::App& app, int& status);
void add_audit(CLI::App& app, int& status);
void add_search(CLI::App& app, int& status);
void add_calibrate(CLI::App& app, int& status);
void add_list(CLI::App& app, int& status);

} // namespace moesim::cli
