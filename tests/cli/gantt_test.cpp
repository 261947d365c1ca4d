// `moesim gantt`: from a result file to a page, a picture and a trace, and what it refuses.
#include <array>
#include <cstdio>
#include <memory>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;

// A folder with the result of tests/cli/small.yaml: 8 ranks in two stages.
class Gantt : public ::testing::Test {
protected:
  Gantt() {
    place_.write("small.yaml", small_scenario());
    EXPECT_EQ(place_.run({"run", "small.yaml", "-o", "run.h5"}).status, 0);
  }

  [[nodiscard]] std::string refusal(const Workplace::Arguments& arguments) const {
    const Outcome outcome = place_.run(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(place_.names(), ::testing::Not(::testing::Contains("out.svg")));
    return outcome.err;
  }

  Workplace place_;
};

TEST_F(Gantt, DrawsOneLanePerStage) {
  const Outcome outcome = place_.run({"gantt", "run.h5", "-o", "out.svg"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "wrote out.svg\n");
  const std::string picture = read_all(place_.path() / "out.svg");
  EXPECT_THAT(picture, HasSubstr("stage 0"));
  EXPECT_THAT(picture, HasSubstr("stage 1"));
}

TEST_F(Gantt, DrawsTheRanksItIsAskedFor) {
  EXPECT_EQ(place_.run({"gantt", "run.h5", "-o", "out.svg", "--ranks", "1,2-3,3"}).status, 0);
  const std::string picture = read_all(place_.path() / "out.svg");
  for (const char* rank : {"rank 1", "rank 2", "rank 3"})
    EXPECT_THAT(picture, HasSubstr(rank));
  EXPECT_EQ(picture.find("rank 3"), picture.rfind("rank 3")); // once, though it was named twice
  EXPECT_EQ(picture.find("rank 0"), std::string::npos);
}

TEST_F(Gantt, DrawsAsWideAsItIsAskedTo) {
  EXPECT_EQ(place_.run({"gantt", "run.h5", "-o", "out.svg", "--width", "320"}).status, 0);
  EXPECT_THAT(read_all(place_.path() / "out.svg"), HasSubstr("width=\"320\""));
}

TEST_F(Gantt, WritesATraceForPerfetto) {
  EXPECT_EQ(place_.run({"gantt", "run.h5", "-o", "out.json"}).status, 0);
  const auto trace = nlohmann::json::parse(read_all(place_.path() / "out.json"));
  EXPECT_EQ(trace.at("displayTimeUnit"), "ns");
  EXPECT_GT(trace.at("traceEvents").size(), 100u);
}

// What gzip, the program, makes of a file.
std::string unzipped(const std::filesystem::path& file) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("gzip -dc '" + file.string() + "'").c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> part{};
  for (std::size_t size = 0; (size = fread(part.data(), 1, part.size(), pipe.get())) > 0;)
    text.append(part.data(), size);
  return text;
}

TEST_F(Gantt, CompressesATraceWhoseNameSaysSo) {
  for (const char* name : {"out.json", "out.json.gz", "again.json.gz"})
    EXPECT_EQ(place_.run({"gantt", "run.h5", "-o", name}).status, 0);
  const std::string compressed = read_all(place_.path() / "out.json.gz");
  const std::string text = read_all(place_.path() / "out.json");
  EXPECT_EQ(unzipped(place_.path() / "out.json.gz"), text);
  EXPECT_LT(compressed.size(), text.size() / 5);
  EXPECT_EQ(read_all(place_.path() / "again.json.gz"), compressed);
  EXPECT_EQ(compressed.substr(3, 5), std::string(5, '\0')); // neither a name nor a time of day (RFC 1952, 2.3)
  EXPECT_THAT(place_.names(), ::testing::Not(::testing::Contains(HasSubstr(".partial"))));
}

TEST_F(Gantt, WritesAPageThatHoldsEverything) {
  const Outcome outcome = place_.run({"gantt", "run.h5", "-o", "out.html"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "wrote out.html\n");
  const std::string page = read_all(place_.path() / "out.html");
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("d3js.org")); // inlined
}

TEST_F(Gantt, CutsRanksAndTimeOfThePage) {
  const auto header = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"gantt", "run.h5", "-o", "out.html"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(place_.run(arguments).status, 0);
    const std::string page = read_all(place_.path() / "out.html");
    const std::size_t begin = page.find("{", page.find("<script id=\"header\""));
    return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  };
  const nlohmann::json whole = header({});
  EXPECT_EQ(whole.at("lanes").size(), 2u);
  EXPECT_EQ(header({"--ranks", "1-3"}).at("lanes").size(), 3u);
  const nlohmann::json part = header({"--from", "200us", "--to", "0.4 ms"});
  EXPECT_EQ(part.at("from"), 200'000);
  EXPECT_EQ(part.at("to"), 400'000);
  EXPECT_LT(part.at("shown_rows"), whole.at("shown_rows"));
  EXPECT_GT(part.at("shown_rows"), 0);
}

TEST_F(Gantt, RefusesTimesThatCannotBeShown) {
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.html", "--from", "10"}),
              HasSubstr("--from: 10 has no unit; write for example 10us\n"));
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.html", "--to", "soon"}),
              HasSubstr("--to: found the text \"soon\"; expected a time such as 2us or 1.5ms\n"));
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.html", "--from", "2us", "--to", "1us"}),
              HasSubstr("--from: 2us is not before --to 1us\n"));
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.html", "--from", "1000s"}),
              HasSubstr("--from: 1000s is not before the end of the run, "));
}

