#include "simulator/cost/communication.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>

#include "simulator/base/check.hpp"
#include "simulator/cost/families.hpp"
#include "simulator/cost/uneven_exchange.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

bool always(const Call& /*call*/, const Group& /*group*/) {
  return true;
}

// An algorithm that does what groups do together; chosen where it is the fastest, unless it has to be named.
struct Family {
  Algorithm algorithm;
  std::initializer_list<Kind> kinds;
  bool must_be_named;
  bool (*can)(const Call&, const Group&);
  Seconds (*time)(const Call&, const Group&);
  execution::Communication (*make)(const Call&, const Group&);
};

// Of equally fast ones the first is chosen.
const std::array<Family, 14>& families() {
  static constexpr std::initializer_list<Kind> reductions{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter};
  static constexpr std::initializer_list<Kind> all_reduce{Kind::AllReduce};
  static constexpr std::initializer_list<Kind> exchange{Kind::AllToAll};
  static constexpr std::initializer_list<Kind> of_tokens{Kind::Dispatch, Kind::Combine};
  static const std::array<Family, 14> all{{
      {Algorithm::Ring, reductions, false, always, ring_time, ring},
      {Algorithm::Tree, all_reduce, false, can_tree, tree_time, tree},
      {Algorithm::Nvls, all_reduce, false, can_nvls, nvls_time, nvls},
      {Algorithm::Sharp, all_reduce, false, can_sharp, sharp_time, sharp},
      {Algorithm::Custom, all_reduce, true, can_custom, custom_time, custom},
      {Algorithm::Hierarchical, reductions, true, can_hierarchical, hierarchical_time, hierarchical},
      {Algorithm::Pairwise, exchange, false, always, all_to_all_time, all_to_all},
      {Algorithm::Direct, exchange, true, always, all_to_all_time, all_to_all},
      {Algorithm::TwoLevel, exchange, true, can_two_level, two_level_time, two_level},
      {Algorithm::DeepEp, of_tokens, false, always, deepep_time, deepep},
      {Algorithm::DeepEpLowLatency, of_tokens, false, always, low_latency_time, low_latency},
      {Algorithm::NvlinkOneSided, of_tokens, true, can_exchange_tokens, token_exchange_time, token_exchange},
      {Algorithm::NvlinkTwoSided, of_tokens, true, can_exchange_tokens, token_exchange_time, token_exchange},
      {Algorithm::NvlinkTwoSidedLowPrecision, of_tokens, true, can_exchange_tokens, token_exchange_time,
       token_exchange},
  }};
  return all;
}

bool does(const Family& family, Kind kind) {
  return std::ranges::find(family.kinds, kind) != family.kinds.end();
}

// NCCL estimates the time of each algorithm and takes the least (src/graph/tuning.cc, ncclTopoGetAlgoTime).
const Family& choose(const Call& call, const Group& group) {
  for (const Family& family : families())
    if (family.algorithm == call.algorithm && family.can(call, group))
      return family;
  const Family* fastest = nullptr;
  Seconds least(std::numeric_limits<double>::infinity());
  for (const Family& family : families())
    if (!family.must_be_named && does(family, call.kind) && family.can(call, group))
      if (const Seconds time = family.time(call, group); time < least) {
        fastest = &family;
        least = time;
      }
  MOESIM_CHECK(fastest != nullptr, "every kind has an algorithm that can do any group");
  return *fastest;
}

Plan plan_of(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster) {
  if (call.kind == Kind::SendRecv)
    return {send_recv(call, members[0], members[1], cluster), Algorithm::Direct};
  if (call.kind == Kind::RingExchange)
    return {ring_exchange(call, members, cluster), Algorithm::Ring};
  if (call.tokens.matrix != nullptr)
    return uneven_exchange(call, members, cluster);
  const Group group(members, cluster);
  if (call.kind == Kind::Broadcast)
    return {broadcast(call, members[0].value(), group), Algorithm::Ring};
  const Family& family = choose(call, group);
  Call chosen = call;
  chosen.algorithm = family.algorithm;
  return {family.make(chosen, group), family.algorithm};
}

} // namespace

std::string_view name_of(Fidelity fidelity) {
  constexpr std::array<std::string_view, fidelity_count> names{"analytic", "fluid", "flow"};
  return names[static_cast<std::size_t>(fidelity)];
}

std::string_view name_of(Algorithm algorithm) {
  constexpr std::array<std::string_view, algorithm_count> names{"auto",
                                                                "ring",
                                                                "tree",
                                                                "nvls",
                                                                "sharp",
                                                                "custom",
                                                                "hierarchical",
                                                                "direct",
                                                                "pairwise",
                                                                "two-level",
                                                                "deepep",
                                                                "deepep-low-latency",
                                                                "nvlink-one-sided",
                                                                "nvlink-two-sided",
                                                                "nvlink-two-sided-low-precision"};
  return names[static_cast<std::size_t>(algorithm)];
}

bool does(Algorithm algorithm, Kind kind) {
  if (algorithm == Algorithm::Auto || (algorithm == Algorithm::Ring && kind == Kind::Broadcast))
    return true;
  return std::ranges::any_of(families(),
                             [&](const Family& family) { return family.algorithm == algorithm && does(family, kind); });
}

Plan plan(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster) {
  MOESIM_CHECK(call.kind != Kind::Compute, "kernels do not communicate");
  MOESIM_CHECK(does(call.algorithm, call.kind), "the algorithm is one for the kind");
  if (members.size() < 2 || call.size == Bytes(0))
    return {};
  Plan result = plan_of(call, members, cluster);
  if (call.fidelity == Fidelity::Analytic)
    result.communication.sharing = execution::Sharing::None;
  return result;
}

execution::Communication communication(const Call& call, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  return plan(call, members, cluster).communication;
}

std::span<const Description> descriptions() {
  static constexpr std::array<Description, 9> all{{
      {Kind::AllReduce, "by the fastest of ring, tree, nvls and sharp; hierarchical, or custom (kernels of inference "
                        "engines), if named. Ring: 2(n-1)/n of the size from each rank, 2(n-1) steps"},
      {Kind::AllGather, "ring over all rails: (n-1)/n of the size from each rank, n-1 steps; hierarchical if named"},
      {Kind::ReduceScatter,
       "ring over all rails: (n-1)/n of the size from each rank, n-1 steps; hierarchical if named"},
      {Kind::Broadcast, "around the ring, from the first rank: the size over each of n-1 hops"},
      {Kind::AllToAll, "pairwise: an n-th of the size from each rank to each other; direct: all at once; two-level: "
                       "between nodes by rail, then inside"},
      {Kind::Dispatch,
       "deepep: each token once to each node of its experts, then over NVLink; or, if that is faster, "
       "deepep-low-latency: each copy by itself; nvlink-one-sided and nvlink-two-sided (TensorRT-LLM) if named"},
      {Kind::Combine, "as dispatch, the other way; nvlink-two-sided-low-precision: in NVFP4 on the way, if named"},
      {Kind::SendRecv, "one message, over NVLink inside a node and from NIC to NIC otherwise"},
      {Kind::RingExchange, "one message from each rank to the next, all at once"},
  }};
  return all;
}

} // namespace moesim::cost
