// `moesim validate`: the whole path on small files, and what it refuses.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* entries = R"(
- id: ring
  source: {title: A table, where: null, url: null}
  system: 8x H100 80GB, one node
  config: {collective: all_gather, library: NCCL, num_gpus: 8, num_nodes: 1}
  measured: {columns: [size_bytes, time_us], points: [[1048576, 40], [1073741824, 2900]]}
  notes: null
- id: unusable
  source: {title: A table}
  system: 8x H100
  config: {collective: all_gather, library: NCCL, num_gpus: 8}
  measured: {}
  usable: false
  unusable_reason: degraded
- id: unknown
  source: {title: A table}
  system: an abacus
  config: {collective: all_gather, library: NCCL, num_gpus: 8}
  measured: {columns: [size_bytes, time_us], points: [[1048576, 40]]}
)";

TEST(Validate, ComparesEachPointAndListsWhatItSkips) {
  const Workplace place;
  place.write("m.yaml", entries);
  const Outcome outcome = place.run({"validate", "m.yaml", "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const json of = json::parse(outcome.out);
  ASSERT_EQ(of.at("entries").size(), 2U);
  EXPECT_EQ(of.at("entries")[1].at("id"), "ring#1");
  const json& first = of.at("entries")[0];
  EXPECT_NEAR(first.at("error").get<double>(), first.at("predicted").get<double>() / 40 - 1, 1e-12);
  EXPECT_EQ(of.at("skipped"), (json{{{"id", "unusable"}, {"reason", "degraded"}},
                                    {{"id", "unknown"}, {"reason", "no rule knows which cluster 'an abacus' is"}}}));
}

// What moesim collective prints is what is compared.
TEST(Validate, PredictsWhatTheCollectiveTakesAlone) {
  const Workplace place;
  place.write("m.yaml", entries);
  const json of = json::parse(place.run({"validate", "m.yaml", "--json"}).out);
  const json alone = json::parse(
      place.run({"collective", "all-gather", "--platform", "dgx-h100", "--group", "8", "--sizes", "1MiB", "--json"})
          .out);
  EXPECT_NEAR(of.at("entries")[0].at("predicted").get<double>() /
                  (1e6 * alone.at("rows")[0].at("time_s").get<double>()),
              1, 1e-9);
}

TEST(Validate, OutputIsTheSameForAnyNumberOfProcesses) {
  const Workplace place;
  place.write("m.yaml", entries);
  const Outcome one = place.run({"validate", "m.yaml", "-j", "1"});
  EXPECT_EQ(one.status, 0);
  EXPECT_EQ(one.out, place.run({"validate", "m.yaml", "-j", "3"}).out);
}

TEST(Validate, ABoundIsANoWhenTheMeanIsAbove) {
  const Workplace place;
  place.write("m.yaml", entries);
  EXPECT_EQ(place.run({"validate", "m.yaml", "--bound", "1e6"}).status, 0);
  EXPECT_EQ(place.run({"validate", "m.yaml", "--bound", "0"}).status, 1);
  EXPECT_EQ(place.run({"validate", "m.yaml", "--bound", "1e6", "--only", "unknown"}).status, 1); // nothing compared
}

TEST(Validate, ChoosesEntriesAndFormats) {
  const Workplace place;
  place.write("m.yaml", entries);
  const Outcome csv = place.run({"validate", "m.yaml", "--only", "^ring", "--csv"});
  EXPECT_THAT(csv.out, HasSubstr("file,id,quantity,predicted,measured,error"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 3);
  EXPECT_EQ(json::parse(place.run({"validate", "m.yaml", "m.yaml", "--json"}).out).size(), 2U); // one for each file
}

TEST(Validate, SaysAllThatIsWrong) {
  const Workplace place;
  place.write("m.yaml", "- {id: a}\n");
  place.write("n.yaml", "a: 1\n");
  const Outcome outcome = place.run({"validate", "m.yaml", "n.yaml", "none.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  for (const char* part : {"m.yaml:1:3: 0.source: missing", "m.yaml:1:3: 0.config: missing",
                           "n.yaml:1:1: the document is a map; expected a list", "none.yaml:1:1: cannot be opened"})
    EXPECT_THAT(outcome.err, HasSubstr(part));
  const Outcome options = place.run({"validate", "m.yaml", "--only", "(", "--bound", "-1", "--json", "--csv"});
  EXPECT_EQ(options.status, 2);
  EXPECT_EQ(options.err,
            lines({"--bound:1:1: -1 is no error; use a share such as 0.1",
                   "--csv:1:1: given with --json; choose one of the two",
                   "--only:1:1: it is no regular expression; escape brackets, dots and signs with a backslash"}));
}

TEST(Validate, ModelsNeedAliases) {
  const Workplace place;
  place.write("m.yaml",
              "- {id: a, source: {title: t}, system: H100, config: {task: pretrain, model: m}, measured: {}}\n");
  const Outcome outcome = place.run({"validate", "m.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("aliases.yaml:1:1: cannot be opened"));
}

} // namespace
} // namespace moesim::testing
