#include "workloads/operators.hpp"

#include <initializer_list>

namespace moesim::workloads {
namespace {

double product(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) * static_cast<double>(b);
}

std::int64_t per_group(std::int64_t rows, std::int64_t groups) {
  return groups == 0 ? 0 : (rows + groups - 1) / groups;
}

double weight_elements(const GemmShape& shape) {
  return static_cast<double>(shape.groups) * product(shape.k, shape.n);
}

// Fills in what the forward and both backward products share: each multiplies the same three extents, in another order,
// and reads or writes each matrix once.
Operator product_of(const GemmShape& shape, Precision precision, Pass pass, double result_elements) {
  const double elements = product(shape.rows, shape.k) + weight_elements(shape) + product(shape.rows, shape.n);
  return {.kind = OperatorKind::Gemm,
          .precision = precision,
          .pass = pass,
          .groups = shape.groups,
          .flops = Flops(2 * product(shape.rows, shape.n) * static_cast<double>(shape.k)),
          .bytes = Bytes((elements - result_elements) * bytes_per_element(precision) +
                         result_elements * bytes_per_element(precision_outside_products(precision))),
          .rows = shape.of_groups,
          .groups_share_kernel = shape.groups_share_kernel,
          .idle_groups = shape.idle_groups,
          .launches = shape.groups_share_kernel ? 1 : shape.groups};
}

} // namespace

Operator gemm_forward(const GemmShape& shape, Precision precision) {
  Operator op = product_of(shape, precision, Pass::Forward, product(shape.rows, shape.n));
  op.m = per_group(shape.rows, shape.groups);
  op.n = shape.n;
  op.k = shape.k;
  return op;
}

std::vector<Operator> gemm_backward(const GemmShape& shape, Precision precision, Precision accumulated,
                                    Accumulation accumulation) {
  // dX[rows, k] = dY[rows, n] W[n, k]
  Operator input = product_of(shape, precision, Pass::Backward, product(shape.rows, shape.k));
  input.m = per_group(shape.rows, shape.groups);
  input.n = shape.k;
  input.k = shape.n;
  // dW[k, n] = X[k, rows] dY[rows, n]
  Operator weight = product_of(shape, precision, Pass::Backward, weight_elements(shape));
  weight.m = shape.k;
  weight.n = shape.n;
  weight.k = per_group(shape.rows, shape.groups);
  weight.gives_weight_gradient = true;
  const Bytes sum(weight_elements(shape) * 2 * bytes_per_element(accumulated)); // read and written
  const Bytes gradient(weight_elements(shape) * bytes_per_element(precision_outside_products(precision)));
  if (accumulation == Accumulation::Apart) {
    Operator addition = memory_bound(sum + gradient, Pass::Backward);
    addition.gives_weight_gradient = true;
    return {input, weight, addition};
  }
  weight.bytes += sum - gradient; // Megatron's gradient accumulation fusion: dW itself is not written
  return {input, weight};
}

Operator causal_attention(const AttentionShape& shape, Pass pass, Precision precision, AttentionKernel kernel) {
  const std::int64_t channels = shape.qk_head_dim + shape.v_head_dim;
  const double forward = 2 * shape.pairs * product(shape.sequences, shape.heads) * static_cast<double>(channels);
  // Forward reads queries, keys and values and writes the output; backward reads those and the output's gradient, and
  // writes three gradients.
  const double rows = product(shape.length, shape.heads) + product(shape.kv_length, shape.kv_heads);
  const double elements = static_cast<double>(shape.sequences) * rows * static_cast<double>(channels);
  const Bytes bytes(elements * bytes_per_element(precision));
  const bool is_forward = pass == Pass::Forward;
  return {.kind = OperatorKind::Attention,
          .precision = precision,
          .pass = pass,
          .groups = shape.sequences * shape.heads,
          .m = shape.length,
          .n = shape.keys,
          .k = channels / 2, // the mean head size sets how long the products run
          .flops = Flops(is_forward ? forward : 2 * forward),
          .bytes = is_forward ? bytes : 2 * bytes,
          .attention = kernel};
}

