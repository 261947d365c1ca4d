// Runs another program and takes what it says.
#pragma once

#include <string>
#include <vector>

namespace moesim::slurm {

struct ProgramOutput {
  int status = 0; // exit status; 127 when there is no such program, 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// `words` are the program, looked for on PATH, and its arguments. Waits for its end. Throws std::system_error when no
// process can be started.
[[nodiscard]] ProgramOutput run_program(const std::vector<std::string>& words, const std::string& input = "");

} // namespace moesim::slurm
