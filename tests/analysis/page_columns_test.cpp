#include "analysis/page_columns.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

namespace moesim::analysis {
namespace {

using ::testing::ElementsAre;

std::vector<int> bytes_of(const PageColumns& columns) {
  std::vector<int> bytes;
  for (const char c : columns.bytes())
    bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

TEST(PageColumns, FoldsSignsIntoTheLowestBit) {
  PageColumns columns;
  columns.add("layer", std::vector<std::int64_t>{0, -1, 1, -2}, Coding::Values);
  EXPECT_THAT(bytes_of(columns), ElementsAre(0, 1, 2, 3));
}

TEST(PageColumns, PutsTheLowBytesOfAllNumbersFirst) {
  PageColumns columns;
  columns.add("start", std::vector<std::int64_t>{0x81, 0x102}, Coding::Values); // twice that: 0x0102, 0x0204
  ASSERT_EQ(columns.columns().size(), 1U);
  EXPECT_EQ(columns.columns()[0].width, 2U);
  EXPECT_EQ(columns.columns()[0].count, 2U);
  EXPECT_THAT(bytes_of(columns), ElementsAre(0x02, 0x04, 0x01, 0x02));
}

TEST(PageColumns, TakesDifferencesToTheNumberBefore) {
  PageColumns columns;
  columns.add("start", std::vector<std::int64_t>{5, 8, 7}, Coding::Differences);
  EXPECT_THAT(bytes_of(columns), ElementsAre(10, 6, 1));
}

TEST(PageColumns, ZerosAndNothingTakeNoBytes) {
  PageColumns columns;
  columns.add("chunk", std::vector<std::int64_t>{0, 0, 0}, Coding::Values);
  columns.add("none", std::vector<std::int64_t>{}, Coding::Values);
  EXPECT_EQ(columns.bytes(), "");
  EXPECT_EQ(columns.columns()[0].width, 0U);
  EXPECT_EQ(columns.columns()[0].count, 3U);
}

TEST(PageColumns, HoldsTheLargestNumbersOfJavaScript) {
  PageColumns columns;
  const std::int64_t most = std::int64_t{1} << 53;
  columns.add("amount", std::vector<std::int64_t>{most}, Coding::Values);
  EXPECT_THAT(bytes_of(columns), ElementsAre(0, 0, 0, 0, 0, 0, 0x40)); // 2^54
}

// The test vectors of RFC 4648, section 10.
TEST(PageColumns, WritesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(PageColumns, WritesGzipThatZlibReads) {
  const std::string text(100'000, 'x');
  std::string packed = gzip(text);
  EXPECT_LT(packed.size(), text.size() / 100);
  std::string back(text.size(), '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  EXPECT_EQ(back, text);
}

} // namespace
} // namespace moesim::analysis
