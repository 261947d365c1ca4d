// Reads a file into memory and parses it by its ending.
#include "simulator/config/node.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace moesim::config {
namespace {

constexpr std::size_t max_bytes = std::size_t{64} << 20;

// Reads at most max_bytes + 1 bytes rather than asking for the size: /dev/zero and pipes have none.
std::string contents(std::ifstream& stream) {
  std::string text;
  std::array<char, 65536> block{};
  while (text.size() <= max_bytes && stream) {
    stream.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

} // namespace

std::string read_file(const std::filesystem::path& path) {
  const Position whole{path.string(), 1, 1};
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputError(whole, "", "this is a folder; expected a YAML or JSON file");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw InputError(whole, "",
                     fmt::format("cannot be opened ({}); expected a YAML or JSON file", std::strerror(errno)));
  std::string text = contents(stream);
  if (stream.bad())
    throw InputError(whole, "", fmt::format("cannot be read ({}); expected a readable file", std::strerror(errno)));
  if (text.size() > max_bytes)
    throw InputError(whole, "", "the file is too large; expected at most 64 MiB");
  return text;
}

Node parse(const std::string& text, const std::filesystem::path& path) {
  return path.extension() == ".json" ? parse_json(text, path.string()) : parse_yaml(text, path.string());
}

Node load(const std::filesystem::path& path) {
  return parse(read_file(path), path);
}

} // namespace moesim::config
