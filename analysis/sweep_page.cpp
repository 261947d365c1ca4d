#include "analysis/sweep_page.hpp"

#include "analysis/page/page_files.hpp"
#include "analysis/page_text.hpp"
#include "analysis/svg_canvas.hpp"
#include "analysis/sweep_svg.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr double picture_width = 1200;

// Without what makes a document of its own.
std::string inner_picture(const std::string& document) {
  return document.substr(document.find("<svg"));
}

Json words_column(const std::string& name, const std::vector<std::string>& words) {
  return {{"name", name}, {"words", words}};
}

Json numbers_column(const std::string& name, const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values)
    numbers.push_back(std::isfinite(value) ? Json(value) : Json());
  return {{"name", name}, {"numbers", numbers}};
}

// What the table shows: settings and outcome, then every figure.
std::string data_of(const record::SweepTable& table) {
  Json columns = Json::array();
  std::vector<double> numbers;
  for (std::size_t point = 0; point < table.size(); ++point)
    numbers.push_back(static_cast<double>(point));
  columns.push_back(numbers_column("point", numbers));
  columns.push_back(words_column("scenario", table.scenario));
  for (std::size_t field = 0; field < table.fields.size(); ++field)
    columns.push_back(words_column(table.fields[field], table.settings[field]));
  columns.push_back(words_column("status", table.status));
  columns.push_back(words_column("reason", table.reason));
  for (std::size_t figure = 0; figure < table.figures.size(); ++figure)
    columns.push_back(numbers_column(table.figures[figure], table.values[figure]));
  return Json{{"columns", columns}}.dump();
}

} // namespace

std::string sweep_page(const record::SweepTable& table) {
  std::string options;
  std::string pictures;
  for (const SweepFigure& figure : sweep_figures(table)) {
    options += fmt::format("<option value=\"{}\">{}</option>", xml_escaped(figure.name), xml_escaped(figure.label));
    pictures += fmt::format("<div data-figure=\"{}\" hidden>{}</div>\n", xml_escaped(figure.name),
                            inner_picture(sweep_svg(table, figure, picture_width)));
  }
  return filled(page_files::sweep_template, {{"title", xml_escaped(table.name)},
                                             {"style", std::string(page_files::sweep_style)},
                                             {"options", options},
                                             {"pictures", pictures},
                                             {"data", script_safe(data_of(table))},
                                             {"script", std::string(page_files::sweep_script)}});
}

} // namespace moesim::analysis
