#include "analysis/waits.hpp"

#include <algorithm>
#include <limits>

namespace moesim::analysis {
namespace {

constexpr std::size_t no_row = std::numeric_limits<std::size_t>::max();

}

Waits::Waits(const record::RunRecord& run) : dependencies_(&run.dependencies) {
  const std::size_t tasks = run.dependencies.first.empty() ? 0 : run.dependencies.first.size() - 1;
  first_row_.assign(tasks, no_row);
  end_.assign(tasks, 0);
  for (std::size_t row = 0; row < run.tasks.size(); ++row) {
    const std::uint32_t task = run.tasks.task[row];
    first_row_[task] = std::min(first_row_[task], row);
    end_[task] = std::max(end_[task], run.tasks.end[row]);
  }
}

std::optional<std::size_t> Waits::row_of(std::uint32_t task) const {
  if (first_row_[task] == no_row)
    return std::nullopt;
  return first_row_[task];
}

std::optional<std::uint32_t> Waits::last_ended_before(std::uint32_t task) const {
  const auto before = dependencies_->of(task);
  const auto last = std::max_element(before.begin(), before.end(),
                                     [&](std::uint32_t a, std::uint32_t b) { return end_[a] < end_[b]; });
  if (last == before.end())
    return std::nullopt;
  return *last;
}

} // namespace moesim::analysis
