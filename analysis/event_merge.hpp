// Puts the events of a trace in order of time while they are written, so that none of them has to be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/trace_json.hpp"

namespace moesim::analysis {

// At equal times a slice has to come before the arrows inside it.
enum class EventKind : std::uint8_t { Slice, ArrowStart, ArrowEnd, Counter };

// Events number 0 to `count`, in order of time, that are written on demand.
struct EventSource {
  EventKind kind = EventKind::Slice;
  std::size_t count = 0;
  std::function<std::int64_t(std::size_t)> time; // ns
  std::function<bool(std::size_t)> is_shown;
  std::function<void(std::size_t, Buffer&)> append; // its JSON
};

// Calls visit(source, event) for the events that are shown, by time, kind and number of the source.
void merge(const std::vector<EventSource>& sources,
           const std::function<void(const EventSource& source, std::size_t event)>& visit);

} // namespace moesim::analysis
