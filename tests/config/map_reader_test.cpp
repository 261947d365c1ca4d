#include "simulator/config/map_reader.hpp"

#include <array>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "tests/config/error_text.hpp"

namespace moesim::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::array<std::string_view, 3> schedules{"gpipe", "1f1b", "zb-h1"};

// What a user reads when `read` has gone over `document`.
std::string problems_in(const std::string& document, const std::function<void(MapReader&)>& read) {
  const Node top = parse_yaml(document, "a.yaml");
  return error_text([&] {
    Problems problems;
    MapReader reader(top, "", problems);
    read(reader);
    problems.throw_if_any();
  });
}

// As above for documents without mistakes.
void expect_clean(const std::string& document, const std::function<void(MapReader&)>& read) {
  EXPECT_EQ(problems_in(document, read), "");
}

TEST(MapReader, ReadsEachTypeAndItsDefault) {
  expect_clean("i: 8\nn: 1.5\nb: true\nt: hello\nc: 1f1b\n", [](MapReader& reader) {
    EXPECT_EQ(reader.integer("i"), 8);
    EXPECT_EQ(reader.integer_or("j", 3), 3);
    EXPECT_EQ(reader.number("n"), 1.5);
    EXPECT_EQ(reader.number_or("m", 2.5), 2.5);
    EXPECT_TRUE(reader.boolean_or("b", false));
    EXPECT_TRUE(reader.boolean_or("d", true));
    EXPECT_EQ(reader.text("t"), "hello");
    EXPECT_EQ(reader.text_or("u", "none"), "none");
    EXPECT_EQ(reader.choice("c", schedules), "1f1b");
    EXPECT_EQ(reader.choice_or("e", "gpipe", schedules), "gpipe");
    reader.finish();
  });
}

TEST(MapReader, ReadsQuantities) {
  expect_clean("b: 80GB\ns: 2us\nw: 400Gbps\nf: 989TFLOP/s\n", [](MapReader& reader) {
    EXPECT_EQ(reader.bytes("b"), Bytes(80e9));
    EXPECT_EQ(reader.seconds("s"), Seconds(2e-6));
    EXPECT_EQ(reader.seconds_or("t", Seconds(7)), Seconds(7));
    EXPECT_EQ(reader.bandwidth("w"), BytesPerSecond(50e9));
    EXPECT_EQ(reader.flops_rate("f"), FlopsPerSecond(989e12));
    reader.finish();
  });
}

TEST(MapReader, NotesAllProblemsAndReturnsPlaceholders) {
  const std::string text = problems_in("a: eight\nb: 80\nc: 1f1d\nd: [1]\n", [](MapReader& reader) {
    EXPECT_EQ(reader.integer("a", {2, 16}), 2);
    EXPECT_EQ(reader.bytes("b"), Bytes(1));
    EXPECT_EQ(reader.choice("c", schedules), "gpipe");
    EXPECT_EQ(reader.text("d"), "");
    EXPECT_EQ(reader.integer("e"), 1);
    reader.finish();
  });
  EXPECT_EQ(text, "a.yaml:1:1: e: missing; expected a whole number of at least 1\n"
                  "a.yaml:1:4: a: found the text \"eight\"; expected a whole number from 2 to 16\n"
                  "a.yaml:2:4: b: 80 has no unit; write for example 80GB\n"
                  "a.yaml:3:4: c: unknown value '1f1d'; did you mean '1f1b'? expected one of 1f1b, gpipe, zb-h1\n"
                  "a.yaml:4:4: d: found a list; expected a text\n");
}

TEST(MapReader, WholeNumbersAreDigitsWithinTheirRange) {
  const auto problem = [](const std::string& value, IntegerRange range) {
    return problems_in("a: " + value, [&](MapReader& reader) { reader.integer("a", range); });
  };
  EXPECT_EQ(problem("0", {}), "a.yaml:1:4: a: 0 is too small; expected a whole number of at least 1\n");
  EXPECT_EQ(problem("9", {1, 8}), "a.yaml:1:4: a: 9 is too large; expected a whole number from 1 to 8\n");
  EXPECT_EQ(problem("99999999999999999999", {}), "a.yaml:1:4: a: 99999999999999999999 is too large; expected a whole "
                                                 "number from 1 to 1000000000\n");
  EXPECT_EQ(problem("1e3", {}), "a.yaml:1:4: a: found the number 1e3; expected a whole number of at least 1\n");
  EXPECT_EQ(problem("2.0", {}), "a.yaml:1:4: a: found the number 2.0; expected a whole number of at least 1\n");
  EXPECT_EQ(problem("1_000", {}), "a.yaml:1:4: a: found the text \"1_000\"; expected a whole number of at least 1\n");
  EXPECT_EQ(problem("\"8\"", {}),
            "a.yaml:1:4: a: found the text \"8\"; expected a whole number of at least 1, without quotes\n");
  EXPECT_EQ(problem("true", {}), "a.yaml:1:4: a: found the boolean true; expected a whole number of at least 1\n");
  EXPECT_EQ(problem("{b: 1}", {}), "a.yaml:1:4: a: found a map; expected a whole number of at least 1\n");
}

