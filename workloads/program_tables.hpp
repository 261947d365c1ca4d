// The works and names that all programs of a job share, each listed once, and the way from segments to steps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "workloads/segments.hpp"

namespace moesim::workloads {

// A step that does a segment; see Segment::beside_next.
struct SegmentStep : graph::Step {
  bool beside_next = false;
};

class ProgramTables {
public:
  // `programs` must outlive the tables.
  explicit ProgramTables(graph::Programs& programs) : programs_(programs) {}

  // A step that does `segment`, in any layer and micro-batch.
  [[nodiscard]] SegmentStep step(const Segment& segment, graph::Phase phase);
  [[nodiscard]] std::vector<SegmentStep> steps(const Segments& segments, graph::Phase phase);
  // A transfer of `bytes` to another stage; who sends it sets the stream.
  [[nodiscard]] SegmentStep transfer(const char* name, Bytes bytes, graph::Phase phase);

private:
  std::uint16_t name_index(const std::string& name);
  std::uint32_t work_index(const Segment& segment);

  graph::Programs& programs_;
  std::map<std::string, std::uint16_t> names_;
  // Works by kind and bytes; an all-gather and an all-reduce of the same size are not the same work.
  std::multimap<std::pair<graph::Kind, double>, std::uint32_t> works_;
};

} // namespace moesim::workloads
