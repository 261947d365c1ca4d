#include "simulator/validation/kernel_entry.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "platforms/gpu.hpp"
#include "simulator/validation/system.hpp"
#include "workloads/operators.hpp"

namespace moesim::validation {
namespace {

using config::Node;
using Operators = std::vector<Operator>;

// A row of a table of kernels, as operators.
class Kernel {
public:
  Kernel(const Entry& row, const Node& column, const Vocabulary& vocabulary)
      : row_(row), column_(column), words_(vocabulary.kernels) {}

  [[nodiscard]] std::string kind() const {
    const std::string name = text(row_.config, "kernel").value_or("");
    const Node* rule = first_rule(words_, "kernels", name);
    if (rule == nullptr)
      throw Unpredictable(fmt::format("no rule knows which kernel '{}' is", name));
    return rule->find("kind")->scalar;
  }

  [[nodiscard]] Operators operators() const {
    const std::string of = kind();
    if (of == "gemm")
      return {workloads::gemm_forward({.rows = required("m"), .n = required("n"), .k = required("k")}, precision())};
    if (of == "grouped-gemm")
      return {grouped(required("num_groups"), required("m_per_group"), required("n"), required("k"))};
    if (of == "grouped-gemm-pair")
      return {product_of_pair()};
    if (of == "experts")
      return experts();
    return of == "decode" ? Operators{decode()} : attention();
  }

  // The one the multiplications are done in; of text such as "BF16 -> fp32" the first.
  [[nodiscard]] Precision precision() const {
    const std::string words = text(row_.config, "dtype").value_or(text(row_.config, "precision").value_or(""));
    const Node* rule = first_rule(words_, "precisions", words);
    if (rule == nullptr)
      throw Unpredictable(fmt::format("no rule knows the precision '{}'", words));
    if (const Node* reason = rule->find("skip"))
      throw Unpredictable(reason->scalar);
    for (const Precision precision : all_precisions)
      if (name_of(precision) == rule->find("name")->scalar)
        return precision;
    throw Unpredictable(fmt::format("moesim has no precision '{}'", words));
  }

private:
  [[nodiscard]] std::optional<std::int64_t> given(const std::string& key) const {
    if (const auto value = integer(row_.config, key))
      return value;
    for (const Node& synonym : words_.find("synonyms")->items)
      if (synonym.find("name")->scalar == key)
        return integer(row_.config, synonym.find("also")->scalar);
    return std::nullopt;
  }

