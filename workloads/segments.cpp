#include "workloads/segments.hpp"

#include "workloads/casts.hpp"
#include "workloads/rank_shape.hpp"
#include "workloads/tensor_overlap.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Memory;

void cast_input(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape) {
  cast_for_product(list, at, name, shape, shape.k, Pass::Forward);
}

namespace {

Operator forward_product(const RankShape& at, const GemmShape& shape) {
  Operator product = gemm_forward(shape, at.shape.precision);
  if (at.shape.weight_precision) {
    const double weights =
        static_cast<double>(shape.groups) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
    product.bytes +=
        Bytes(weights * (bytes_per_element(*at.shape.weight_precision) - bytes_per_element(at.shape.precision)));
    product.weight_bytes = bytes_per_element(*at.shape.weight_precision);
  }
  return product;
}

// Of a product whose input is cast already.
void product_forward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape,
                     Bytes epilogue) {
  Operator product = forward_product(at, shape);
  product.bytes += epilogue;
  swizzle_scales(list, at, name, {product});
  list.kernel(name, product);
}

void product_backward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape, Bias bias,
                      Bytes epilogue) {
  cast_for_product(list, at, name, shape, shape.n, Pass::Backward);
  cast_columns(list, at, name, shape.rows, shape.n);
  std::vector<Operator> products =
      gemm_backward(shape, at.shape.precision, at.shape.gradient_precision,
                    at.is_transformer_engine() ? Accumulation::InPlace : Accumulation::Apart);
  products.front().bytes += epilogue;
  swizzle_scales(list, at, name, products);
  list.kernels(name, products);
  if (bias == Bias::Yes && !at.is_transformer_engine())
    list.kernel(name, memory_bound(at.wide(shape.rows, shape.n), Pass::Backward));
}

// Ranks gather and scatter the first dimension. Parts of several sequences are brought into the order of the sequences
// behind a gather, and out of it before a sum (PyTorch, distributed/_functional_collectives.py). Pieces that overlap
// with products are put where they belong.
void reorder(SegmentList& list, const RankShape& at, Bytes bytes, bool overlaps) {
  if (at.shape.batch_first && at.shape.sequences > 1 && at.tp() > 1 && !overlaps)
    list.unnamed(memory_bound(2 * bytes, Pass::Forward));
}

} // namespace

void linear_forward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape,
                    Bytes epilogue) {
  cast_input(list, at, name, shape);
  product_forward(list, at, name, shape, epilogue);
}

void linear_backward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape, Bias bias,
                     Bytes epilogue) {
  cast_columns(list, at, name, shape.rows, shape.k);
  product_backward(list, at, name, shape, bias, epilogue);
}

void projections_forward(SegmentList& list, const RankShape& at, std::string_view name, const Projections& of) {
  if (at.shape.fused_projections)
    return linear_forward(list, at, name, of.fused());
  cast_input(list, at, name, of.fused());
  for (const std::int64_t width : of.widths)
    product_forward(list, at, name, {of.rows, width, of.k}, {});
}

void projections_backward(SegmentList& list, const RankShape& at, std::string_view name, const Projections& of,
                          Bias bias) {
  if (at.shape.fused_projections || of.widths.size() == 1)
    return linear_backward(list, at, name, of.fused(), bias);
  cast_columns(list, at, name, of.rows, of.k);
  for (const std::int64_t width : of.widths)
    product_backward(list, at, name, {of.rows, width, of.k}, bias, {});
  list.kernel(name, memory_bound(at.wide(of.rows, of.k) * static_cast<double>(of.widths.size() + 1), Pass::Backward));
}

void enter_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes) {
  if (!at.shape.sequence_parallel)
    return;
  list.collective(name, Kind::AllGather, Dimension::Tp, bytes, bytes);
  reorder(list, at, bytes, at.shape.overlaps_tp && !scales_rows(at.shape)); // rows' scales: sums alone overlap
}

void leave_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes) {
  if (!at.shape.sequence_parallel)
    return list.collective(name, Kind::AllReduce, Dimension::Tp, bytes, Bytes());
  reorder(list, at, bytes, at.shape.overlaps_tp);
  list.collective(name, Kind::ReduceScatter, Dimension::Tp, bytes, bytes / static_cast<double>(at.tp()));
}

void enter_region(SegmentList& list, const RankShape& at, std::string_view name) {
  enter_region(list, at, name, at.hidden(at.tokens()));
}

void enter_product(SegmentList& list, const RankShape& at, std::string_view name) {
  const bool is_cast_first = at.shape.gathers_fp8 && at.shape.precision == Precision::Fp8 && !scales_rows(at.shape);
  enter_region(list, at, name,
               is_cast_first ? at.shape.product_input(at.tokens(), at.model.hidden_size) : at.hidden(at.tokens()));
}

void leave_region(SegmentList& list, const RankShape& at, std::string_view name) {
  leave_region(list, at, name, at.hidden(at.tokens()));
}

