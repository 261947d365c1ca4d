#include "workloads/rank_shape.hpp"

namespace moesim::workloads {

void activate(SegmentList& list, const RankShape& at, const ActivationShape& shape, Pass pass) {
  const auto kernel = [&](std::int64_t columns) { list.unnamed(memory_bound(at.wide(shape.rows, columns), pass)); };
  const bool is_forward = pass == Pass::Forward;
  if (!at.is_eager() || shape.up == shape.width)
    return kernel(shape.up +
                  (is_forward ? shape.width : shape.up + shape.width)); // the backward reads both, writes one
  kernel((is_forward ? 2 : 3) * shape.width);                           // the function by itself,
  if (is_forward)
    return kernel(3 * shape.width); // times the gate
  kernel(3 * shape.width);          // and that product's two gradients, each from two factors
  kernel(3 * shape.width);
}

void mlp_forward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width,
                 std::string_view sum) {
  const std::int64_t up = at.model.up_width(width);
  enter_region(list, at, "gather-sequence");
  linear_forward(list, at, name, {at.tokens(), up, at.model.hidden_size});
  activate(list, at, {at.tokens(), up, width}, Pass::Forward);
  list.keep(at.wide(at.tokens(), up) + at.shape.product_input(at.tokens(), width));
  linear_forward(list, at, "", {at.tokens(), at.model.hidden_size, width});
  if (!sum.empty())
    leave_region(list, at, sum);
}

void mlp_backward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width) {
  const std::int64_t up = at.model.up_width(width);
  enter_region(list, at, "gather-gradient");
  linear_backward(list, at, name, {at.tokens(), at.model.hidden_size, width}, Bias{at.model.mlp_bias});
  activate(list, at, {at.tokens(), up, width}, Pass::Backward);
  list.workspace(at.wide(at.tokens(), up + width)); // the gradients of both
  enter_region(list, at, "gather-sequence");
  linear_backward(list, at, name, {at.tokens(), up, at.model.hidden_size}, Bias{at.model.mlp_bias});
  list.release(at.wide(at.tokens(), up) + at.shape.product_input(at.tokens(), width));
  list.workspace(at.wide(at.tokens(), up));
  leave_region(list, at, "sum-gradient");
}

void dense_forward(SegmentList& list, const RankShape& at) {
  norm_forward(list, at);
  const bool keeps = list.keeps();
  list.set_keeping(keeps && !at.recomputes(RecomputeModule::Mlp));
  mlp_forward(list, at, "mlp", at.mlp_width(), "sum-mlp");
  list.set_keeping(keeps);
  add_residual(list, at);
}

void dense_backward(SegmentList& list, const RankShape& at) {
  add_residual_backward(list, at);
  norm_again(list, at);
  if (at.recomputes(RecomputeModule::Mlp))
    mlp_forward(list, at, "mlp", at.mlp_width(), "sum-mlp");
  mlp_backward(list, at, "mlp", at.mlp_width());
  norm_backward(list, at);
}

} // namespace moesim::workloads
