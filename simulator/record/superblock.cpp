#include "simulator/record/superblock.hpp"

#include "simulator/base/check.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace moesim::record {
namespace {

// Signature, version, sizes, flags, and four addresses of 8 bytes; the checksum follows.
constexpr std::size_t checked_bytes = 44;
constexpr std::size_t version_at = 8;

using State = std::array<std::uint32_t, 3>;

void mix(State& s) {
  constexpr std::array<int, 6> turns{4, 6, 8, 16, 19, 4};
  for (std::size_t i = 0; i < turns.size(); ++i) {
    std::uint32_t& a = s[i % 3];
    std::uint32_t& b = s[(i + 1) % 3];
    std::uint32_t& c = s[(i + 2) % 3];
    a -= c;
    a ^= std::rotl(c, turns[i]);
    c += b;
  }
}

void finish(State& s) {
  constexpr std::array<int, 7> turns{14, 11, 25, 16, 4, 14, 24};
  for (std::size_t i = 0; i < turns.size(); ++i) {
    std::uint32_t& target = s[(i + 2) % 3];
    const std::uint32_t source = s[(i + 1) % 3];
    target ^= source;
    target -= std::rotl(source, turns[i]);
  }
}

// Twelve bytes at most, as three little-endian words.
void add(State& s, std::span<const std::byte> bytes) {
  State words{};
  std::memcpy(words.data(), bytes.data(), bytes.size());
  for (std::size_t i = 0; i < 3; ++i)
    s[i] += words[i];
}

} // namespace

std::uint32_t lookup3(std::span<const std::byte> bytes) {
  const std::uint32_t start = 0xdeadbeefU + static_cast<std::uint32_t>(bytes.size());
  State s{start, start, start};
  if (bytes.empty())
    return s[2];
  while (bytes.size() > 12) {
    add(s, bytes.first(12));
    mix(s);
    bytes = bytes.subspan(12);
  }
  add(s, bytes);
  finish(s);
  return s[2];
}

void correct_superblock_checksum(std::span<std::byte> image) {
  MOESIM_CHECK(image.size() > checked_bytes + sizeof(std::uint32_t), "an HDF5 file has a superblock");
  MOESIM_CHECK(image[version_at] == std::byte{2} || image[version_at] == std::byte{3}, "the superblock has a checksum");
  const std::uint32_t checksum = lookup3(image.first(checked_bytes));
  std::memcpy(image.data() + checked_bytes, &checksum, sizeof checksum);
}

} // namespace moesim::record
