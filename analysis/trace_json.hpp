// Writes the pieces of trace events as JSON, fast: there are millions.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace moesim::analysis {

using Buffer = fmt::memory_buffer;

// As JSON; what is not UTF-8 is replaced.
[[nodiscard]] std::string quoted(const std::string& text);
[[nodiscard]] std::vector<std::string> all_quoted(const std::vector<std::string>& words);

[[nodiscard]] std::int64_t nanoseconds(double seconds);

inline void append_text(Buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

// `format` comes from FMT_COMPILE.
template <class Format, class... Values>
void append(Buffer& out, const Format& format, const Values&... values) {
  fmt::format_to(std::back_inserter(out), format, values...);
}

// Microseconds as Perfetto reads them back to the nanosecond.
void append_microseconds(Buffer& out, std::int64_t ns);

// A slice up to its args; name and category are JSON already.
void append_slice(Buffer& out, std::string_view name, std::string_view category, std::uint32_t process,
                  std::uint32_t thread, double start, double end);

// A counter up to its args.
void append_counter(Buffer& out, const char* title, std::uint32_t process, std::int64_t time);

} // namespace moesim::analysis
