#include "simulator/record/text_block.hpp"

#include <algorithm>

namespace moesim::record {

TextBlock text_block(std::span<const std::string> texts) {
  TextBlock block;
  for (const std::string& text : texts)
    block.length = std::max(block.length, text.size());
  block.bytes.resize(block.length * texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(texts[i]));
    std::copy(bytes.begin(), bytes.end(), block.bytes.begin() + static_cast<std::ptrdiff_t>(i * block.length));
  }
  return block;
}

std::vector<std::string> texts_of(const TextBlock& block) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < block.bytes.size(); at += block.length) {
    texts.emplace_back(reinterpret_cast<const char*>(block.bytes.data() + at), block.length);
    texts.back().erase(texts.back().find_last_not_of('\0') + 1);
  }
  return texts;
}

} // namespace moesim::record
