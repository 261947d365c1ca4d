#include "workloads/segment_list.hpp"

#include <algorithm>
#include <utility>

namespace moesim::workloads {

using graph::Memory;

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

void SegmentList::collective(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes, Bytes result,
                             const TokensSent& tokens) {
  if (shape_.sizes.group_size(over) == 1)
    return;
  close();
  graph::Work work;
  work.bytes = bytes;
  work.routing = tokens.routing;
  work.tokens = tokens.traffic;
  work.allocated[Memory::Communication] = result;
  work.freed[Memory::Communication] = result;
  segments_.push_back({std::string(name), kind, over, std::move(work)});
  read_ = result;
}

void SegmentList::collective_beside(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes,
                                    Bytes result, const TokensSent& tokens) {
  if (shape_.sizes.group_size(over) == 1)
    return;
  close();
  const Bytes read = read_;
  collective(name, kind, over, bytes, result, tokens);
  segments_.back().beside_next = true;
  read_ = read;
  read_next_ = result;
}

void SegmentList::keep(Bytes bytes) {
  if (keeps_)
    pending_.allocated[Memory::Activations] += bytes;
  else
    workspace(bytes);
}

void SegmentList::release(Bytes bytes) {
  pending_.freed[Memory::Activations] += bytes;
}

void SegmentList::workspace(Bytes bytes) {
  workspace_ = std::max(workspace_, bytes);
}

void SegmentList::cache(Bytes bytes) {
  pending_.allocated[Memory::KvCache] += bytes;
}

Segments SegmentList::finish() {
  close();
  return std::move(segments_);
}

void SegmentList::close() {
  if (pending_.operators.empty())
    return;
  if (shape_.cuda_graphs.captures(name_))
    for (Operator& op : pending_.operators)
      op.launches = 0;
  pending_.allocated[Memory::Workspace] = workspace_ + read_;
  pending_.freed[Memory::Workspace] = workspace_ + read_;
  workspace_ = Bytes();
  read_ = std::exchange(read_next_, Bytes());
  segments_.push_back(
      {name_.empty() ? "elementwise" : name_, graph::Kind::Compute, graph::Dimension::Tp, std::move(pending_)});
  pending_ = {};
  name_.clear();
}

} // namespace moesim::workloads