  [[nodiscard]] std::int64_t required(const std::string& key) const {
    const auto value = given(key);
    if (!value)
      throw Unpredictable(fmt::format("{} is not given", key));
    if (*value < 1 || *value > 1'000'000'000)
      throw Unpredictable(fmt::format("{} is {}, which no kernel has", key, *value));
    return *value;
  }

  [[nodiscard]] Operator grouped(std::int64_t groups, std::int64_t rows, std::int64_t n, std::int64_t k) const {
    return workloads::gemm_forward({.rows = groups * rows, .n = n, .k = k, .groups = groups}, precision());
  }

  // Up: gate and up in one product.
  [[nodiscard]] Operator product_of_pair() const {
    const bool is_up = column_.find("product")->scalar == "up";
    const std::int64_t hidden = required("hidden_size");
    const std::int64_t columns = required("intermediate_size");
    return grouped(required("num_local_experts"), required("tokens_per_expert"), is_up ? 2 * columns : hidden,
                   is_up ? hidden : columns);
  }

  // Up, activation and down, of the experts that get a token: of a rank's share of them, evenly.
  [[nodiscard]] Operators experts() const {
    if (text(row_.config, "distribution").value_or("balanced") != "balanced")
      throw Unpredictable("its tokens are spread unevenly over the experts");
    const std::int64_t local = std::max<std::int64_t>(1, required("num_experts") / required("moe_ep_size"));
    const std::int64_t columns = required("inter_size") / required("moe_tp_size");
    const std::int64_t hidden = required("hidden_size");
    const double copies =
        static_cast<double>(required("num_tokens") * required("topk")) / static_cast<double>(required("moe_ep_size"));
    const std::int64_t active = std::clamp<std::int64_t>(std::llround(copies), 1, local);
    const std::int64_t rows = std::max<std::int64_t>(1, std::llround(copies / static_cast<double>(active)));
    const double activations = 3 * static_cast<double>(active * rows * columns); // gate and up read, product written
    const Bytes bytes(activations * bytes_per_element(precision_outside_products(precision())));
    return {grouped(active, rows, 2 * columns, hidden), workloads::memory_bound(bytes, Pass::Forward),
            grouped(active, rows, hidden, columns)};
  }

  [[nodiscard]] workloads::AttentionShape shape(std::int64_t sequences, std::int64_t heads, std::int64_t length,
                                                std::int64_t keys) const {
    workloads::AttentionShape shape;
    shape.sequences = sequences;
    shape.heads = heads;
    shape.kv_heads = given("num_kv_heads").value_or(heads);
    shape.length = length;
    shape.kv_length = keys;
    shape.keys = keys;
    shape.pairs = static_cast<double>(length) * static_cast<double>(keys);
    shape.qk_head_dim = required("head_dim");
    shape.v_head_dim = given("v_head_dim").value_or(shape.qk_head_dim);
    return shape;
  }

  // Of a table that gives no batch or heads, those of its library's benchmark.
  [[nodiscard]] Operators attention() const {
    const Node* usual = first_rule(words_, "libraries", text(row_.config, "library").value_or(""));
    const std::int64_t length = required("seq_length");
    const auto batch = given("batch_size");
    const auto heads = given("num_heads");
    if (!heads && usual == nullptr)
      throw Unpredictable("num_heads is not given");
    const std::int64_t sequences = batch              ? *batch
                                   : usual != nullptr ? std::max<std::int64_t>(1, *integer(*usual, "tokens") / length)
                                                      : 1;
    workloads::AttentionShape of =
        shape(sequences, heads ? *heads : *integer(*usual, "hidden_size") / required("head_dim"), length, length);
    if (flag(row_.config, "causal").value_or(true))
      of.pairs /= 2;
    const std::string direction = text(row_.config, "direction").value_or("forward");
    Operators operators;
    if (direction.find("forward") != std::string::npos)
      operators.push_back(workloads::causal_attention(of, Pass::Forward, precision()));
    if (direction.find("backward") != std::string::npos)
      operators.push_back(workloads::causal_attention(of, Pass::Backward, precision()));
    return operators;
  }

  // One query of each sequence over its cached keys and values.
  [[nodiscard]] Operator decode() const {
    const workloads::AttentionShape of = shape(required("batch_size"), required("num_heads"), 1, required("kv_len"));
    const double elements = static_cast<double>(of.sequences * of.kv_length * of.kv_heads) *
                            static_cast<double>(of.qk_head_dim + of.v_head_dim);
    const bool is_fp8 = text(row_.config, "kv_dtype").value_or("").find("fp8") != std::string::npos;
    const double bytes = bytes_per_element(is_fp8 ? Precision::Fp8 : precision());
    return workloads::cached_attention(of, Bytes(elements * bytes), precision());
  }

  const Entry& row_;
  const Node& column_;
  const Node& words_;
};

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

double predicted(const Operators& operators, const Node& column, const platforms::Gpu& gpu) {
  Seconds time;
  Flops flops;
  for (const Operator& op : operators) {
    time += platforms::time_of(op, gpu);
    flops += op.flops;
  }
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
      const Kernel kernel(row, *column, vocabulary);
      if (!gpu.peak[static_cast<std::size_t>(kernel.precision())])
        throw Unpredictable(fmt::format("{} has no {} peak", system.hardware, name_of(kernel.precision())));
      Measurement& of = question.measurements.emplace_back();
      of.id = row.id;
      of.quantity = column->find("name")->scalar;
      of.value = *value;
      for (const Operator& op : kernel.operators())
        of.size += op.flops.value();
      of.size_unit = "FLOP";
      of.labels.hardware = system.hardware;
      of.labels.kind = kernel.kind();
      of.labels.precision = name_of(kernel.precision());
      answer.predictions.push_back({predicted(kernel.operators(), *column, gpu), std::nullopt});
    }
  }
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [answer = std::move(answer)] { return answer; };
  return question;
}

} // namespace moesim::validation
