#include "simulator/record/chunk_packing.hpp"

#include "simulator/base/check.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <system_error>
#include <thread>

#include <zlib.h>

namespace moesim::record {
namespace {

constexpr std::uint32_t deflate_skipped = 1U << 1U;

template <std::size_t Size>
void split_planes(const std::byte* from, std::size_t count, std::byte* to) {
  for (std::size_t plane = 0; plane < Size; ++plane)
    for (std::size_t i = 0; i < count; ++i)
      to[plane * count + i] = from[i * Size + plane];
}

// Puts all first bytes of the elements first, then all second bytes, and so on. Bytes that make no whole element stay
// at the end, as in HDF5.
void shuffle(const std::vector<std::byte>& from, std::size_t element_size, std::vector<std::byte>& to) {
  const std::size_t count = from.size() / element_size;
  to = from;
  if (element_size == 2)
    split_planes<2>(from.data(), count, to.data());
  else if (element_size == 4)
    split_planes<4>(from.data(), count, to.data());
  else if (element_size == 8)
    split_planes<8>(from.data(), count, to.data());
  else if (element_size > 1)
    for (std::size_t plane = 0; plane < element_size; ++plane)
      for (std::size_t i = 0; i < count; ++i)
        to[plane * count + i] = from[i * element_size + plane];
}

// One per thread; keeps its buffers from chunk to chunk, because fresh memory costs as much as shuffling does.
class Packer {
public:
  PackedChunk pack(const RawChunk& chunk) {
    padded_.assign(chunk.bytes.begin(), chunk.bytes.end());
    padded_.resize(chunk.full_size);
    shuffle(padded_, chunk.element_size, shuffled_);

    const auto* source = reinterpret_cast<const Bytef*>(shuffled_.data());
    const auto source_size = static_cast<uLong>(shuffled_.size());
    uLongf size = compressBound(source_size);
    deflated_.resize(size);
    const int status = compress2(deflated_.data(), &size, source, source_size, deflate_level);
    MOESIM_CHECK(status == Z_OK, "deflate has room for its worst case");
    if (size >= source_size)
      return {{source, source + source_size}, deflate_skipped};
    return {{deflated_.data(), deflated_.data() + size}, 0};
  }

private:
  std::vector<std::byte> padded_;
  std::vector<std::byte> shuffled_;
  std::vector<unsigned char> deflated_;
};

} // namespace

std::vector<PackedChunk> pack(std::span<const RawChunk> chunks) {
  std::vector<PackedChunk> packed(chunks.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    Packer packer;
    for (std::size_t i = next++; i < chunks.size(); i = next++)
      packed[i] = packer.pack(chunks[i]);
  };
  const std::size_t useful = std::min<std::size_t>({std::thread::hardware_concurrency(), chunks.size(), 8});
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < useful)
      others.emplace_back(work);
  } catch (const std::system_error&) {
    // A process limit: this thread does the rest alone.
  }
  work();
  others.clear(); // joins
  return packed;
}

} // namespace moesim::record
