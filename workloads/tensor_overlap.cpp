#include "workloads/tensor_overlap.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using graph::Kind;
using graph::Memory;
using Operators = std::vector<Operator>;

// Kernels, and the communication that runs beside them.
struct Part {
  std::optional<Segment> beside;
  Operators kernels;
};

bool is_over_tp(const Segment* segment, Kind kind) {
  return segment != nullptr && segment->kind == kind && segment->over == graph::Dimension::Tp;
}

bool is_product(const Operator& op) {
  return op.kind == OperatorKind::Gemm;
}

// The gradients of input and weights of one product, or of several with inputs of their own (MLA's), and casts. Of
// several with one input the gradients of that are added up at the end, which the sum over tp waits for.
bool is_backward_without_addition(const Operators& operators) {
  const auto is_backward_product = [](const Operator& op) { return is_product(op) && op.pass == Pass::Backward; };
  const auto products = std::ranges::count_if(operators, is_product);
  return products >= 2 && products == std::ranges::count_if(operators, is_backward_product) &&
         (products == 2 || is_product(operators.back()));
}

// How many products from the first on read what was gathered, row by row.
std::size_t readers(std::span<const Operator> from_first) {
  const Operator& first = from_first.front();
  const auto reads_too = [&](const Operator& op) {
    return is_product(op) && op.pass == Pass::Forward && op.m == first.m && op.k == first.k;
  };
  const auto end = std::ranges::find_if_not(from_first.subspan(1), reads_too);
  return 1 + static_cast<std::size_t>(first.pass == Pass::Forward ? end - from_first.begin() - 1 : 0);
}

// One of `pieces` equal pieces of a product, or of the cast before it.
Operator piece_of(const Operator& op, std::int64_t pieces) {
  const auto count = static_cast<double>(pieces);
  Operator piece = op;
  piece.flops = op.flops / count;
  piece.bytes = op.bytes / count;
  if (!is_product(op))
    return piece;
  MOESIM_CHECK(op.groups == 1 && op.m % pieces == 0, "sequence parallelism splits the rows of a product evenly");
  piece.m = op.m / pieces;
  const double weights = static_cast<double>(op.n) * static_cast<double>(op.k) * bytes_per_element(op.precision);
  piece.bytes += Bytes(weights * (count - 1) / count); // all of them, not a share
  return piece;
}

// A gather that runs beside kernels, of which the workspace already has room for what is gathered.
Segment into_workspace(Segment gather) {
  gather.work.allocated = gather.work.freed = {};
  return gather;
}

// One of the messages that take the place of a collective.
Segment message_of(const Segment& collective, std::int64_t ranks) {
  Segment message = collective;
  message.kind = Kind::RingExchange;
  message.work.bytes = collective.work.bytes / static_cast<double>(ranks);
  return message;
}

// The kernels of one segment, with what is gathered before and summed after them where that is over tp.
class Region {
public:
  Region(const Segment* gather, const Segment& kernels, const Segment* sum, std::int64_t ranks)
      : gather_(is_over_tp(gather, Kind::AllGather) ? gather : nullptr), kernels_(kernels),
        sum_(is_over_tp(sum, Kind::ReduceScatter) ? sum : nullptr), ranks_(ranks) {
    const Operators& operators = kernels_.work.operators;
    const auto first = std::ranges::find_if(operators, is_product);
    if (gather_ != nullptr && sum_ != nullptr && is_backward_without_addition(operators))
      cut_in_bulk();
    else
      cut_in_pieces(first - operators.begin());
  }

  // Whether they run beside kernels.
  [[nodiscard]] bool hides_gather() const { return hides_gather_; }
  [[nodiscard]] bool hides_sum() const { return hides_sum_; }

