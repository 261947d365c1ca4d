#include "simulator/record/gzip.hpp"

#include "simulator/base/check.hpp"
#include "simulator/record/chunk_packing.hpp"

#include <array>
#include <climits>
#include <new>
#include <utility>

#include <zlib.h>

namespace moesim::record {

struct Gzip::Stream {
  Stream() {
    constexpr int gzip_header = 16; // on top of the size of the window, says zlib's manual
    if (deflateInit2(&zlib, deflate_level, Z_DEFLATED, MAX_WBITS + gzip_header, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw std::bad_alloc();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { deflateEnd(&zlib); }

  // Deflates all of its input, and what it holds back with Z_FINISH.
  void run(int flush, const ByteSink& sink) {
    do {
      zlib.next_out = buffer.data();
      zlib.avail_out = static_cast<uInt>(buffer.size());
      MOESIM_CHECK(deflate(&zlib, flush) != Z_STREAM_ERROR, "the compressor is in a valid state");
      sink(std::as_bytes(std::span(buffer).first(buffer.size() - zlib.avail_out)));
    } while (zlib.avail_out == 0);
  }

  z_stream zlib{};
  std::array<Bytef, 1 << 16> buffer{};
};

Gzip::Gzip(ByteSink sink) : stream_(std::make_unique<Stream>()), sink_(std::move(sink)) {}

Gzip::~Gzip() = default;

void Gzip::append(std::span<const std::byte> bytes) {
  MOESIM_CHECK(bytes.size() <= UINT_MAX, "zlib takes 4 GiB at a time");
  // zlib's input is not const in its interface, though it only reads it.
  stream_->zlib.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream_->zlib.avail_in = static_cast<uInt>(bytes.size());
  stream_->run(Z_NO_FLUSH, sink_);
}

void Gzip::finish() {
  stream_->run(Z_FINISH, sink_);
}

} // namespace moesim::record
