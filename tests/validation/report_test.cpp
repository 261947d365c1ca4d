// What is printed of a file.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "simulator/validation/report.hpp"

namespace moesim::validation {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

FileReport report() {
  FileReport result;
  result.file = "some.yaml";
  Comparison time;
  time.measurement.id = "a#0";
  time.measurement.quantity = "time_us";
  time.measurement.value = 10;
  time.measurement.labels.hardware = "H100";
  time.prediction.value = 12;
  Comparison memory = time;
  memory.measurement.id = "b, c";
  memory.measurement.quantity = memory_quantity;
  result.comparisons = {time, memory};
  result.skipped = {{"d", "no rule"}, {"e", "no rule"}};
  result.assumptions = {{"a", {"seq_length: 2048 (why)"}}};
  return result;
}

TEST(Report, JsonHasTheKeysOfTheDesign) {
  const json of = json::parse(to_json(report(), summarize(report())));
  const json& entry = of.at("entries").at(0);
  EXPECT_EQ(entry.size(), 5U);
  EXPECT_EQ(entry.at("id"), "a#0");
  EXPECT_EQ(entry.at("quantity"), "time_us");
  EXPECT_EQ(entry.at("predicted"), 12.0);
  EXPECT_EQ(entry.at("measured"), 10.0);
  EXPECT_NEAR(entry.at("error").get<double>(), 0.2, 1e-12);
  EXPECT_EQ(of.at("skipped").at(0), (json{{"id", "d"}, {"reason", "no rule"}}));
  EXPECT_NEAR(of.at("mean_absolute_error").get<double>(), 0.2, 1e-12);
  EXPECT_NEAR(of.at("median_absolute_error").get<double>(), 0.2, 1e-12);
  EXPECT_NEAR(of.at("bias").get<double>(), 0.2, 1e-12);
  EXPECT_EQ(of.at("within_10"), 0.0);
  EXPECT_EQ(of.at("within_20"), 1.0);
  EXPECT_NEAR(of.at("memory_mean_absolute_error").get<double>(), 0.2, 1e-12);
  EXPECT_EQ(of.at("assumptions").at("a").at(0), "seq_length: 2048 (why)");
  EXPECT_EQ(of.at("groups").at("hardware").at("H100").at("count"), 1);
}

TEST(Report, NothingComparedIsNull) {
  const json of = json::parse(to_json({}, summarize({})));
  for (const char* key :
       {"mean_absolute_error", "median_absolute_error", "bias", "within_10", "within_20", "memory_mean_absolute_error"})
    EXPECT_TRUE(of.at(key).is_null()) << key;
}

TEST(Report, TextListsComparisonsReasonsAndAssumptions) {
  const std::string text = to_text(report(), summarize(report()));
  for (const char* part : {"some.yaml: 2 compared, 2 skipped\n", "+20.0 %\n", "hardware: H100", "  no rule (2): d, e\n",
                           "  seq_length: 2048 (why) (1): a\n"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Report, CsvQuotesWhatNeedsIt) {
  const std::vector<FileReport> reports{report()};
  EXPECT_THAT(to_csv(reports), HasSubstr("\nsome.yaml,\"b, c\",memory_bytes,12,10,0.19999999999999996,H100"));
}

} // namespace
} // namespace moesim::validation
