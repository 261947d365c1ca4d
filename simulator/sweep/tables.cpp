#include "simulator/sweep/tables.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulator/base/check.hpp"
#include "simulator/record/partial_file.hpp"

namespace moesim::sweep {
namespace {

using Json = nlohmann::ordered_json;

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// Puts the numbers of summaries into the columns of a table.
class FigureColumns {
public:
  explicit FigureColumns(record::SweepTable& table) : table_(table) {}

  void add(std::size_t point, const Json& object, const std::string& prefix = "") {
    for (const auto& [key, value] : object.items()) {
      if (value.is_object())
        add(point, value, prefix + key + ".");
      else if (value.is_number())
        column(prefix + key)[point] = value.get<double>();
      else if (value.is_boolean())
        column(prefix + key)[point] = value.get<bool>() ? 1 : 0;
    }
  }

private:
  std::vector<double>& column(const std::string& name) {
    const auto [found, is_new] = numbers_.try_emplace(name, table_.figures.size());
    if (is_new) {
      table_.figures.push_back(name);
      table_.values.emplace_back(table_.size(), none);
    }
    return table_.values[found->second];
  }

  record::SweepTable& table_;
  std::map<std::string, std::size_t> numbers_;
};

void add_settings(record::SweepTable& table, const Plan& plan) {
  table.name = plan.name;
  table.fields = plan.fields;
  table.settings.assign(plan.fields.size(), std::vector<std::string>(plan.points.size()));
  for (std::size_t point = 0; point < plan.points.size(); ++point) {
    table.scenario.push_back(plan.scenarios[plan.points[point].scenario].reference);
    for (const Setting& setting : plan.points[point].settings) {
      const auto field = std::ranges::find(plan.fields, setting.field) - plan.fields.begin();
      table.settings[static_cast<std::size_t>(field)][point] = setting.value;
    }
  }
}

void replace(const std::filesystem::path& file, const std::string& text) {
  record::replace_file(file, std::as_bytes(std::span(text)));
}

} // namespace

record::SweepTable table_of(const SweepFolder& folder) {
  record::SweepTable table;
  add_settings(table, folder.plan());
  FigureColumns figures(table);
  for (std::size_t point = 0; point < folder.plan().points.size(); ++point) {
    const std::optional<PointResult> result = folder.read(point);
    MOESIM_CHECK(result.has_value(), "a table has every point");
    table.status.emplace_back(name_of(result->status));
    table.reason.push_back(result->reason);
    if (result->status == Status::Done)
      figures.add(point, Json::parse(result->summary));
  }
  return table;
}

std::optional<std::size_t> best_point(const record::SweepTable& table) {
  const std::vector<double>* rate = table.figure("tokens_per_s");
  const std::vector<double>* fits = table.figure("fits");
  std::optional<std::size_t> best;
  for (std::size_t point = 0; rate != nullptr && point < table.size(); ++point)
    if ((*fits)[point] == 1 && (!best || (*rate)[point] > (*rate)[*best]))
      best = point;
  return best;
}

record::SweepTable write_tables(const SweepFolder& folder) {
  const record::SweepTable table = table_of(folder);
  const std::vector<std::size_t> attempts = folder.attempts();
  std::string timing = "point,status,wall_time_s,host,job,attempts\n";
  for (std::size_t point = 0; point < table.size(); ++point) {
    const std::optional<PointResult> result = folder.read(point);
    timing += fmt::format("{},{},{:.6f},{},{},{}\n", point, table.status[point], result->wall_time_s,
                          record::csv_cell(result->host), record::csv_cell(result->job), attempts[point]);
  }
  replace(folder.path() / "timing.csv", timing);
  replace(folder.path() / "sweep.csv", record::to_csv(table));
  record::write(table, folder.path() / "sweep.h5");
  return table;
}

record::SweepTable finish(const SweepFolder& folder, Keep keep) {
  record::SweepTable table = write_tables(folder);
  if (const auto best = best_point(table);
      best && keep == Keep::Best && !std::filesystem::exists(folder.timeline(*best)))
    keep_timeline(folder, *best);
  return table;
}

} // namespace moesim::sweep
