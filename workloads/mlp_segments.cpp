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

namespace {

// Gate and up, or up alone, behind a gather.
Projections up_projections(const RankShape& at, std::int64_t width) {
  Projections of{.rows = at.tokens(), .widths = {width}, .k = at.model.hidden_size};
  if (at.model.up_width(width) > width)
    of.widths.push_back(width);
  return of;
}

// What RecomputeModule::Op does not keep of an MLP: up, where there is a gate, and what the activation makes.
void activate_again(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width) {
  const std::int64_t up = at.model.up_width(width);
  if (up > width) {
    enter_product(list, at, "gather-sequence");
    linear_forward(list, at, name, {at.tokens(), width, at.model.hidden_size});
  }
  activate(list, at, {at.tokens(), up, width}, Pass::Forward);
  list.keep(at.wide(at.tokens(), up - width) + at.shape.product_input(at.tokens(), width));
}

GemmShape down_projection(const RankShape& at, std::int64_t width) {
  return {at.tokens(), at.model.hidden_size, width};
}

// Up to what the last product reads.
void activated(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width) {
  const std::int64_t up = at.model.up_width(width);
  enter_product(list, at, "gather-sequence");
  projections_forward(list, at, name, up_projections(at, width));
  activate(list, at, {at.tokens(), up, width}, Pass::Forward);
  if (at.recomputes(RecomputeModule::Op))
    list.keep(at.wide(at.tokens(), width));
  else
    list.keep(at.wide(at.tokens(), up) + at.shape.product_input(at.tokens(), width));
}

} // namespace

void mlp_forward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width,
                 std::string_view sum) {
  activated(list, at, name, width);
  linear_forward(list, at, "", down_projection(at, width));
  if (!sum.empty())
    leave_region(list, at, sum);
}

void mlp_backward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width) {
  const std::int64_t up = at.model.up_width(width);
  const bool is_gathered = at.recomputes(RecomputeModule::Op) && up > width;
  if (at.recomputes(RecomputeModule::Op))
    activate_again(list, at, name, width);
  enter_product(list, at, "gather-gradient");
  linear_backward(list, at, name, down_projection(at, width), Bias{at.model.mlp_bias});
  activate(list, at, {at.tokens(), up, width}, Pass::Backward);
  list.workspace(at.wide(at.tokens(), up + width)); // the gradients of both
  if (!is_gathered)
    enter_product(list, at, "gather-sequence");
  projections_backward(list, at, name, up_projections(at, width), Bias{at.model.mlp_bias});
  list.release(at.wide(at.tokens(), up) + at.shape.product_input(at.tokens(), width));
  list.workspace(at.wide(at.tokens(), up));
  leave_region(list, at, "sum-gradient");
}

void dense_forward(SegmentList& list, const RankShape& at, Until until) {
  norm_forward(list, at);
  const bool is_last_needed = at.shape.hidden_dropout || at.model.post_norms; // by what comes after the last product
  if (until == Until::Needed && !is_last_needed) {
    activated(list, at, "mlp", at.mlp_width());
    return cast_input(list, at, "mlp", down_projection(at, at.mlp_width()));
  }
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
