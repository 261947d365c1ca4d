// Dense indices that cannot be mistaken for one another: a rank is not a stage, a task is not a group.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace moesim {

template <class Tag>
class Id {
public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint32_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  constexpr auto operator<=>(const Id&) const = default;

private:
  std::uint32_t value_ = 0;
};

using RankId = Id<struct RankTag>; // one GPU of the job, 0 .. world_size - 1
using TaskId = Id<struct TaskTag>; // one vertex of the task graph

} // namespace moesim
