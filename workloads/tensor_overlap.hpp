// Communication of tensor-parallel ranks beside the products around it, as with the user buffers of Transformer Engine
// (Megatron Core, tp_comm_overlap; Transformer Engine, pytorch/module/base.py, initialize_ub(), which says what is done
// by which of the two ways).
//
// Ring exchange: a product behind a gather is cut along its rows into as many pieces as there are ranks. A rank begins
// with the rows that it has; while a piece runs, the rows of the next one arrive. A sum behind a product likewise:
// while a piece runs, the sum so far of the piece before is passed on. So n - 1 messages of an n-th each take the place
// of a collective, which moves as much. Several products of one input (projections that are not fused) are cut
// together. Bulk: in the backward of a column-parallel product, whose input is gathered once more for the weights'
// gradient, this gather runs beside the input's gradient, and the sum of that beside the weights'. Where projections
// are not fused the gradients of their input are added up first, and the sum over tp is exposed (PyTorch,
// _inductor/fx_passes/micro_pipeline_tp.py, takes the product itself only).
#pragma once

#include <cstdint>

#include "workloads/segments.hpp"

namespace moesim::workloads {

enum class HiddenOverTp : std::uint8_t { GathersAndSums, Sums };

// The segments of a layer with that overlap, over `ranks` of tensor and sequence parallelism. Pieces do the same FLOPs
// as the whole, but each reads the weights.
[[nodiscard]] Segments overlap_tensor_parallel(const Segments& segments, std::int64_t ranks,
                                               HiddenOverTp hidden = HiddenOverTp::GathersAndSums);

} // namespace moesim::workloads
