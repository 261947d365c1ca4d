#include "analysis/gantt_page.hpp"

#include "simulator/base/input_error.hpp"
#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <bit>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::Row;
using moesim::testing::sample_record;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What the page reads: analysis/page/columns.js, in C++.
struct Decoded {
  json header;
  std::map<std::string, std::vector<std::int64_t>> columns;
};

Decoded decoded(const record::RunRecord& run, const GanttOptions& options = {}) {
  const PageContent content = page_content(run, options);
  Decoded page{json::parse(content.header), {}};
  std::size_t offset = 0;
  for (const json& column : page.header["columns"]) {
    const std::size_t count = column["count"];
    const std::size_t width = column["width"];
    std::vector<std::int64_t> numbers(count);
    std::int64_t before = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t code = 0;
      for (std::size_t plane = 0; plane < width; ++plane)
        code |= std::uint64_t{static_cast<unsigned char>(content.columns.at(offset + plane * count + i))} << 8 * plane;
      numbers[i] = static_cast<std::int64_t>(code >> 1) ^ -static_cast<std::int64_t>(code & 1);
      if (column["differences"])
        before = numbers[i] += before;
    }
    page.columns[column["name"]] = numbers;
    offset += width * count;
  }
  EXPECT_EQ(offset, content.columns.size());
  return page;
}

// Each row is a task of its own, in the order of the table; before[task] is what it waits for.
void set_dependencies(record::RunRecord& run, const std::map<std::uint32_t, std::vector<std::uint32_t>>& before) {
  run.dependencies = {{0}, {}};
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    if (const auto found = before.find(task); found != before.end())
      run.dependencies.before.insert(run.dependencies.before.end(), found->second.begin(), found->second.end());
    run.dependencies.first.push_back(static_cast<std::uint32_t>(run.dependencies.before.size()));
  }
}

TEST(GanttPage, HoldsTheRowsOfTheRecord) {
  const record::RunRecord run = sample_record();
  const record::TaskTable& tasks = run.tasks;
  Decoded page = decoded(run); // folded: every row belongs to the first rank of a stage
  ASSERT_EQ(page.header["shown_rows"], tasks.size());
  ASSERT_EQ(page.columns["start"].size(), tasks.size());
  for (std::size_t row = 0; row < tasks.size(); ++row) {
    const std::int64_t start = page.columns["start"][row];
    EXPECT_EQ(start, std::llround(tasks.start[row] * 1e9));
    EXPECT_EQ(start + page.columns["duration"][row], std::llround(tasks.end[row] * 1e9));
    EXPECT_EQ(page.columns["rank"][row], tasks.rank[row]);
    EXPECT_EQ(page.columns["stream"][row], tasks.stream[row]);
    EXPECT_EQ(page.columns["kind"][row], tasks.kind[row]);
    EXPECT_EQ(page.columns["name"][row], tasks.name[row]);
    EXPECT_EQ(page.columns["phase"][row], tasks.phase[row]);
    EXPECT_EQ(page.columns["layer"][row], tasks.layer[row]);
    EXPECT_EQ(page.columns["micro_batch"][row], tasks.micro_batch[row]);
    EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(page.columns["bytes"][row])),
              static_cast<float>(tasks.bytes[row]));
    EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(page.columns["flops"][row])),
              static_cast<float>(tasks.flops[row]));
  }
}

TEST(GanttPage, HoldsWhatTasksWaitFor) {
  const record::RunRecord run = sample_record();
  Decoded page = decoded(run);
  std::size_t edge = 0;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    const auto before = run.dependencies.of(task);
    ASSERT_EQ(page.columns["before_count"][task], static_cast<std::int64_t>(before.size()));
    for (const std::uint32_t other : before)
      EXPECT_EQ(task - page.columns["before_distance"][edge++], other);
  }
  EXPECT_GT(edge, run.tasks.size() / 2);
  EXPECT_EQ(edge, page.columns["before_distance"].size());
}