// Ranks that were folded are drawn like those that stand for them: the same picture and trace as when all were
// simulated.
TEST_F(Gantt, DrawsFoldedRanksAsIfTheyHadBeenSimulated) {
  EXPECT_EQ(place_.run({"run", "small.yaml", "-o", "all.h5", "--set", "simulation.symmetry=off"}).status, 0);
  for (const std::string format : {"svg", "json"}) {
    EXPECT_EQ(place_.run({"gantt", "run.h5", "-o", "folded." + format, "--ranks", "0-7"}).status, 0);
    EXPECT_EQ(place_.run({"gantt", "all.h5", "-o", "all." + format, "--ranks", "0-7"}).status, 0);
    EXPECT_EQ(read_all(place_.path() / ("folded." + format)), read_all(place_.path() / ("all." + format)));
  }
}

TEST_F(Gantt, RefusesRanksThatAreNotThere) {
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.svg", "--ranks", "0,8"}),
              HasSubstr("--ranks: '8' is not a rank of this run; ranks are 0 to 7, written as 0,8,16-23\n"));
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.svg", "--ranks", "3-1"}),
              HasSubstr("--ranks: '3-1' goes down; write 1-3\n"));
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.svg", "--ranks", "one"}), HasSubstr("'one' is not a rank"));
}

TEST_F(Gantt, RefusesOtherPicturesAndOtherFiles) {
  EXPECT_THAT(refusal({"gantt", "run.h5", "-o", "out.png"}),
              HasSubstr("-o: 'out.png' ends in none of .html (an interactive page), .svg (a picture), .json and "
                        ".json.gz (for Perfetto)\n"));
  EXPECT_EQ(refusal({"gantt", "small.yaml", "-o", "out.svg"}), "small.yaml: is not an HDF5 file\n");
  EXPECT_THAT(refusal({"gantt", "other.h5", "-o", "out.svg"}), HasSubstr("other.h5: "));
}

TEST(List, SaysWhatTheCataloguesHold) {
  const Workplace place;
  for (const char* what : {"gpus", "clusters", "models", "schedules", "collectives"}) {
    const Outcome text = place.run({"list", what});
    const Outcome json = place.run({"list", what, "--json"});
    EXPECT_EQ(text.status, 0);
    for (const auto& item : nlohmann::json::parse(json.out))
      EXPECT_THAT(text.out, HasSubstr(item.at("name").get<std::string>()));
  }
  const auto models = nlohmann::json::parse(place.run({"list", "models", "--json"}).out);
  for (const auto& model : models)
    if (model.at("name") == "mixtral-8x7b") {
      EXPECT_EQ(model.at("parameters"), 46702792704.0);
      EXPECT_EQ(model.at("active_parameters"), 12879925248.0);
    }
}

} // namespace
} // namespace moesim::testing
