#include "workloads/split_backward.hpp"

#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

// Both factors of dW[k, n] = X[k, rows] dY[rows, n].
Bytes factors_of(const Operator& product) {
  const double rows = static_cast<double>(product.groups) * static_cast<double>(product.k);
  return Bytes(rows * static_cast<double>(product.m + product.n) * bytes_per_element(product.precision));
}

void add(graph::Work& work, const Operator& op) {
  work.operators.push_back(op);
  work.flops += op.flops;
  work.bytes += op.bytes;
}

// Of kernels: those that stay, while the others go to `weight`.
graph::Work without_products(const graph::Work& whole, graph::Work& weight) {
  graph::Work input;
  input.allocated = whole.allocated;
  input.freed = whole.freed;
  for (const Operator& op : whole.operators) {
    if (!op.gives_weight_gradient) {
      add(input, op);
      continue;
    }
    add(weight, op);
    input.allocated[Memory::Activations] += factors_of(op);
    weight.freed[Memory::Activations] += factors_of(op);
  }
  MOESIM_CHECK(!input.operators.empty(), "a product for a weight's gradient comes with one for the input's");
  return input;
}

} // namespace

SplitBackward split_backward(const Segments& backward) {
  SplitBackward split;
  Segment weight{"weight-gradients", graph::Kind::Compute, graph::Dimension::Tp, {}};
  for (const Segment& segment : backward) {
    Segment& input = split.input.emplace_back(segment);
    if (segment.kind == graph::Kind::Compute)
      input.work = without_products(segment.work, weight.work);
  }
  if (!weight.work.operators.empty())
    split.weight.push_back(std::move(weight));
  return split;
}

} // namespace moesim::workloads
