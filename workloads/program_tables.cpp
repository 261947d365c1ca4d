#include "workloads/program_tables.hpp"

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
