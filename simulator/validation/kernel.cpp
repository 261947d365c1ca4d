#include "simulator/validation/kernel.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "simulator/validation/expert_rows.hpp"
#include "workloads/operators.hpp"

namespace moesim::validation {
namespace {

using config::Node;
using Operators = std::vector<Operator>;

class KernelRow {
public:
  KernelRow(const Entry& row, const Node& column, const Vocabulary& vocabulary)
      : row_(row), column_(column), words_(vocabulary.kernels),
        benchmark_(first_rule(words_, "benchmarks",
                              fmt::format("{} {} {} {}", text(row.config, "kernel").value_or(""),
                                          text(row.config, "library").value_or(""), precision_words(), row.system))) {}

  [[nodiscard]] Kernel kernel() const {
    Kernel kernel;
    kernel.kind = kind();
    kernel.precision = precision();
    kernel.operators = operators();
    if (benchmark_ == nullptr)
      return kernel;
    kernel.launches = integer(*benchmark_, "launches").value_or(0);
    kernel.start = Seconds(number(*benchmark_, "start").value_or(0));
    if (const auto copy = number(*benchmark_, "copy"))
      kernel.start += Seconds(*copy * static_cast<double>(expert_rows().rows));
    kernel.at_least = Seconds(number(*benchmark_, "at_least").value_or(0));
    kernel.beside = number(*benchmark_, "passes").value_or(0) * beside(kernel);
    return kernel;
  }

private:
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

  [[nodiscard]] std::string precision_words() const {
    return text(row_.config, "dtype").value_or(text(row_.config, "precision").value_or(""));
  }

  // The one the multiplications are done in; of text such as "BF16 -> fp32" the first.
  [[nodiscard]] Precision precision() const {
    const std::string words = precision_words();
    const Node* rule = first_rule(words_, "precisions", words + " " + text(row_.config, "library").value_or(""));
    if (rule == nullptr)
      throw Unpredictable(fmt::format("no rule knows the precision '{}'", words));
    if (const Node* reason = rule->find("skip"))
      throw Unpredictable(reason->scalar);
    for (const Precision precision : all_precisions)
      if (name_of(precision) == rule->find("name")->scalar)
        return precision;
    throw Unpredictable(fmt::format("moesim has no precision '{}'", words));
  }

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
    return workloads::gemm_forward(
        {.rows = groups * rows, .n = n, .k = k, .groups = groups, .groups_share_kernel = true}, precision());
  }

  // Up: gate and up in one product.
  [[nodiscard]] Operator product_of_pair() const {
    const bool is_up = column_.find("product")->scalar == "up";
    const std::int64_t hidden = required("hidden_size");
    const std::int64_t columns = required("intermediate_size");
    return grouped(required("num_local_experts"), required("tokens_per_expert"), is_up ? 2 * columns : hidden,
                   is_up ? hidden : columns);
  }

  [[nodiscard]] std::int64_t expert_columns() const { return required("inter_size") / required("moe_tp_size"); }

  // Of the tokens of all ranks, which a rank's table lists.
  [[nodiscard]] ExpertRows expert_rows() const {
    if (text(row_.config, "distribution").value_or("balanced") != "balanced")
      throw Unpredictable("its tokens are spread unevenly over the experts");
    ExpertBatch batch{.tokens = required("num_tokens"),
                      .experts = required("num_experts"),
                      .per_token = required("topk"),
                      .ranks = required("moe_ep_size")};
    const Node* limit = benchmark_ == nullptr ? nullptr : benchmark_->find("group_limit");
    if (limit != nullptr) {
      batch.limit = {.groups = *integer(*limit, "groups"), .chosen = *integer(*limit, "chosen")};
      if (batch.experts % batch.limit->groups != 0 || batch.experts < 2 * batch.limit->groups)
        throw Unpredictable(fmt::format("its gate wants two experts or more in each of {} groups, and there are {}: "
                                        "what it does with these is not known",
                                        batch.limit->groups, batch.experts));
    }
    return rows_of_first_rank(batch);
  }

  [[nodiscard]] bool is_gated() const {
    const Node* usual = first_rule(words_, "libraries", text(row_.config, "library").value_or(""));
    return usual == nullptr || flag(*usual, "gated").value_or(true);
  }

  // Up, activation and down, of the experts that get a token.
  [[nodiscard]] Operators experts() const {
    const ExpertRows load = expert_rows();
    const std::int64_t columns = expert_columns();
    // Up is read, and gate beside it where there is one; what comes of them is written for the next product.
    const std::int64_t inputs = is_gated() ? 2 : 1;
    const double bytes =
        static_cast<double>(inputs) * bytes_per_element(Precision::Bf16) + bytes_per_element(precision());
    const Bytes activation(bytes * static_cast<double>(load.rows * columns));
    const auto product = [&](std::int64_t n, std::int64_t k) {
      return workloads::gemm_forward({.rows = load.rows,
                                      .n = n,
                                      .k = k,
                                      .groups = load.active,
                                      .groups_share_kernel = true,
                                      .idle_groups = load.idle},
                                     precision());
    };
    return {product(inputs * columns, required("hidden_size")), workloads::memory_bound(activation, Pass::Forward),
            product(required("hidden_size"), columns)};
  }

  // What the kernels beside must move: the input of a product that is cast; queries, keys and values, which are rotated
  // and cached; tokens on the way to their experts and back.
  [[nodiscard]] Bytes beside(const Kernel& kernel) const {
    const double wide = bytes_per_element(Precision::Bf16);
    const double read_and_cast = wide + bytes_per_element(kernel.precision);
    if (kernel.kind == "gemm")
      return Bytes(read_and_cast * static_cast<double>(required("m") * required("k")));
    if (kernel.kind == "attention") {
      const std::int64_t heads = required("num_heads") + 2 * given("num_kv_heads").value_or(required("num_heads"));
      return Bytes(2 * wide *
                   static_cast<double>(required("batch_size") * required("seq_length") * heads * required("head_dim")));
    }
    if (kernel.kind != "experts")
      return {};
    const double tokens = 2 * wide * static_cast<double>(required("num_tokens")); // read, and written at the end
    const double copies = read_and_cast * static_cast<double>(expert_rows().rows);
    return Bytes((tokens + copies) * static_cast<double>(required("hidden_size")));
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
  const Node* benchmark_; // what it times besides the kernel; nullptr: nothing
};

} // namespace

Kernel kernel_of(const Entry& row, const Node& column, const Vocabulary& vocabulary) {
  return KernelRow(row, column, vocabulary).kernel();
}

Seconds time_of(const Kernel& kernel, const platforms::Gpu& gpu) {
  Seconds time = kernel.start;
  if (kernel.launches > 0)
    time += platforms::time_in_loop(kernel.operators, gpu, kernel.launches);
  else
    for (const Operator& op : kernel.operators)
      time += platforms::time_of(op, gpu);
  if (kernel.beside > Bytes(0))
    time += platforms::time_of(workloads::memory_bound(kernel.beside, Pass::Forward), gpu);
  return std::max(time, kernel.at_least);
}

} // namespace moesim::validation
