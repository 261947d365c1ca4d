// The timeline of a run as an interactive page: one HTML file that opens from disk and asks nothing of the network.
// analysis/page/ is what runs in the browser; here its data is gathered and everything is put into one text.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/gantt_options.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// What a browser opens in seconds.
inline constexpr std::uint64_t largest_page = 60'000'000; // bytes

// The same record and options give the same bytes.
[[nodiscard]] std::string gantt_page(const record::RunRecord& run, const GanttOptions& options = {});

// Throws InputError, saying what makes a page smaller, when it has more than `largest_page` bytes.
void check_page_size(const record::RunRecord& run, std::uint64_t bytes);

// What is put into the page; the parts are for tests.
struct PageContent {
  std::string header;  // JSON: figures, words, colours, lanes, and the list of columns
  std::string columns; // their bytes, see page_columns.hpp
};
[[nodiscard]] PageContent page_content(const record::RunRecord& run, const GanttOptions& options);

} // namespace moesim::analysis
