#include "workloads/layout.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/base/divisors.hpp"

namespace moesim::workloads {
namespace {

std::vector<std::string> split_order(std::string_view order) {
  std::vector<std::string> names(1);
  for (const char letter : order) {
    if (letter == '-')
      names.emplace_back();
    else
      names.back() += letter;
  }
  return names;
}

// Product of the sizes that come before `name` in the order.
std::int64_t stride_of(std::string_view name, std::span<const std::pair<std::string, std::int64_t>> digits) {
  std::int64_t stride = 1;
  for (const auto& [digit, size] : digits) {
    if (digit == name)
      return stride;
    stride *= size;
  }
  return stride;
}

using NamedSizes = std::vector<std::pair<std::string, std::int64_t>>;

// The digits of a rank, fastest first, as the attention parts see it (no ep) and as the experts see it (no cp).
NamedSizes attention_digits(const ParallelSizes& sizes, std::string_view order) {
  NamedSizes digits;
  for (const std::string& name : split_order(order)) {
    if (name != "ep")
      digits.emplace_back(name, name == "tp" ? sizes.tp : name == "cp" ? sizes.cp : name == "dp" ? sizes.dp : sizes.pp);
  }
  return digits;
}

NamedSizes expert_digits(const ParallelSizes& sizes, std::string_view order) {
  NamedSizes digits;
  for (const std::string& name : split_order(order)) {
    if (name != "cp")
      digits.emplace_back(name, name == "tp"   ? sizes.etp
                                : name == "ep" ? sizes.ep
                                : name == "dp" ? sizes.edp()
                                               : sizes.pp);
  }
  return digits;
}

} // namespace

std::int64_t ParallelSizes::group_size(graph::Dimension dimension) const {
  switch (dimension) {
  case graph::Dimension::Tp:
    return tp;
  case graph::Dimension::Cp:
    return cp;
  case graph::Dimension::Dp:
    return dp * cp;
  case graph::Dimension::Etp:
    return etp;
  case graph::Dimension::Ep:
    return ep;
  case graph::Dimension::Edp:
    break;
  }
  return edp();
}

std::vector<Layout::Problem> Layout::problems(const ParallelSizes& sizes, std::string_view order) {
  std::vector<Problem> found;
  std::vector<std::string> names = split_order(order);
  std::ranges::sort(names);
  if (names != std::vector<std::string>{"cp", "dp", "ep", "pp", "tp"})
    return {{"order", fmt::format("'{}' is not an order of tp, cp, ep, dp and pp; the default is {}", order,
                                  default_rank_order)}};
  const std::int64_t per_stage = sizes.tp * sizes.cp * sizes.dp;
  if (per_stage % sizes.etp != 0)
    return {{"etp", fmt::format("{} does not divide the {} ranks of a stage (tp x cp x dp); use {}", sizes.etp,
                                per_stage, nearest_divisors(per_stage, sizes.etp))}};
  if (per_stage % (sizes.etp * sizes.ep) != 0)
    return {{"ep", fmt::format("ep x etp = {} does not divide the {} ranks of a stage (tp x cp x dp); "
                               "with etp {} the nearest ep that divides is {}",
                               sizes.ep * sizes.etp, per_stage, sizes.etp,
                               nearest_divisors(per_stage / sizes.etp, sizes.ep))}};
  if (stride_of("pp", attention_digits(sizes, order)) != stride_of("pp", expert_digits(sizes, order)))
    found.push_back({"order", fmt::format("'{}' puts the stages of attention and of experts on different ranks; "
                                          "pp last always works, as in {}",
                                          order, default_rank_order)});
  return found;
}

Layout::Layout(const ParallelSizes& sizes, std::string_view order) : sizes_(sizes) {
  MOESIM_CHECK(problems(sizes, order).empty(), "the sizes fit together");
  const NamedSizes attention = attention_digits(sizes, order);
  const NamedSizes experts = expert_digits(sizes, order);
  tp_ = {sizes.tp, stride_of("tp", attention)};
  cp_ = {sizes.cp, stride_of("cp", attention)};
  dp_ = {sizes.dp, stride_of("dp", attention)};
  pp_ = {sizes.pp, stride_of("pp", attention)};
  etp_ = {sizes.etp, stride_of("tp", experts)};
  ep_ = {sizes.ep, stride_of("ep", experts)};
  edp_ = {sizes.edp(), stride_of("dp", experts)};
  epp_ = {sizes.pp, stride_of("pp", experts)};
}

Coordinates Layout::coordinates(RankId rank) const {
  const auto at = [&](const Digit& digit) { return std::int64_t{rank.value()} / digit.stride % digit.size; };
  return {.tp = at(tp_), .cp = at(cp_), .dp = at(dp_), .etp = at(etp_), .ep = at(ep_), .edp = at(edp_), .pp = at(pp_)};
}

RankId Layout::rank_at(const Coordinates& attention) const {
  return RankId(static_cast<std::uint32_t>(attention.tp * tp_.stride + attention.cp * cp_.stride +
                                           attention.dp * dp_.stride + attention.pp * pp_.stride));
}

Layout::Split Layout::split(graph::Dimension dimension) const {
  using graph::Dimension;
  Split result;
  switch (dimension) {
  case Dimension::Tp:
    result = {{tp_}, {cp_, dp_, pp_}};
    break;
  case Dimension::Cp:
    result = {{cp_}, {tp_, dp_, pp_}};
    break;
  case Dimension::Dp:
    result = {{cp_, dp_}, {tp_, pp_}};
    break;
  case Dimension::Etp:
    result = {{etp_}, {ep_, edp_, epp_}};
    break;
  case Dimension::Ep:
    result = {{ep_}, {etp_, edp_, epp_}};
    break;
  case Dimension::Edp:
    result = {{edp_}, {etp_, ep_, epp_}};
    break;
  }
  const auto by_stride = [](const Digit& a, const Digit& b) { return a.stride < b.stride; };
  std::ranges::stable_sort(result.inside, by_stride);
  std::ranges::stable_sort(result.outside, by_stride);
  return result;
}

std::uint32_t Layout::group_count(graph::Dimension dimension) const {
  return world_size() / group_size(dimension);
}

std::uint32_t Layout::group_of(graph::Dimension dimension, RankId rank) const {
  return group_of(split(dimension), rank);
}

std::uint32_t Layout::group_of(const Split& digits, RankId rank) {
  std::int64_t group = 0;
  std::int64_t scale = 1;
  for (const Digit& digit : digits.outside) {
    group += rank.value() / digit.stride % digit.size * scale;
    scale *= digit.size;
  }
  return static_cast<std::uint32_t>(group);
}

std::vector<RankId> Layout::members(graph::Dimension dimension, std::uint32_t group) const {
  const Split digits = split(dimension);
  std::int64_t base = 0;
  std::int64_t rest = group;
  for (const Digit& digit : digits.outside) {
    base += rest % digit.size * digit.stride;
    rest /= digit.size;
  }
  std::vector<RankId> ranks;
  for (std::int64_t member = 0; member < group_size(dimension); ++member) {
    std::int64_t rank = base;
    std::int64_t index = member;
    for (const Digit& digit : digits.inside) {
      rank += index % digit.size * digit.stride;
      index /= digit.size;
    }
    ranks.emplace_back(static_cast<std::uint32_t>(rank));
  }
  std::ranges::sort(ranks);
  return ranks;
}

RankId Layout::rank_of(std::int64_t stage, std::uint32_t position) const {
  const auto stride = pp_.stride;
  return RankId(static_cast<std::uint32_t>(position % stride + stage * stride + position / stride * stride * pp_.size));
}

std::uint32_t Layout::position_of(RankId rank) const {
  const std::int64_t above = rank.value() / (pp_.stride * pp_.size);
  return static_cast<std::uint32_t>(rank.value() % pp_.stride + above * pp_.stride);
}

std::vector<std::vector<std::uint32_t>> Layout::position_groups(graph::Dimension dimension) const {
  const Split digits = split(dimension);
  std::vector<std::uint32_t> place(group_count(dimension), group_count(dimension)); // of the groups that were met
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::uint32_t position = 0; position < position_count(); ++position) {
    std::uint32_t& at = place[group_of(digits, rank_of(0, position))];
    if (at == place.size()) {
      at = static_cast<std::uint32_t>(groups.size());
      groups.emplace_back().reserve(group_size(dimension));
    }
    groups[at].push_back(position);
  }
  return groups;
}

