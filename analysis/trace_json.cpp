#include "analysis/trace_json.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace moesim::analysis {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> all_quoted(const std::vector<std::string>& words) {
  std::vector<std::string> result(words.size());
  std::transform(words.begin(), words.end(), result.begin(), quoted);
  return result;
}

std::int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

void append_microseconds(Buffer& out, std::int64_t ns) {
  append(out, FMT_COMPILE("{}.{:03}"), ns / 1000, ns % 1000);
}

void append_slice(Buffer& out, std::string_view name, std::string_view category, std::uint32_t process,
                  std::uint32_t thread, double start, double end) {
  append(out, FMT_COMPILE(R"({{"ph":"X","name":{},"cat":{},"pid":{},"tid":{},"ts":)"), name, category, process, thread);
  const std::int64_t begin = nanoseconds(start);
  append_microseconds(out, begin);
  append_text(out, R"(,"dur":)");
  append_microseconds(out, nanoseconds(end) - begin);
}

void append_counter(Buffer& out, const char* title, std::uint32_t process, std::int64_t time) {
  append(out, FMT_COMPILE(R"({{"ph":"C","name":"{}","pid":{},"ts":)"), title, process);
  append_microseconds(out, time);
}

} // namespace moesim::analysis
