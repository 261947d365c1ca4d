#include "workloads/casts.hpp"

namespace moesim::workloads {
namespace {

// A few bytes for each group. Each stands for two, of rows and columns or of both factors, which C++ launches in a row:
// that takes the host half as long, which is assumed.
Operator scale_kernel(std::int64_t groups, Pass pass) {
  Operator kernel = memory_bound(Bytes(), pass);
  kernel.launches = groups;
  return kernel;
}

} // namespace

bool scales_rows(const MicroBatchShape& shape) {
  return shape.precision == Precision::Fp8 && shape.fp8_scaling == Fp8Scaling::Row;
}

void cast_for_product(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& of,
                      std::int64_t width, Pass pass) {
  if (!is_cast_for_products(at.shape.precision))
    return;
  const bool looks_first = at.shape.precision == Precision::Nvfp4 ||
                           (at.shape.precision == Precision::Fp8 && at.shape.fp8_scaling == Fp8Scaling::Current);
  const double reads = looks_first ? 2 : 1;
  const double copies =
      at.shape.cache || scales_rows(at.shape) ? 1 : 2; // by rows, and by columns for the weight's gradient
  Operator cast = memory_bound(reads * at.wide(of.rows, width) + copies * at.shape.product_input(of.rows, width), pass);
  cast.launches = of.groups_share_kernel ? 1 : of.groups;
  list.kernel(name, cast);
  if (at.shape.precision == Precision::Mxfp8 && at.shape.scale_kernels == ScaleKernels::ZeroAndSwizzle)
    list.kernel(name, scale_kernel(cast.launches, pass));
}

void swizzle_scales(SegmentList& list, const RankShape& at, std::string_view name,
                    const std::vector<Operator>& products) {
  if (at.shape.precision != Precision::Mxfp8 || at.shape.scale_kernels == ScaleKernels::None)
    return;
  for (const Operator& product : products)
    list.kernel(name, scale_kernel(product.launches, product.pass));
}

void cast_columns(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t rows,
                  std::int64_t width) {
  if (!scales_rows(at.shape))
    return;
  constexpr double slowdown = 2.1 / 0.65;
  const Bytes elements = at.wide(rows, width);
  list.kernel(name, memory_bound(elements, Pass::Backward));
  list.kernel(name, memory_bound(slowdown * (elements + at.shape.product_input(rows, width)), Pass::Backward));
}

} // namespace moesim::workloads