TEST(MapReader, NumbersAreFiniteAndWithinTheirRange) {
  const auto problem = [](const std::string& value, NumberRange range) {
    return problems_in("a: " + value, [&](MapReader& reader) { reader.number("a", range); });
  };
  EXPECT_EQ(problem("1e3", {}), "");
  EXPECT_EQ(problem("-0.5", {}), "a.yaml:1:4: a: -0.5 is too small; expected a number of at least 0\n");
  EXPECT_EQ(problem("1.5", {0, 1}), "a.yaml:1:4: a: 1.5 is too large; expected a number from 0 to 1\n");
  EXPECT_EQ(problem("0", {std::numeric_limits<double>::min()}),
            "a.yaml:1:4: a: 0 is too small; expected a number greater than 0\n");
  EXPECT_EQ(problem("1e999", {}),
            "a.yaml:1:4: a: 1e999 is beyond what a number can hold; expected a number of at least 0\n");
  EXPECT_EQ(problem(".nan", {}), "a.yaml:1:4: a: found the text \".nan\"; expected a number of at least 0\n");
  EXPECT_EQ(problem(".inf", {}), "a.yaml:1:4: a: found the text \".inf\"; expected a number of at least 0\n");
}

TEST(MapReader, BooleansAreTrueOrFalse) {
  EXPECT_EQ(problems_in("a: yes\nb: 'true'\n",
                        [](MapReader& reader) {
                          EXPECT_FALSE(reader.boolean_or("a", false));
                          EXPECT_FALSE(reader.boolean_or("b", false));
                        }),
            "a.yaml:1:4: a: found the text \"yes\"; expected true or false\n"
            "a.yaml:2:4: b: found the text \"true\"; expected true or false\n");
}

TEST(MapReader, NullIsNeverADefault) {
  EXPECT_EQ(problems_in("a:\nb: ~\nc: null\nd:\n",
                        [](MapReader& reader) {
                          EXPECT_EQ(reader.integer_or("a", 4, {1, 8}), 1);
                          (void)reader.text_or("b", "x");
                          (void)reader.seconds_or("c", Seconds(1));
                          (void)reader.map_or_empty("d");
                        }),
            "a.yaml:1:1: a: no value given; expected a whole number from 1 to 8\n"
            "a.yaml:2:4: b: no value given; expected a text\n"
            "a.yaml:3:4: c: no value given; expected a time such as 2us or 1.5ms\n"
            "a.yaml:4:1: d: no value given; expected a map of fields\n");
}

TEST(MapReader, UnknownKeysNameTheNearestOrAll) {
  EXPECT_EQ(problems_in("tp: 2\npipelines: 4\ncolour: red\n\"x\\ny\": 1\n",
                        [](MapReader& reader) {
                          reader.integer("tp");
                          reader.integer_or("pipeline", 1);
                          reader.finish();
                        }),
            "a.yaml:2:1: pipelines: unknown key 'pipelines'; did you mean 'pipeline'?\n"
            "a.yaml:3:1: colour: unknown key 'colour'; known keys are tp, pipeline\n"
            "a.yaml:4:1: x\\ny: unknown key 'x\\ny'; known keys are tp, pipeline\n");
  EXPECT_EQ(problems_in("m: {a: 1}\n", [](MapReader& reader) { reader.map("m").finish(); }),
            "a.yaml:1:5: m.a: unknown key 'a'; expected no keys here\n");
}

TEST(MapReader, UnreadKeysCanBeAskedForInstead) {
  expect_clean("hidden_size: 8\ntorch_dtype: x\n", [](MapReader& reader) {
    reader.integer("hidden_size");
    EXPECT_THAT(reader.unread_keys(), ElementsAre("torch_dtype"));
  });
}

