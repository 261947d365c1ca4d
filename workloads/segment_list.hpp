// Collects kernels and collectives into segments. Kernels that follow each other run as one task under one name;
// collectives of a group of one are left out.
#pragma once

#include <string>
#include <vector>

#include "workloads/segments.hpp"

namespace moesim::workloads {

// Which tokens a collective sends, where it sends tokens to experts.
struct TokensSent {
  graph::TokenRouting routing{};
  graph::TokenTraffic traffic{};
};

class SegmentList {
public:
  explicit SegmentList(const MicroBatchShape& shape) : shape_(shape), keeps_(!shape.cache) {}

  // Adds kernels under a name; another name than before starts a new segment. Without a name they join the segment
  // before or after them: norms, residual additions and the like.
  void kernels(std::string_view name, const std::vector<Operator>& operators);
  void kernel(std::string_view name, const Operator& op) { kernels(name, {op}); }
  void unnamed(const Operator& op) { kernels("", {op}); }

  // Ends the kernels so far: those that follow are another task.
  void end_kernels() { close(); }

  // Ends the kernels so far, and adds a collective; bytes as nccl-tests counts its size. `result` is what a member
  // holds while it runs; the kernels after it read that.
  void collective(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes, Bytes result,
                  const TokensSent& tokens = {});
  // The same, and the kernels up to the next collective or end_kernels() run beside it: those after that read its
  // result.
  void collective_beside(std::string_view name, graph::Kind kind, graph::Dimension over, Bytes bytes, Bytes result,
                         const TokensSent& tokens = {});

  // The kernels that come next read `bytes` of what an earlier collective left, too.
  void read_too(Bytes bytes) { read_ += bytes; }

  // Memory of the kernels at hand: taken for the backward pass, given back by it, or needed only while they run.
  // While keeping is off, as it is throughout inference, what would be kept is workspace.
  void keep(Bytes bytes);
  void release(Bytes bytes);
  void workspace(Bytes bytes);
  void set_keeping(bool keeps) { keeps_ = keeps; }
  // Memory of the cache that the kernels at hand take; it is never given back.
  void cache(Bytes bytes);
  [[nodiscard]] bool keeps() const { return keeps_; }

  [[nodiscard]] Segments finish();

private:
  void close();

  const MicroBatchShape& shape_;
  Segments segments_;
  std::string name_;
  graph::Work pending_;
  Bytes workspace_; // of the kernels at hand, the largest
  Bytes read_;      // what the collective before them left
  Bytes read_next_; // what the one beside them leaves
  bool keeps_;
};

} // namespace moesim::workloads
