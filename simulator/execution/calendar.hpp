// Tasks by the date at which their delay is over, earliest first; at equal dates in task order, so that a run does not
// depend on the order in which tasks were started.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::execution {

struct Entry {
  Seconds date;
  std::uint32_t task = 0;

  auto operator<=>(const Entry&) const = default;
};

class Calendar {
public:
  void add(Entry entry) { entries_.push(entry); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const Entry& next() const { return entries_.top(); }
  [[nodiscard]] Seconds next_date() const { return next().date; }
  // Removes and returns the next entry. Requires that there is one.
  Entry take() {
    const Entry entry = entries_.top();
    entries_.pop();
    return entry;
  }

private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
};

} // namespace moesim::execution
