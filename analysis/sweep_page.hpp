// What a sweep found, as a page: the picture by each figure, and a table of all points to sort and to search. One HTML
// file that opens from disk and asks nothing of the network.
#pragma once

#include <string>

#include "simulator/record/sweep_table.hpp"

namespace moesim::analysis {

// Throws InputError when no point is comparable. The same table gives the same bytes.
[[nodiscard]] std::string sweep_page(const record::SweepTable& table);

} // namespace moesim::analysis
