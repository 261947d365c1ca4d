#include "platforms/protocols.hpp"

#include <gmock/gmock.h>

#include "simulator/config/node.hpp"

namespace moesim::platforms {
namespace {

using testing::HasSubstr;

Protocols read(const std::string& yaml) {
  const config::Node root = config::parse_yaml(yaml, "test.yaml");
  Problems problems;
  Protocols protocols = read_protocols(config::MapReader(*root.find("collectives"), "collectives", problems));
  problems.throw_if_any();
  return protocols;
}

std::string error_of(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string everything = R"(
collectives:
  ll: {nvlink_efficiency: 0.25, nic_efficiency: 0.4}
  ll128: {latency: 5us, nvlink_latency: 1us, nic_latency: 15us, nvlink_efficiency: 0.5, nic_efficiency: 0.35}
  simple: {nic_efficiency: 0.9}
  tree: {efficiency: 0.92, nic_latency: 30us}
  blocks: [{gpus: 2, efficiency: 1}, {gpus: 8, efficiency: 0.25}]
  nvls: {latency: 78us, efficiency: 0.8, min_gpus: 5}
  sharp: {latency: 30us, efficiency: 0.9, min_gpus: 1}
  send_ll: {latency: 6us, nvlink_latency: 0.2us, nic_latency: 10us, nvlink_efficiency: 0.04, nic_efficiency: 0.5}
  send_simple: {latency: 13us, nic_efficiency: 0.75}
  all_to_all: {efficiency: 0.8, own_part: 0.1}
  deepep:
    nvlink_efficiency: 0.77
    nic_efficiency: 0.93
    node_latency: 4us
    dispatch: {latency: 27us, token: 0.4us, bandwidth: 19GB/s}
    combine: {latency: 39us, token: 0.9us, bandwidth: 26GB/s, relays: 4.5}
    low_latency_dispatch: {latency: 10us, nic_latency: 14us, expert: 0.08us, token: 2.4us, nvlink_efficiency: 0.67}
    low_latency_combine: {latency: 11us, nic_efficiency: 0.97}
)";

TEST(Protocols, ReadWhatIsWritten) {
  const Protocols protocols = read(everything);
  EXPECT_EQ(protocols.ll_nvlink_efficiency, 0.25);
  EXPECT_EQ(protocols.ll128->nic_latency, Seconds(15e-6));
  EXPECT_EQ(protocols.simple_nic_efficiency, 0.9);
  EXPECT_EQ(protocols.tree_nic_latency, Seconds(30e-6));
  EXPECT_EQ(protocols.blocks, (std::vector<Block>{{2, 1}, {8, 0.25}}));
  EXPECT_EQ(protocols.nvls->min_gpus, 5);
  EXPECT_EQ(protocols.sharp->efficiency, 0.9);
  EXPECT_EQ(protocols.send_ll->nvlink_efficiency, 0.04);
  EXPECT_EQ(protocols.send_simple->nvlink_efficiency, 1);
  EXPECT_EQ(protocols.own_part, 0.1);
  EXPECT_EQ(protocols.deepep.dispatch.bandwidth, BytesPerSecond(19e9));
  EXPECT_EQ(protocols.deepep.combine.relays, 4.5);
  EXPECT_EQ(protocols.deepep.low_latency_dispatch.token, Seconds(2.4e-6));
  EXPECT_EQ(protocols.deepep.low_latency_combine.nic_efficiency, 0.97);
}

TEST(Protocols, WriteWhatTheyRead) {
  for (const std::string& yaml : {everything, std::string("collectives: {}\n")}) {
    const Protocols protocols = read(yaml);
    EXPECT_EQ(read("collectives:\n" + to_yaml(protocols, 2)), protocols);
  }
  EXPECT_THAT(describe(read(everything)), HasSubstr("collective nvls latency=78 us efficiency=0.8 min_gpus=5\n"));
}

// What is not said is ideal, or not there.
TEST(Protocols, LeaveOutWhatNobodySays) {
  EXPECT_EQ(read("collectives: {}"), Protocols{});
  EXPECT_FALSE(Protocols{}.nvls || Protocols{}.sharp || Protocols{}.ll128 || Protocols{}.send_ll);
}

TEST(Protocols, SayWhatIsWrong) {
  EXPECT_THAT(error_of("collectives: {nvls: {efficiency: 1.5}}"),
              HasSubstr("test.yaml:1:34: collectives.nvls.efficiency: "));
  EXPECT_THAT(error_of("collectives: {nvsl: {}}"), HasSubstr("did you mean 'nvls'"));
  EXPECT_THAT(error_of("collectives: {ll: {latency: 2us}}"), HasSubstr("collectives.ll.latency: unknown key"));
  EXPECT_THAT(error_of("collectives: {deepep: {dispatch: {bandwidth: 12}}}"),
              HasSubstr("collectives.deepep.dispatch.bandwidth: "));
}

} // namespace
} // namespace moesim::platforms
