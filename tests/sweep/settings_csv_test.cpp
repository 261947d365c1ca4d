#include "simulator/sweep/settings_csv.hpp"

#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"

namespace moesim::sweep {
namespace {

using ::testing::ElementsAre;

std::string problems(const std::string& text) {
  try {
    (void)read_settings_csv(text, "t.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(SettingsCsv, ReadsQuotesLineEndsAndEmptyCells) {
  const SettingsTable table = read_settings_csv("a.b,c\r\n1,\"[x, \"\"8\"\"]\"\r\n\r\n,\"two\nlines\"\r\n3,", "t.csv");
  EXPECT_THAT(table.fields, ElementsAre("a.b", "c"));
  EXPECT_THAT(table.points, ElementsAre(ElementsAre(Setting{"a.b", "1"}, Setting{"c", "[x, \"8\"]"}),
                                        ElementsAre(Setting{"c", "two lines"}), ElementsAre(Setting{"a.b", "3"})));
}

TEST(SettingsCsv, SaysWhereItIsWrong) {
  EXPECT_EQ(problems(""),
            "t.csv:1:1: the table has no rows; expected a line of fields, and a line of values for each point\n");
  EXPECT_EQ(problems("a,b c,a\n1,2,3\n"),
            "t.csv:1:3: 'b c' is not the path of a field; expected such as training.micro_batch_size\n"
            "t.csv:1:7: a: has a column already; keep one of the two\n");
  EXPECT_EQ(problems("a,b\n1\n2,{x\n"),
            "t.csv:2:1: the row has 1 cells; expected 2, one for each field\n"
            "t.csv:3:3: b: the cell is not a value in YAML; expected such as 8, 1f1b or {tp: true}\n");
  EXPECT_EQ(problems("a\n\"1\n"), "t.csv:2:1: the quotes are not closed; expected \" at the end of the cell\n");
  EXPECT_EQ(problems("a\n\"1\"2\n"),
            "t.csv:2:4: text after a closing quote; expected a comma or the end of the line\n");
}

} // namespace
} // namespace moesim::sweep
