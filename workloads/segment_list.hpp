// Collects kernels and collectives into segments. Kernels that follow each other run as one task under one name;
// collectives of a group of one are left out.
#pragma once

#include <string>
#include <vector>

#include "workloads/segments.hpp"

namespace moesim::workloads {

class SegmentList {
public:
  explicit SegmentList(const MicroBatchShape& shape) : shape_(shape) {}

  // Adds kernels under a name; another name than before starts a new segment. Without a name they join the segment
  // before or after them: norms, residual additions and the like.
  void kernels(std::string_view name, const std::vector<Operator>& operators);
  void kernel(std::string_view name, const Operator& op) { kernels(name, {op}); }
  void unnamed(const Operator& op) { kernels("", {op}); }

  // Ends the kernels so far, and adds a collective; bytes as nccl-tests counts its size.
  void collective(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes);

  // Activation memory taken when the first kernel segment of the list starts, or given back when the last one ends.
  [[nodiscard]] Segments finish(Bytes allocated, Bytes freed);

private:
  void close();

  const MicroBatchShape& shape_;
  Segments segments_;
  std::string name_;
  graph::Work pending_;
};

} // namespace moesim::workloads
