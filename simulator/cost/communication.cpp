#include "simulator/cost/communication.hpp"

#include <array>

#include "simulator/base/check.hpp"

namespace moesim::cost {

using graph::Kind;

std::string_view name_of(Fidelity fidelity) {
  constexpr std::array<std::string_view, fidelity_count> names{"analytic", "fluid", "flow"};
  return names[static_cast<std::size_t>(fidelity)];
}

std::string_view name_of(Algorithm algorithm) {
  constexpr std::array<std::string_view, algorithm_count> names{"auto", "ring", "direct", "pairwise"};
  return names[static_cast<std::size_t>(algorithm)];
}

bool does(Algorithm algorithm, Kind kind) {
  switch (algorithm) {
  case Algorithm::Auto:
    return true;
  case Algorithm::Ring:
    return kind == Kind::AllReduce || kind == Kind::AllGather || kind == Kind::ReduceScatter;
  case Algorithm::Direct:
  case Algorithm::Pairwise:
    return moves_tokens(kind);
  }
  return false;
}

Plan plan(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster) {
  MOESIM_CHECK(call.kind != Kind::Compute, "kernels do not communicate");
  MOESIM_CHECK(does(call.algorithm, call.kind), "the algorithm is one for the kind");
  if (members.size() < 2 || call.size == Bytes(0))
    return {};
  Plan result;
  if (call.kind == Kind::SendRecv) {
    result = {send_recv(call.size, members[0], members[1], cluster), Algorithm::Direct};
  } else if (moves_tokens(call.kind)) {
    result.algorithm = call.algorithm == Algorithm::Auto ? Algorithm::Pairwise : call.algorithm;
    Call named = call;
    named.algorithm = result.algorithm;
    result.communication = all_to_all(named, members, cluster);
  } else if (call.kind == Kind::RingExchange) {
    result = {ring_exchange(call, members, cluster), Algorithm::Ring};
  } else {
    result = {ring(call, members, cluster), Algorithm::Ring};
  }
  if (call.fidelity == Fidelity::Analytic)
    result.communication.sharing = execution::Sharing::None;
  return result;
}

execution::Communication communication(const Call& call, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  return plan(call, members, cluster).communication;
}

std::span<const Description> descriptions() {
  static constexpr std::array<Description, 6> all{{
      {Kind::AllReduce, "ring over all rails: 2(n-1)/n of the size from each rank, 2(n-1) steps"},
      {Kind::AllGather, "ring over all rails: (n-1)/n of the size from each rank, n-1 steps"},
      {Kind::ReduceScatter, "ring over all rails: (n-1)/n of the size from each rank, n-1 steps"},
      {Kind::AllToAll, "pairwise: an n-th of the size from each rank to each other; direct: all at once"},
      {Kind::SendRecv, "one message, over NVLink inside a node and from NIC to NIC otherwise"},
      {Kind::RingExchange, "one message from each rank to the next, all at once"},
  }};
  return all;
}

} // namespace moesim::cost
