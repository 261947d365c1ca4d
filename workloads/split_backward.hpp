// Cuts a backward pass in two: what gives the gradient of the input, which the stage before waits for, and what gives
// the gradients of the weights, which may come later (Zero Bubble, arXiv 2401.10241, section 2; Megatron Core,
// delay_wgrad_compute).
#pragma once

#include "workloads/segments.hpp"

namespace moesim::workloads {

struct SplitBackward {
  Segments input;  // all collectives and every kernel but ...
  Segments weight; // ... the products that give weights' gradients, in one segment; empty: there are none
};

// What a product of the second part multiplies, its input and the gradient of its output, is kept from the first part
// to the second as whole as the product reads it.
[[nodiscard]] SplitBackward split_backward(const Segments& backward);

} // namespace moesim::workloads
