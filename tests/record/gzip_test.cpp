#include "simulator/record/gzip.hpp"

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace moesim::record {
namespace {

// Compresses `text` in pieces of `piece` bytes.
std::string zipped(const std::string& text, std::size_t piece) {
  std::string result;
  Gzip gzip([&](std::span<const std::byte> bytes) {
    result.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  for (std::size_t at = 0; at < text.size(); at += piece)
    gzip.append(std::as_bytes(std::span(text).subspan(at, std::min(piece, text.size() - at))));
  gzip.finish();
  return result;
}

std::string unzipped(std::string file, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK); // gzip only
  stream.next_in = reinterpret_cast<Bytef*>(file.data());
  stream.avail_in = static_cast<uInt>(file.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  EXPECT_EQ(stream.avail_in, 0U);
  inflateEnd(&stream);
  return text;
}

// Bytes of every value, which hardly compress: what comes out is more than one buffer.
std::string noise(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223; // Numerical Recipes, 7.1
    text.push_back(static_cast<char>(state >> 24));
  }
  return text;
}

TEST(Gzip, InflatesToWhatWentIn) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(300000, 'x'), noise(300000)})
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{1} << 20})
      EXPECT_EQ(unzipped(zipped(text, piece), text.size()), text);
}

} // namespace
} // namespace moesim::record