TEST(GanttPage, HoldsMemoryOfTheShownRanks) {
  const record::RunRecord run = sample_record();
  Decoded page = decoded(run);
  ASSERT_EQ(page.columns["memory_time"].size(), run.memory.time.size());
  for (std::size_t row = 0; row < run.memory.time.size(); ++row) {
    EXPECT_EQ(page.columns["memory_rank"][row], run.memory.rank[row]);
    EXPECT_EQ(page.columns["memory_time"][row], std::llround(run.memory.time[row] * 1e9));
    EXPECT_EQ(page.columns["memory_1"][row], std::llround(run.memory.bytes[1][row]));
  }
}

TEST(GanttPage, FoldedRanksShareRows) {
  const record::RunRecord run = sample_record(); // two ranks a stage, folded
  const Decoded both = decoded(run, {.ranks = {0, 1}});
  EXPECT_EQ(both.header["lanes"].size(), 2U);
  EXPECT_EQ(both.header["lanes"][1]["rank"], 1);
  EXPECT_EQ(both.header["lanes"][1]["representative"], 0);
  EXPECT_EQ(both.columns.at("start"), decoded(run, {.ranks = {0}}).columns.at("start"));
}

// Rank 1 waits for rank 0 and, longer, for rank 2, which is not shown.
TEST(GanttPage, BringsTheTaskThatWasWaitedForFromARankThatIsNotShown) {
  record::RunRecord run = record_of({0, 0, 0}, {Row{0, "compute", "forward", 0, 2}, Row{1, "tp", "forward", 3, 4},
                                                Row{2, "compute", "forward", 0, 3}});
  set_dependencies(run, {{1, {0, 2}}});
  Decoded page = decoded(run, {.ranks = {1}});
  EXPECT_EQ(page.header["shown_rows"], 1);
  EXPECT_THAT(page.columns["rank"], ElementsAre(1, 2));
  EXPECT_THAT(page.columns["start"], ElementsAre(3'000'000'000, 0));
  EXPECT_THAT(page.columns["task"], ElementsAre(0, 1));
  EXPECT_THAT(page.columns["before_count"], ElementsAre(1, 0));
  EXPECT_THAT(page.columns["before_distance"], ElementsAre(-1)); // task 0 of the page waits for task 1
  EXPECT_THAT(page.columns["before_unlisted"], ElementsAre(1, 0));
}

TEST(GanttPage, BringsNothingFromElsewhereWhenAShownTaskEndedLast) {
  record::RunRecord run = record_of({0, 0, 0}, {Row{0, "compute", "forward", 0, 3}, Row{1, "tp", "forward", 3, 4},
                                                Row{2, "compute", "forward", 0, 3}});
  set_dependencies(run, {{1, {0, 2}}});
  EXPECT_THAT(decoded(run, {.ranks = {0, 1}}).columns["rank"], ElementsAre(0, 1));
}

TEST(GanttPage, CutsTheTime) {
  record::RunRecord run = record_of({0}, {Row{0, "compute", "forward", 0, 1, 0}, Row{0, "compute", "forward", 2, 3, 1},
                                          Row{0, "compute", "forward", 4, 5, 2}});
  run.memory = {{0, 1, 2, 4.5}, {0, 0, 0, 0}, {"weights"}, {{10, 20, 30, 40}}};
  Decoded page = decoded(run, {.ranks = {}, .from = 1.5, .to = 3.5});
  EXPECT_EQ(page.header["from"], 1'500'000'000);
  EXPECT_EQ(page.header["to"], 3'500'000'000);
  EXPECT_THAT(page.columns["micro_batch"], ElementsAre(1));
  EXPECT_THAT(page.columns["pass_micro_batch"], ElementsAre(1));
  EXPECT_THAT(page.columns["stretch_start"], ElementsAre(2'000'000'000));
  EXPECT_THAT(page.columns["bubble_start"], ElementsAre(1'000'000'000, 3'000'000'000));
  EXPECT_THAT(page.columns["memory_0"], ElementsAre(20, 30)); // what holds at the beginning, and a change
}

TEST(GanttPage, LabelsBubblesWithWhatWasWaitedFor) {
  record::RunRecord run =
      record_of({0, 1}, {Row{0, "compute", "forward", 0, 2, 3}, Row{0, "compute", "forward", 2, 6, 4},
                         Row{1, "compute", "forward", 2, 5, 3}, Row{1, "pp-recv-prev", "forward", 6, 7, 4},
                         Row{1, "compute", "forward", 7, 10, 4}});
  set_dependencies(run, {{1, {0}}, {2, {0}}, {3, {1}}, {4, {2, 3}}});
  const Decoded page = decoded(run);
  EXPECT_THAT(page.header["bubbles"],
              ElementsAre("cool-down", "warm-up", "waiting for stage 0's forward of micro-batch 4"));
  EXPECT_THAT(page.columns.at("bubble_rank"), ElementsAre(0, 1, 1));
  EXPECT_THAT(page.columns.at("bubble_start"), ElementsAre(6'000'000'000, 0, 5'000'000'000));
  EXPECT_THAT(page.columns.at("bubble_label"), ElementsAre(0, 1, 2));
  EXPECT_THAT(page.columns.at("bubble_row"), ElementsAre(-1, 2, 3)); // nothing follows; a pass does; a transfer does
}

TEST(GanttPage, SaysWhatColourEachRowHas) {
  const Decoded page = decoded(record_of({0}, {Row{0, "compute", "forward", 0, 1}, Row{0, "compute", "backward", 1, 2},
                                               Row{0, "ep", "backward", 2, 3}, Row{0, "compute", "optimizer", 3, 4}}));
  std::vector<std::string> labels;
  for (const std::int64_t category : page.columns.at("category"))
    labels.push_back(page.header["categories"][static_cast<std::size_t>(category)]["label"]);
  EXPECT_THAT(labels, ElementsAre("forward", "backward", "ep", "optimizer step"));
}

TEST(GanttPage, IsOneFileThatNamesNoOther) {
  const std::string page = gantt_page(sample_record());
  EXPECT_THAT(page, HasSubstr("default-src 'none'")); // the browser refuses whatever is not in the file
  EXPECT_THAT(page, Not(HasSubstr("{{")));
  for (const char* reference : {" src=", "<link rel=\"stylesheet\"", "@import", "url("})
    EXPECT_THAT(page.substr(0, page.find("d3js.org")), Not(HasSubstr(reference)));
}

TEST(GanttPage, SurvivesNamesThatNeedEscaping) {
  record::RunRecord run = sample_record();
  run.figures.name = "</script><b>\"{{d3}}\" & 'so on'";
  run.tasks.names[0] = "</script><!-- \xff";
  const std::string page = gantt_page(run);
  EXPECT_THAT(page, HasSubstr("<title>&lt;/script&gt;&lt;b&gt;&quot;{{d3}}&quot; &amp;"));
  std::size_t ends = 0; // of the four script elements, and no more
  for (std::size_t at = page.find("</script"); at != std::string::npos; at = page.find("</script", at + 1))
    ++ends;
  EXPECT_EQ(ends, 4U);
}

TEST(GanttPage, SameRecordSameBytes) {
  EXPECT_EQ(gantt_page(sample_record()), gantt_page(sample_record()));
}

TEST(GanttPage, AnEmptyRunIsAPageToo) {
  EXPECT_THAT(decoded({}).columns["start"], IsEmpty());
  EXPECT_THAT(gantt_page({}), HasSubstr("</html>"));
}

TEST(GanttPage, RefusesAPageThatIsTooLargeToOpen) {
  record::RunRecord run;
  run.figures.name = "many ranks";
  EXPECT_NO_THROW(check_page_size(run, largest_page));
  try {
    check_page_size(run, 83'000'000);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "many ranks:1:1: page: would have 83 MB, more than the 60 MB that browsers open in seconds; "
                 "show fewer ranks (--ranks) or less of the time (--from, --to)\n");
  }
}

} // namespace
} // namespace moesim::analysis
