#include "simulator/validation/kernel_entry.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "platforms/gpu.hpp"
#include "simulator/validation/kernel.hpp"
#include "simulator/validation/system.hpp"

namespace moesim::validation {
namespace {

using config::Node;

// The first column of each product.
std::vector<const Node*> columns_of(const Entry& row, const Vocabulary& vocabulary) {
  std::vector<const Node*> columns;
  std::vector<std::string> products;
  for (const Node& column : vocabulary.kernels.find("columns")->items) {
    const std::string product = text(column, "product").value_or("");
    if (row.measured.find(column.find("name")->scalar) == nullptr || std::ranges::count(products, product) > 0)
      continue;
    products.push_back(product);
    columns.push_back(&column);
  }
  return columns;
}

double predicted(const Kernel& kernel, const Node& column, const platforms::Gpu& gpu) {
  const Seconds time = time_of(kernel, gpu);
  Flops flops;
  for (const Operator& op : kernel.operators)
    flops += op.flops;
  const double figure = column.find("figure")->scalar == "time" ? time.value() : (flops / time).value();
  return figure / *number(column, "unit");
}

} // namespace

Question kernel_question(const Entry& entry, const Vocabulary& vocabulary) {
  const System system = system_of(entry, 1, vocabulary);
  const platforms::Gpu gpu = cluster_of(system).gpu;
  Question question{entry.id, {}, {}};
  Answer answer;
  for (std::size_t point = 0; point < entry.point_count(); ++point) {
    const Entry row = entry.at_point(point);
    for (const Node* column : columns_of(row, vocabulary)) {
      const auto value = number(row.measured, column->find("name")->scalar);
      if (!value || *value <= 0)
        continue;
      const Kernel kernel = kernel_of(row, *column, vocabulary);
      if (!gpu.peak[static_cast<std::size_t>(kernel.precision)])
        throw Unpredictable(fmt::format("{} has no {} peak", system.hardware, name_of(kernel.precision)));
      Measurement& of = question.measurements.emplace_back();
      of.id = row.id;
      of.quantity = column->find("name")->scalar;
      of.value = *value;
      for (const Operator& op : kernel.operators)
        of.size += op.flops.value();
      of.size_unit = "FLOP";
      of.labels.hardware = system.hardware;
      of.labels.kind = kernel.kind;
      of.labels.precision = name_of(kernel.precision);
      answer.predictions.push_back({predicted(kernel, *column, gpu), std::nullopt});
    }
  }
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [answer = std::move(answer)] { return answer; };
  return question;
}

} // namespace moesim::validation
