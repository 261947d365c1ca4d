#include "workloads/program_tables.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Stream;

SegmentStep ProgramTables::step(const Segment& segment, graph::Phase phase) {
  SegmentStep step;
  step.task.kind = segment.kind;
  step.task.phase = phase;
  step.task.stream = segment.kind == Kind::Compute ? Stream::Compute : stream_of(segment.over);
  step.task.name = name_index(segment.name);
  step.task.work = work_index(segment);
  step.over = segment.over;
  step.beside_next = segment.beside_next;
  return step;
}

std::vector<SegmentStep> ProgramTables::steps(const Segments& segments, graph::Phase phase) {
  std::vector<SegmentStep> result;
  for (const Segment& segment : segments)
    result.push_back(step(segment, phase));
  return result;
}

std::vector<SegmentStep> ProgramTables::steps(const SegmentsOf& segments_of, graph::Phase phase, std::uint32_t batch) {
  std::vector<SegmentStep> result;
  std::vector<std::vector<std::uint32_t>> works; // of each step, by load
  for (std::size_t at = 0; at < loads_.loads.size(); ++at) {
    if (loads_.loads[at].batch != batch)
      continue;
    const Segments segments = segments_of(&loads_.loads[at].load);
    if (result.empty()) {
      result = steps(segments, phase);
      for (const SegmentStep& step : result)
        works.emplace_back(loads_.loads.size(), step.task.work);
    }
    MOESIM_CHECK(segments.size() == result.size(), "loads change nothing but amounts");
    for (std::size_t step = 0; step < segments.size(); ++step)
      works[step][at] = work_index(segments[step]);
  }
  if (works.empty())
    return steps(segments_of(nullptr), phase);
  for (std::size_t step = 0; step < result.size(); ++step) {
    const bool sends_tokens = moves_tokens(result[step].task.kind) && result[step].over == Dimension::Ep;
    const std::uint32_t first = result[step].task.work;
    if (!sends_tokens && std::ranges::all_of(works[step], [&](std::uint32_t work) { return work == first; }))
      continue;
    result[step].family = static_cast<std::uint32_t>(programs_.families.size());
    programs_.families.push_back({batch, std::move(works[step])});
  }
  return result;
}

std::vector<SegmentStep> ProgramTables::expert_moves(const ModelSpec& model, const MicroBatchShape& shape,
                                                     double bytes) {
  if (loads_.moving_layers.empty())
    return {};
  return steps([&](const RankLoad* load) { return Segments{expert_move(model, shape, *load, bytes)}; },
               graph::Phase::Parameters, loads_.moving_batch);
}

SegmentStep ProgramTables::transfer(const char* name, Bytes bytes, graph::Phase phase) {
  Segment segment{name, Kind::SendRecv, Dimension::Tp, {}};
  segment.work.bytes = bytes;
  segment.work.allocated[graph::Memory::Communication] = bytes;
  segment.work.freed[graph::Memory::Communication] = bytes;
  return step(segment, phase);
}

std::uint16_t ProgramTables::name_index(const std::string& name) {
  const auto [entry, is_new] = names_.try_emplace(name, static_cast<std::uint16_t>(programs_.names.size()));
  if (is_new)
    programs_.names.push_back(name);
  return entry->second;
}

std::uint32_t ProgramTables::work_index(const Segment& segment) {
  const auto [first, last] = works_.equal_range({segment.kind, segment.work.bytes.value()});
  for (auto entry = first; entry != last; ++entry)
    if (programs_.works[entry->second] == segment.work)
      return entry->second;
  programs_.works.push_back(segment.work);
  const auto index = static_cast<std::uint32_t>(programs_.works.size() - 1);
  works_.emplace_hint(last, std::pair(segment.kind, segment.work.bytes.value()), index);
  return index;
}

} // namespace moesim::workloads
