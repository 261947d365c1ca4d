// Reading files of measurements.
#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

using ::testing::HasSubstr;

constexpr const char* table = "  config: {size_bytes: 7, num_gpus: 8, extra: {topk: 4}, dtype: null}\n"
                              "  measured: {columns: [size_bytes, time_us], points: [[1024, 2.5], [2048, null]]}\n";

TEST(Entry, PointsOfATableReplaceTheFieldsOfTheirColumns) {
  const Entry entry = entry_of("8x H100", table);
  ASSERT_EQ(entry.point_count(), 2U);
  const Entry row = entry.at_point(1);
  EXPECT_EQ(row.id, "it#1");
  EXPECT_EQ(integer(row.config, "size_bytes"), 2048);
  EXPECT_EQ(integer(row.config, "num_gpus"), 8);
  EXPECT_EQ(number(entry.at_point(0).measured, "time_us"), 2.5);
  EXPECT_EQ(number(row.measured, "time_us"), std::nullopt);
}

TEST(Entry, FieldsAreNullAbsentOrExtra) {
  const Entry entry = entry_of("8x H100", table);
  EXPECT_EQ(text(entry.config, "dtype"), std::nullopt);
  EXPECT_EQ(text(entry.config, "nothing"), std::nullopt);
  EXPECT_EQ(integer(entry.config, "topk"), 4);
}

TEST(Entry, AValueOfAnotherTypeCannotBePredictedFrom) {
  const Entry entry = entry_of("8x H100", "  config: {num_gpus: eight}\n  measured: {}\n");
  EXPECT_THROW(static_cast<void>(integer(entry.config, "num_gpus")), Unpredictable);
}

TEST(Entry, UnusableEntriesSayWhy) {
  EXPECT_EQ(entry_of("x", "  config: {}\n  measured: {}\n  usable: false\n  unusable_reason: LoRA\n").unusable, "LoRA");
  EXPECT_NE(entry_of("x", "  config: {}\n  measured: {}\n  usable: false\n").unusable, "");
  EXPECT_EQ(entry_of("x", "  config: {}\n  measured: {}\n  usable: true\n").unusable, "");
}

TEST(Entry, FiguresAreTooCoarseWhenRoundingIsATenthOfThem) {
  for (const char* coarse : {"0.0", "0", "0.01", "0.04", "4", "x"})
    EXPECT_TRUE(is_too_coarse(coarse)) << coarse;
  for (const char* fine : {"0.05", "5", "0.45", "1.3", "47", "1e3"})
    EXPECT_FALSE(is_too_coarse(fine)) << fine;
}

std::string problems_of(const std::string& text) {
  try {
    static_cast<void>(read_entries(file_of(text)));
  } catch (const InputError& error) {
    std::string lines = error.what();
    const std::string file = file_of(text).string();
    for (std::size_t at = lines.find(file); at != std::string::npos; at = lines.find(file))
      lines.replace(at, file.size(), "FILE");
    return lines;
  }
  return "none";
}

TEST(Entry, AllThatIsWrongWithAFileIsSaidAtOnce) {
  EXPECT_EQ(problems_of(
                "- {id: a, source: {title: t}, system: s, config: {}, measured: {columns: [x], points: [[1, 2], 3]}}\n"
                "- {id: a, source: t, system: s, config: [], measured: {points: []}}\n"
                "- 7\n"
                "- {source: {}, config: {}, measured: {}, usable: maybe}\n"),
            "FILE:1:88: 0.measured.points.0: 2 values for 1 columns; give one for each, or null\n"
            "FILE:1:96: 0.measured.points.1: found the number 3; expected a list with a value for each column\n"
            "FILE:2:8: 1.id: 'a' is the id of an entry above; use each once\n"
            "FILE:2:19: 1.source: found the text \"t\"; expected a map of fields\n"
            "FILE:2:41: 1.config: found a list; expected a map of fields\n"
            "FILE:2:55: 1.measured: a table has a list of columns and a list of points; give both\n"
            "FILE:3:3: 2: found the number 7; expected a map of fields\n"
            "FILE:4:3: 3.id: missing; expected a text\n"
            "FILE:4:3: 3.system: missing; expected a text\n"
            "FILE:4:12: 3.source.title: missing; expected a text\n"
            "FILE:4:50: 3.usable: found the text \"maybe\"; expected true or false\n");
}

TEST(Entry, AFileIsAList) {
  EXPECT_EQ(problems_of("id: a\n"), "FILE:1:1: the document is a map; expected a list\n");
  EXPECT_EQ(problems_of(""), "FILE:1:1: the document is empty; expected a list\n");
  EXPECT_THAT(problems_of("- {a: 1\n- [\n"), HasSubstr("not valid YAML"));
}

} // namespace
} // namespace moesim::validation