  void write(Segments& segments) {
    for (std::size_t at = 0; at < parts_.size(); ++at) {
      if (parts_[at].beside) {
        segments.push_back(std::move(*parts_[at].beside));
        segments.back().beside_next = true;
      }
      segments.push_back(segment_of(std::move(parts_[at].kernels), at == 0, at + 1 == parts_.size()));
    }
  }

private:
  // `first`: which of the operators is the first product. Only a cast, of FP8, is cut with it.
  void cut_in_pieces(std::ptrdiff_t first) {
    const std::span<const Operator> all = kernels_.work.operators;
    const auto count = static_cast<std::ptrdiff_t>(all.size());
    hides_gather_ = gather_ != nullptr && first <= 1 && first < count;
    const auto at = static_cast<std::size_t>(first);
    const auto leading = all.first(hides_gather_ ? at + readers(all.subspan(at)) : 0);
    hides_sum_ = sum_ != nullptr && leading.size() < all.size() && is_product(all.back());
    const auto trailing = all.last(hides_sum_ ? 1 : 0);
    const auto middle = all.subspan(leading.size(), all.size() - leading.size() - trailing.size());
    const auto add = [&](std::span<const Operator> operators) {
      for (const Operator& op : operators)
        parts_.back().kernels.push_back(piece_of(op, ranks_));
    };
    for (std::int64_t piece = 1; hides_gather_ && piece < ranks_; ++piece) {
      parts_.push_back({message_of(into_workspace(*gather_), ranks_), {}});
      add(leading);
    }
    parts_.emplace_back();
    add(leading);
    parts_.back().kernels.insert(parts_.back().kernels.end(), middle.begin(), middle.end());
    add(trailing);
    for (std::int64_t piece = 1; hides_sum_ && piece < ranks_; ++piece) {
      parts_.push_back({message_of(*sum_, ranks_), {}});
      add(trailing);
    }
  }

  // Products of a backward come in pairs: the gradient of the input, then that of the weights.
  void cut_in_bulk() {
    hides_gather_ = hides_sum_ = true;
    parts_ = {{into_workspace(*gather_), {}}, {*sum_, {}}};
    bool is_of_weights = false;
    for (const Operator& op : kernels_.work.operators) {
      parts_[is_product(op) && is_of_weights ? 1 : 0].kernels.push_back(op);
      is_of_weights = is_of_weights != is_product(op);
    }
  }

  // What lasts is taken by the first part and given back by the last; all need the workspace.
  [[nodiscard]] Segment segment_of(Operators operators, bool is_first, bool is_last) const {
    Segment segment = kernels_;
    graph::Work& work = segment.work;
    const Bytes workspace = work.allocated[Memory::Workspace];
    if (!is_first)
      work.allocated = {};
    if (!is_last)
      work.freed = {};
    work.allocated[Memory::Workspace] = work.freed[Memory::Workspace] = workspace;
    work.flops = Flops();
    work.bytes = Bytes();
    for (const Operator& op : operators) {
      work.flops += op.flops;
      work.bytes += op.bytes;
    }
    work.operators = std::move(operators);
    return segment;
  }

  const Segment* gather_;
  const Segment& kernels_;
  const Segment* sum_;
  std::int64_t ranks_;
  bool hides_gather_ = false;
  bool hides_sum_ = false;
  std::vector<Part> parts_;
};

} // namespace

Segments overlap_tensor_parallel(const Segments& segments, std::int64_t ranks, HiddenOverTp hidden) {
  Segments overlapped;
  bool is_sum_hidden = false; // of the kernels before
  const auto neighbour = [&](std::size_t at) { return at < segments.size() ? &segments[at] : nullptr; };
  for (std::size_t at = 0; at < segments.size(); ++at) {
    if (segments[at].kind != Kind::Compute) {
      if (!std::exchange(is_sum_hidden, false))
        overlapped.push_back(segments[at]);
      continue;
    }
    const Segment* gather = hidden == HiddenOverTp::Sums ? nullptr : neighbour(at - 1);
    Region region(gather, segments[at], neighbour(at + 1), ranks);
    if (region.hides_gather())
      overlapped.pop_back();
    region.write(overlapped);
    is_sum_hidden = region.hides_sum();
  }
  return overlapped;
}

} // namespace moesim::workloads
