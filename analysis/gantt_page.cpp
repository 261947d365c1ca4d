#include "analysis/gantt_page.hpp"

#include "analysis/page/page_files.hpp"
#include "analysis/page_columns.hpp"
#include "analysis/page_text.hpp"
#include "analysis/svg_canvas.hpp"
#include "simulator/base/input_error.hpp"

#include <fmt/format.h>

namespace moesim::analysis {
std::string gantt_page(const record::RunRecord& run, const GanttOptions& options) {
  const PageContent content = page_content(run, options);
  return filled(page_files::page_template, {{"title", xml_escaped(run.figures.name)},
                                            {"style", std::string(page_files::style)},
                                            {"d3", std::string(page_files::d3)},
                                            {"script", std::string(page_files::script)},
                                            {"header", script_safe(content.header)},
                                            {"columns", base64(gzip(content.columns))}});
}

void check_page_size(const record::RunRecord& run, std::uint64_t bytes) {
  if (bytes > largest_page)
    throw InputError(
        {run.figures.name}, "page",
        fmt::format("would have {} MB, more than the {} MB that browsers open in seconds; show fewer ranks "
                    "(--ranks) or less of the time (--from, --to)",
                    bytes / 1'000'000, largest_page / 1'000'000));
}

} // namespace moesim::analysis
