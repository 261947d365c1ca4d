// The works and names that all programs of a job share, each listed once, and the way from segments to steps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "workloads/expert_loads.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {

// A step that does a segment; see Segment::beside_next.
struct SegmentStep : graph::Step {
  bool beside_next = false;
};

class ProgramTables {
public:
  // Both must outlive the tables.
  ProgramTables(graph::Programs& programs, const ExpertLoads& loads) : programs_(programs), loads_(loads) {
    programs.loads = loads.table;
  }

  // A step that does `segment`, in any layer and micro-batch.
  [[nodiscard]] SegmentStep step(const Segment& segment, graph::Phase phase);
  [[nodiscard]] std::vector<SegmentStep> steps(const Segments& segments, graph::Phase phase);
  // Of segments that are not the same on every rank, as those of a layer with experts: steps whose works are a family
  // where they differ from load to load. `batch` is that of the loads. Loads change nothing but amounts.
  using SegmentsOf = std::function<Segments(const RankLoad* load)>;
  [[nodiscard]] std::vector<SegmentStep> steps(const SegmentsOf& segments_of, graph::Phase phase,
                                               std::uint32_t batch = 0);
  // Weights of a layer's experts that other ranks are to have, with `bytes` for each parameter: for each of the layers
  // with moves, before all else.
  [[nodiscard]] std::vector<SegmentStep> expert_moves(const ModelSpec& model, const MicroBatchShape& shape,
                                                      double bytes);
  [[nodiscard]] const std::vector<std::int64_t>& moving_layers() const { return loads_.moving_layers; }
  // A transfer of `bytes` to another stage; who sends it sets the stream.
  [[nodiscard]] SegmentStep transfer(const char* name, Bytes bytes, graph::Phase phase);

private:
  std::uint16_t name_index(const std::string& name);
  std::uint32_t work_index(const Segment& segment);

  graph::Programs& programs_;
  const ExpertLoads& loads_;
  std::map<std::string, std::uint16_t> names_;
  // Works by kind and bytes; an all-gather and an all-reduce of the same size are not the same work.
  std::multimap<std::pair<graph::Kind, double>, std::uint32_t> works_;
};

} // namespace moesim::workloads
