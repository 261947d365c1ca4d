// Compresses bytes that come little by little to a gzip file. Its header has no name and no time of day, so the same
// bytes give the same file.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace moesim::record {

using ByteSink = std::function<void(std::span<const std::byte>)>;

class Gzip {
public:
  // What is compressed goes to `sink`.
  explicit Gzip(ByteSink sink);
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip();

  void append(std::span<const std::byte> bytes);
  // Nothing can be appended after this.
  void finish();

private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  ByteSink sink_;
};

} // namespace moesim::record
