// A routing trace as an HDF5 file. Anybody can write one, in a few lines of Python (README.md):
//   /routing/iteration, /routing/layer, /routing/micro_batch   integers, one per row, in any order
//   /routing/tokens[row, expert]                               token copies
#pragma once

#include <filesystem>

#include "workloads/routing_trace.hpp"

namespace moesim::record {

// Like record::write() and record::read() of a run, with the same errors.
void write(const workloads::RoutingTrace& trace, const std::filesystem::path& path);
[[nodiscard]] workloads::RoutingTrace read_routing_trace(const std::filesystem::path& path);

} // namespace moesim::record
