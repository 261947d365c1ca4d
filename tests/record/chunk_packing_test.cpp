#include "simulator/record/chunk_packing.hpp"
#include "simulator/record/superblock.hpp"

#include <numeric>
#include <random>

#include <zlib.h>

#include <gmock/gmock.h>

namespace moesim::record {
namespace {

using ::testing::ElementsAre;

std::vector<std::byte> inflated(const PackedChunk& chunk, std::size_t size) {
  std::vector<std::byte> bytes(size);
  uLongf length = static_cast<uLong>(size);
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(bytes.data()), &length, chunk.bytes.data(),
                       static_cast<uLong>(chunk.bytes.size())),
            Z_OK);
  EXPECT_EQ(length, size);
  return bytes;
}

TEST(ChunkPacking, PutsEqualBytesOfElementsTogetherAndPadsWithZeros) {
  const std::vector<std::uint16_t> values{0x0102, 0x0304, 0x0506};
  const RawChunk chunk{std::as_bytes(std::span(values)), 64, 2};
  const std::vector<std::byte> bytes = inflated(pack(std::vector{chunk}).front(), 64);
  const auto numbers = [&](std::size_t first) {
    std::vector<int> four;
    for (std::size_t i = first; i < first + 4; ++i)
      four.push_back(std::to_integer<int>(bytes[i]));
    return four;
  };
  EXPECT_THAT(numbers(0), ElementsAre(2, 4, 6, 0));
  EXPECT_THAT(numbers(32), ElementsAre(1, 3, 5, 0));
}

TEST(ChunkPacking, StoresNoiseAsItIsAndSaysSo) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> noise(1000);
  for (std::uint64_t& value : noise)
    value = random();
  const PackedChunk packed = pack(std::vector{RawChunk{std::as_bytes(std::span(noise)), 8000, 8}}).front();
  EXPECT_EQ(packed.skipped_filters, 2U);
  EXPECT_EQ(packed.bytes.size(), 8000U);
  EXPECT_EQ(packed.bytes[1], noise[1] & 0xffU);
}

TEST(ChunkPacking, KeepsTheOrderOfManyChunks) {
  std::vector<std::vector<std::uint32_t>> values(100, std::vector<std::uint32_t>(5000));
  std::vector<RawChunk> chunks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::iota(values[i].begin(), values[i].end(), static_cast<std::uint32_t>(i));
    chunks.push_back({std::as_bytes(std::span(values[i])), 20000, 4});
  }
  const std::vector<PackedChunk> packed = pack(chunks);
  for (std::size_t i = 0; i < packed.size(); ++i)
    EXPECT_EQ(inflated(packed[i], 20000)[0], static_cast<std::byte>(i));
}

// The figures are those of lookup3.c's own driver ("Four score and seven years ago", initial value 0) and its rule for
// nothing at all.
TEST(Superblock, HashesAsLookup3Does) {
  const std::string text = "Four score and seven years ago";
  EXPECT_EQ(lookup3(std::as_bytes(std::span(text))), 0x17770551U);
  EXPECT_EQ(lookup3({}), 0xdeadbeefU);
}

} // namespace
} // namespace moesim::record
