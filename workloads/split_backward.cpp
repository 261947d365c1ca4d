#include "workloads/split_backward.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

// Both factors of dW[k, n] = X[k, rows] dY[rows, n].
Bytes factors_of(const Operator& product) {
  double rows = static_cast<double>(product.groups) * static_cast<double>(product.k);
  if (!product.rows.are_equal())
    rows =
        static_cast<double>(std::accumulate(product.rows.list().begin(), product.rows.list().end(), std::int64_t{0}));
  return Bytes(rows * static_cast<double>(product.m + product.n) * bytes_per_element(product.precision));
}

void add(graph::Work& work, const Operator& op) {
  work.operators.push_back(op);
  work.flops += op.flops;
  work.bytes += op.bytes;
}

// Of kernels: those that stay, while the others go to `weight`. Kept longer is first what would be given back here: the
// inputs are held since the forward, and the gradients are in the workspace up to then.
graph::Work without_products(const graph::Work& whole, graph::Work& weight) {
  graph::Work input;
  input.allocated = whole.allocated;
  input.freed = whole.freed;
  Bytes kept;
  for (const Operator& op : whole.operators) {
    if (!op.gives_weight_gradient) {
      add(input, op);
      continue;
    }
    add(weight, op);
    kept += factors_of(op);
  }
  const Bytes not_given_back = std::min(kept, whole.freed[Memory::Activations]);
  input.freed[Memory::Activations] -= not_given_back;
  input.allocated[Memory::Activations] += kept - not_given_back;
  weight.freed[Memory::Activations] += kept;
  return input;
}

// Nothing is left of these kernels but what they take and give back that lasts: the segment before them does so now.
// What ran beside them is waited for.
void leave_out(const graph::Work& rest, Segments& before) {
  MOESIM_CHECK(!before.empty(), "a backward begins with what gives the gradient of its input");
  for (auto segment = before.rbegin(); segment != before.rend() && segment->beside_next; ++segment)
    segment->beside_next = false;
  graph::Work& last = before.back().work;
  for (const Memory memory : {Memory::Activations, Memory::Weights, Memory::Gradients}) {
    last.allocated[memory] += rest.allocated[memory];
    last.freed[memory] += rest.freed[memory];
  }
}

} // namespace

SplitBackward split_backward(const Segments& backward) {
  SplitBackward split;
  Segment weight{"weight-gradients", graph::Kind::Compute, graph::Dimension::Tp, {}};
  for (const Segment& segment : backward) {
    if (segment.kind != graph::Kind::Compute) {
      split.input.push_back(segment);
      continue;
    }
    graph::Work input = without_products(segment.work, weight.work);
    if (input.operators.empty())
      leave_out(input, split.input);
    else
      split.input.push_back({segment.name, segment.kind, segment.over, std::move(input), segment.beside_next});
  }
  if (!weight.work.operators.empty())
    split.weight.push_back(std::move(weight));
  return split;
}

} // namespace moesim::workloads
