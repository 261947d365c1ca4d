#include "analysis/event_merge.hpp"

#include <queue>
#include <tuple>

namespace moesim::analysis {
namespace {

// The next event of a source.
struct Head {
  std::int64_t time = 0;
  EventKind kind = EventKind::Slice;
  std::size_t source = 0;
  std::size_t event = 0;

  // The first is on top of a std::priority_queue.
  bool operator<(const Head& other) const {
    return std::tie(other.time, other.kind, other.source) < std::tie(time, kind, source);
  }
};

} // namespace

void merge(const std::vector<EventSource>& sources,
           const std::function<void(const EventSource& source, std::size_t event)>& visit) {
  std::priority_queue<Head> heads;
  const auto push_next = [&](std::size_t index, std::size_t event) {
    const EventSource& source = sources[index];
    while (event < source.count && !source.is_shown(event))
      ++event;
    if (event < source.count)
      heads.push({source.time(event), source.kind, index, event});
  };
  for (std::size_t source = 0; source < sources.size(); ++source)
    push_next(source, 0);
  while (!heads.empty()) {
    const Head head = heads.top();
    heads.pop();
    visit(sources[head.source], head.event);
    push_next(head.source, head.event + 1);
  }
}

} // namespace moesim::analysis