namespace {

// Megatron-LM, megatron/model/fused_softmax.py, is_kernel_available().
constexpr std::int64_t matrices_of_fused_softmax = 4;

// Of `scores` elements. Fused it passes two tensors of them forward (reads and writes), three backward (reads P and dP,
// writes dS). In steps it is a cast to FP32, scale, mask, softmax and a cast back, or these backwards.
std::vector<Operator> softmax(double scores, std::int64_t matrices, Pass pass, Precision precision) {
  const double wide = bytes_per_element(precision);
  const double fp32 = bytes_per_element(Precision::Fp32);
  const double tensors = pass == Pass::Forward ? 2 : 3;
  const auto over_scores = [&](double bytes) { return memory_bound(Bytes(bytes * scores), pass); };
  if (matrices % matrices_of_fused_softmax == 0)
    return {over_scores(tensors * wide)};
  return {over_scores(wide + fp32), over_scores(2 * fp32), over_scores(2 * fp32), over_scores(tensors * fp32),
          over_scores(fp32 + wide)};
}

} // namespace

std::vector<Operator> unfused_attention(const AttentionShape& shape, Pass pass, Precision precision) {
  const std::int64_t matrices = shape.sequences * shape.heads;
  // A product of every head with nothing accumulated: what gemm_forward() says of weights holds for the second factor.
  const auto batched = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    Operator op = gemm_forward({.rows = matrices * m, .n = n, .k = k, .groups = matrices}, precision);
    op.pass = pass;
    op.launches = 1; // one kernel for all matrices
    return op;
  };
  const double scores = product(matrices, shape.length) * static_cast<double>(shape.kv_length);
  const std::int64_t queries = shape.length;
  const std::int64_t keys = shape.kv_length;
  const double outputs = product(shape.sequences * shape.length, shape.heads * shape.v_head_dim);
  const double inputs =
      product(shape.sequences * shape.length, shape.heads * shape.qk_head_dim) +
      product(shape.sequences * shape.kv_length, shape.kv_heads * (shape.qk_head_dim + shape.v_head_dim));
  const auto reordered = [&](double elements) {
    return memory_bound(Bytes(2 * elements * bytes_per_element(precision)), pass);
  };
  std::vector<Operator> kernels;
  kernels.reserve(12);
  const auto add = [&](const std::vector<Operator>& operators) {
    kernels.insert(kernels.end(), operators.begin(), operators.end());
  };
  // Reads scores (or their gradients), writes what is left of them; the mask is written in the forward, read after it.
  const auto drop = [&] {
    if (shape.dropout)
      kernels.push_back(memory_bound(Bytes(scores * (2 * bytes_per_element(precision) + 1)), pass));
  };
  if (pass == Pass::Forward) {
    add({batched(queries, keys, shape.qk_head_dim)});
    add(softmax(scores, matrices, pass, precision));
    drop();
    add({batched(queries, shape.v_head_dim, keys), reordered(outputs)});
    return kernels;
  }
  add({reordered(outputs), batched(queries, keys, shape.v_head_dim), // dP = dO V^T
       batched(keys, shape.v_head_dim, queries)});                   // dV = P^T dO
  drop();
  add(softmax(scores, matrices, pass, precision));
  add({batched(queries, shape.qk_head_dim, keys), // dQ = dS K
       batched(keys, shape.qk_head_dim, queries), // dK = dS^T Q
       reordered(inputs)});
  return kernels;
}

Operator cached_attention(const AttentionShape& shape, Bytes cache, Precision precision) {
  Operator op = causal_attention(shape, Pass::Forward, precision);
  // Query heads that share keys are queries of one product, so that the keys are read once.
  op.groups = shape.sequences * shape.kv_heads;
  op.m = shape.length * shape.heads / shape.kv_heads;
  const std::int64_t channels = shape.qk_head_dim + shape.v_head_dim; // of queries and outputs
  op.bytes = Bytes(product(shape.sequences * shape.length, shape.heads * channels) * bytes_per_element(precision));
  op.bytes += cache;
  return op;
}

Operator memory_bound(Bytes bytes, Pass pass) {
  Operator op;
  op.pass = pass;
  op.bytes = bytes;
  return op;
}

} // namespace moesim::workloads
