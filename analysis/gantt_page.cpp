#include "analysis/gantt_page.hpp"

#include "analysis/page/page_files.hpp"
#include "analysis/page_columns.hpp"
#include "analysis/svg_canvas.hpp"
#include "simulator/base/check.hpp"
#include "simulator/base/format.hpp"
#include "simulator/base/input_error.hpp"

#include <map>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

// Inside a script element only "<" can do harm: it begins what ends the element, or a comment.
std::string script_safe(std::string_view json) {
  std::string text;
  for (const char c : json)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

// The template with each {{name}} replaced. What is put in is not looked at again.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& values) {
  std::string text;
  while (true) {
    const std::size_t open = page.find("{{");
    text += page.substr(0, open);
    if (open == std::string_view::npos)
      return text;
    const std::size_t close = page.find("}}", open);
    const auto value = values.find(page.substr(open + 2, close - open - 2));
    MOESIM_CHECK(value != values.end(), "the template names a value that nobody gives");
    text += value->second;
    page.remove_prefix(close + 2);
  }
}

} // namespace

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
