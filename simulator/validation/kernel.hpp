// A row of a table of kernels as operators, and what its benchmark times besides them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platforms/gpu.hpp"
#include "simulator/base/operator.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

struct Kernel {
  std::string kind; // as vocabulary/kernels.yaml has it
  Precision precision = Precision::Bf16;
  std::vector<Operator> operators; // one after the other
  Bytes beside;                    // moved by other kernels that are timed, too
  Seconds start;                   // of those
  Seconds at_least;                // the host takes as long to launch it
  std::int64_t launches = 0;       // in a row, from a cool start; 0: so many that the GPU keeps the clock of a long run
};

// `column`: of vocabulary/kernels.yaml; of a table of several products it says which. Throws Unpredictable when the row
// lacks something, or moesim has no such kernel.
[[nodiscard]] Kernel kernel_of(const Entry& row, const config::Node& column, const Vocabulary& vocabulary);

// What the benchmark finds.
[[nodiscard]] Seconds time_of(const Kernel& kernel, const platforms::Gpu& gpu);

} // namespace moesim::validation
