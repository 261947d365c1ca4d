#include "workloads/segment_list.hpp"

#include <algorithm>
#include <ranges>

namespace moesim::workloads {
namespace {

bool is_compute(const Segment& segment) {
  return segment.kind == graph::Kind::Compute;
}

} // namespace

void SegmentList::kernels(std::string_view name, const std::vector<Operator>& operators) {
  if (!name.empty() && !name_.empty() && name_ != name)
    close();
  if (!name.empty())
    name_ = name;
  for (const Operator& op : operators) {
    pending_.flops += op.flops;
    pending_.bytes += op.bytes;
    pending_.operators.push_back(op);
  }
}

void SegmentList::collective(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes) {
  if (shape_.sizes.group_size(over) == 1)
    return;
  close();
  graph::Work work;
  work.bytes = bytes;
  segments_.push_back({std::string(name), kind, over, std::move(work)});
}

Segments SegmentList::finish(Bytes allocated, Bytes freed) {
  close();
  const auto first = std::ranges::find_if(segments_, is_compute);
  if (first != segments_.end())
    first->work.allocated = allocated;
  for (Segment& segment : segments_ | std::views::reverse) {
    if (is_compute(segment)) {
      segment.work.freed = freed;
      break;
    }
  }
  return std::move(segments_);
}

void SegmentList::close() {
  if (pending_.operators.empty())
    return;
  segments_.push_back(
      {name_.empty() ? "elementwise" : name_, graph::Kind::Compute, graph::Dimension::Tp, std::move(pending_)});
  pending_ = {};
  name_.clear();
}

} // namespace moesim::workloads