void norm_forward(SegmentList& list, const RankShape& at) {
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  list.keep(at.hidden(at.local()));
  if (!at.recomputes(RecomputeModule::Layernorm))
    list.keep(at.shape.product_input(at.local(), at.model.hidden_size));
}

void norm_again(SegmentList& list, const RankShape& at) {
  if (!at.recomputes(RecomputeModule::Layernorm))
    return;
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  list.keep(at.shape.product_input(at.local(), at.model.hidden_size));
}

void norm_backward(SegmentList& list, const RankShape& at) {
  if (!at.is_transformer_engine())
    list.unnamed(at.passes(norm_gradient_passes, Pass::Backward));
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
  list.release(at.hidden(at.local()) + at.shape.product_input(at.local(), at.model.hidden_size));
}

void drop_hidden(SegmentList& list, const RankShape& at, std::int64_t rows, Pass pass) {
  const Bytes mask = at.mask(rows, at.model.hidden_size);
  list.unnamed(memory_bound(at.hidden(rows) * dropout_passes + mask, pass));
  if (pass == Pass::Forward)
    list.keep(mask);
  else
    list.release(mask);
}

void add_residual(SegmentList& list, const RankShape& at) {
  if (at.model.post_norms) {
    list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
    list.keep(at.hidden(at.local()));
  }
  if (!at.shape.hidden_dropout)
    return list.unnamed(at.passes(residual_passes, Pass::Forward));
  if (at.is_eager()) {
    drop_hidden(list, at, at.local(), Pass::Forward);
    return list.unnamed(at.passes(residual_passes, Pass::Forward));
  }
  const Bytes mask = at.mask(at.local(), at.model.hidden_size); // dropped while it is added
  list.unnamed(memory_bound(at.hidden(at.local()) * residual_passes + mask, Pass::Forward));
  list.keep(mask);
}

void add_residual_backward(SegmentList& list, const RankShape& at) {
  if (at.shape.hidden_dropout)
    drop_hidden(list, at, at.local(), Pass::Backward);
  if (!at.model.post_norms)
    return;
  list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  list.release(at.hidden(at.local()));
}

namespace {

Segments layer_of(SegmentList& list, const MicroBatchShape& shape) {
  Segments segments = list.finish();
  // A product of rows that have scales of their own is not fused with the gather before it (pytorch/pytorch issue
  // 149990).
  const auto hidden = scales_rows(shape) ? HiddenOverTp::Sums : HiddenOverTp::GathersAndSums;
  return shape.overlaps_tp ? overlap_tensor_parallel(segments, shape.sizes.tp, hidden) : segments;
}

} // namespace

Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind, const RankLoad* load,
                       Until until) {
  const RankShape at{model, shape, kind, load};
  SegmentList list(shape);
  attention_forward(list, at);
  if (kind.has_experts)
    moe_forward(list, at);
  else
    dense_forward(list, at, until);
  return layer_of(list, shape);
}

Segments layer_backward(const ModelSpec& model, const MicroBatchShape& both_passes, LayerKind kind,
                        const RankLoad* load) {
  MicroBatchShape shape = both_passes;
  shape.overlaps_tp = shape.overlaps_tp && shape.overlaps_tp_backward;
  const RankShape at{model, shape, kind, load};
  SegmentList list(shape);
  if (kind.has_experts)
    moe_backward(list, at);
  else
    dense_backward(list, at);
  attention_backward(list, at);
  return layer_of(list, shape);
}

Segments without_keeping(Segments forward) {
  for (Segment& segment : forward) {
    graph::MemoryUse& taken = segment.work.allocated;
    taken[Memory::Workspace] += taken[Memory::Activations];
    segment.work.freed[Memory::Workspace] += taken[Memory::Activations];
    taken[Memory::Activations] = Bytes();
  }
  return forward;
}

Segments keeping_input(Segments forward, Bytes input) {
  forward.front().work.allocated[Memory::Activations] += input; // a layer starts with a kernel
  return forward;
}

Segments input_kept_before(Segments forward, Bytes input) {
  forward.front().work.allocated[Memory::Activations] -= input;
  return forward;
}

Bytes kept_by(const Segments& segments) {
  Bytes kept;
  for (const Segment& segment : segments)
    kept += segment.work.allocated[Memory::Activations] - segment.work.freed[Memory::Activations];
  return kept;
}

Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind) {
  return kept_by(layer_forward(model, shape, kind));
}

Bytes head_activations(const ModelSpec& model, const MicroBatchShape& shape) {
  return kept_by(head_forward(model, shape));
}

Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape) {
  return shape.activation(shape.local_tokens(), model.hidden_size);
}

Segments gather_received(const ModelSpec& model, const MicroBatchShape& shape) {
  SegmentList list(shape);
  const Bytes all = boundary_bytes(model, shape);
  list.collective("gather-received", Kind::AllGather, Dimension::Tp, all, all);
  return list.finish();
}

} // namespace moesim::workloads