graph::Membership Layout::membership(std::span<const std::uint32_t> class_of_position,
                                     std::span<const graph::Dimension> dimensions) const {
  graph::Membership result;
  std::vector<std::uint32_t> first; // position of each class
  std::vector<std::uint32_t> size;
  for (std::uint32_t position = 0; position < class_of_position.size(); ++position) {
    if (class_of_position[position] == first.size()) {
      first.push_back(position);
      size.push_back(0);
    }
    ++size.at(class_of_position[position]);
  }

  // Classes of ranks are classes of positions, stage by stage, numbered by their first ranks.
  struct RankClass {
    RankId representative;
    std::uint32_t stage;
    std::uint32_t position_class;
  };
  std::vector<RankClass> classes;
  for (std::uint32_t stage = 0; stage < sizes_.pp; ++stage)
    for (std::uint32_t at = 0; at < first.size(); ++at)
      classes.push_back({rank_of(stage, first[at]), stage, at});
  std::ranges::sort(classes, {}, &RankClass::representative);
  result.stages.resize(static_cast<std::size_t>(sizes_.pp));
  for (const RankClass& rank_class : classes) {
    result.stages[rank_class.stage].emplace_back(static_cast<std::uint32_t>(result.folding.size.size()));
    result.folding.representative.push_back(rank_class.representative);
    result.folding.size.push_back(size[rank_class.position_class]);
  }
  result.folding.class_of.resize(world_size());
  for (std::uint32_t stage = 0; stage < sizes_.pp; ++stage)
    for (std::uint32_t position = 0; position < class_of_position.size(); ++position)
      result.folding.class_of[rank_of(stage, position).value()] =
          result.stages[stage][class_of_position[position]].value();

  for (const graph::Dimension dimension : dimensions) {
    std::vector<bool> is_covered(first.size(), false);
    for (const std::vector<std::uint32_t>& group : position_groups(dimension)) {
      if (is_covered[class_of_position[group.front()]])
        continue;
      for (std::int64_t stage = 0; stage < sizes_.pp; ++stage) {
        std::vector<RankId>& ranks = result.groups[static_cast<std::size_t>(dimension)].emplace_back();
        for (const std::uint32_t position : group)
          ranks.push_back(rank_of(stage, position));
      }
      for (const std::uint32_t position : group)
        is_covered[class_of_position[position]] = true;
    }
  }
  return result;
}

graph::Membership Layout::membership() const {
  std::vector<std::uint32_t> each(position_count());
  std::iota(each.begin(), each.end(), 0U);
  std::vector<graph::Dimension> dimensions;
  for (std::size_t at = 0; at < graph::dimension_count; ++at)
    dimensions.push_back(static_cast<graph::Dimension>(at));
  return membership(each, dimensions);
}

std::string describe(const Layout& layout) {
  std::string text;
  for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank) {
    const Coordinates at = layout.coordinates(RankId(rank));
    text += fmt::format("rank {} tp={} cp={} dp={} pp={} etp={} ep={} edp={}\n", rank, at.tp, at.cp, at.dp, at.pp,
                        at.etp, at.ep, at.edp);
  }
  for (std::size_t at = 0; at < graph::dimension_count; ++at) {
    const auto dimension = static_cast<graph::Dimension>(at);
    for (std::uint32_t group = 0; group < layout.group_count(dimension); ++group) {
      text += fmt::format("group {} {}:", name_of(dimension), group);
      for (const RankId member : layout.members(dimension, group))
        text += fmt::format(" {}", member.value());
      text += '\n';
    }
  }
  return text;
}

} // namespace moesim::workloads
