#include "analysis/page_columns.hpp"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "simulator/base/check.hpp"

namespace moesim::analysis {
namespace {

std::uint64_t zigzag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63U);
}

std::size_t bytes_needed(std::uint64_t largest) {
  std::size_t width = 0;
  for (; largest > 0; largest >>= 8U)
    ++width;
  return width;
}

} // namespace

void PageColumns::add(std::string name, std::span<const std::int64_t> numbers, Coding coding) {
  std::vector<std::uint64_t> codes(numbers.size());
  std::int64_t before = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    codes[i] = zigzag(numbers[i] - before);
    if (coding == Coding::Differences)
      before = numbers[i];
  }
  const std::size_t width = codes.empty() ? 0 : bytes_needed(*std::max_element(codes.begin(), codes.end()));
  for (std::size_t plane = 0; plane < width; ++plane)
    for (const std::uint64_t code : codes)
      bytes_ += static_cast<char>((code >> (8 * plane)) & 0xffU);
  columns_.push_back({std::move(name), numbers.size(), width, coding});
}

std::string gzip(std::string_view bytes) {
  constexpr int gzip_format = 16 + MAX_WBITS; // zlib.h: add 16 to the window's size to write a gzip header
  MOESIM_CHECK(bytes.size() <= std::numeric_limits<uInt>::max(), "zlib counts in 32 bits");
  z_stream stream{};
  int status = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  MOESIM_CHECK(status == Z_OK, "zlib starts");
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  // zlib's input is not const in its interface, though it only reads it.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  status = deflate(&stream, Z_FINISH);
  MOESIM_CHECK(status == Z_STREAM_END, "zlib's bound is one");
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? letters[(group >> (18 - 6 * k)) & 63U] : '=';
  }
  return text;
}

} // namespace moesim::analysis