TEST(MapReader, NestedMapsKnowTheirPath) {
  EXPECT_EQ(problems_in("a:\n  b: {c: x}\n",
                        [](MapReader& reader) {
                          MapReader a = reader.map("a");
                          MapReader b = a.map("b");
                          b.integer("c");
                          b.integer("d");
                          EXPECT_EQ(b.path_of("c"), "a.b.c");
                          EXPECT_EQ(b.position_of("c").column, 10);
                          EXPECT_EQ(b.position_of("d").column, 6);
                        }),
            "a.yaml:2:6: a.b.d: missing; expected a whole number of at least 1\n"
            "a.yaml:2:10: a.b.c: found the text \"x\"; expected a whole number of at least 1\n");
}

TEST(MapReader, AMissingOrMistakenMapIsOneProblem) {
  EXPECT_EQ(problems_in("b: 7\n",
                        [](MapReader& reader) {
                          for (const char* key : {"a", "b"}) {
                            MapReader map = reader.map(key);
                            EXPECT_EQ(map.integer("x", {3, 5}), 3);
                            (void)map.map("deeper").text("y");
                            map.map_or_empty("deepest").bytes("z");
                            EXPECT_FALSE(map.has("x"));
                            EXPECT_THAT(map.unread_keys(), IsEmpty());
                            map.finish();
                          }
                        }),
            "a.yaml:1:1: a: missing; expected a map of fields\n"
            "a.yaml:1:4: b: found the number 7; expected a map of fields\n");
}

TEST(MapReader, AnAbsentOptionalMapGivesDefaultsAndStillNeedsItsRequiredFields) {
  EXPECT_EQ(problems_in("v: 1\n",
                        [](MapReader& reader) {
                          MapReader map = reader.map_or_empty("simulation");
                          EXPECT_EQ(map.integer_or("seed", 1), 1);
                          map.text("network");
                        }),
            "a.yaml:1:1: simulation.network: missing; expected a text\n");
}

TEST(MapReader, AliasesReadAsTheirKeyAndKeepTheNameThatWasWritten) {
  EXPECT_EQ(problems_in("tensor_model_parallel_size: 0\npipeline_model_parallel_sise: 2\n",
                        [](MapReader& reader) {
                          reader.alias("tensor_model_parallel_size", "tp");
                          reader.alias("pipeline_model_parallel_size", "pp");
                          EXPECT_TRUE(reader.has("tp"));
                          reader.integer("tp");
                          reader.integer_or("pp", 1);
                          reader.finish();
                        }),
            "a.yaml:1:29: tensor_model_parallel_size: 0 is too small; expected a whole number of at least 1\n"
            "a.yaml:2:1: pipeline_model_parallel_sise: unknown key 'pipeline_model_parallel_sise'; did you mean "
            "'pipeline_model_parallel_size'?\n");
}

TEST(MapReader, AKeyAndItsAliasTogetherAreAProblem) {
  EXPECT_EQ(problems_in("tp: 2\ntensor_model_parallel_size: 4\n",
                        [](MapReader& reader) {
                          reader.alias("tensor_model_parallel_size", "tp");
                          EXPECT_EQ(reader.integer("tp"), 2);
                          reader.finish();
                        }),
            "a.yaml:2:29: tensor_model_parallel_size: given twice, also as 'tp' at line 1; keep one of the two\n");
}

TEST(MapReader, ListsAreReadItemByItem) {
  EXPECT_EQ(problems_in("layers: [2, x, 0]\noverrides: [{gpu: 17}, 5, {gpu: -1}]\nnot: 3\n",
                        [](MapReader& reader) {
                          EXPECT_THAT(reader.integers_or_empty("layers"), ElementsAre(2, 1, 1));
                          EXPECT_THAT(reader.integers_or_empty("absent"), IsEmpty());
                          EXPECT_THAT(reader.maps_or_empty("not"), IsEmpty());
                          for (MapReader& item : reader.maps_or_empty("overrides"))
                            item.integer("gpu", {0, 100});
                          reader.finish();
                        }),
            "a.yaml:1:13: layers.1: found the text \"x\"; expected a whole number of at least 1\n"
            "a.yaml:1:16: layers.2: 0 is too small; expected a whole number of at least 1\n"
            "a.yaml:2:24: overrides.1: found the number 5; expected a map of fields\n"
            "a.yaml:2:33: overrides.2.gpu: -1 is too small; expected a whole number from 0 to 100\n"
            "a.yaml:3:6: not: found the number 3; expected a list of maps\n");
}

TEST(MapReader, RawNodesCountAsRead) {
  expect_clean("a: [1, {b: 2}]\n", [](MapReader& reader) {
    ASSERT_NE(reader.node("a"), nullptr);
    EXPECT_EQ(reader.node("a")->items.size(), 2u);
    EXPECT_EQ(reader.node("c"), nullptr);
    reader.finish();
  });
}

} // namespace
} // namespace moesim::config
