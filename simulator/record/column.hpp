// One dataset of a result file, as bytes: what the layout (result_layout.hpp) hands to the writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moesim::record {

enum class Element : std::uint8_t { Float64, Int16, Int32, UInt8, UInt16, UInt32, UInt64, Text };

template <class T>
constexpr Element element_of();
template <>
constexpr Element element_of<double>() {
  return Element::Float64;
}
template <>
constexpr Element element_of<std::int16_t>() {
  return Element::Int16;
}
template <>
constexpr Element element_of<std::int32_t>() {
  return Element::Int32;
}
template <>
constexpr Element element_of<std::uint8_t>() {
  return Element::UInt8;
}
template <>
constexpr Element element_of<std::uint16_t>() {
  return Element::UInt16;
}
template <>
constexpr Element element_of<std::uint32_t>() {
  return Element::UInt32;
}
template <>
constexpr Element element_of<std::uint64_t>() {
  return Element::UInt64;
}

struct Column {
  std::string path; // "tasks/start"
  std::string unit; // "s", "bytes", ...; "1" for counts and indices
  Element element = Element::Float64;
  std::size_t element_size = 0;   // bytes; of a text, its longest
  std::vector<std::size_t> shape; // empty: a scalar
  std::vector<std::byte> storage; // owns the bytes when no record does (texts)
  const std::byte* bytes = nullptr;
  std::optional<std::vector<std::string>> words; // what the integers of the column stand for

  [[nodiscard]] const std::byte* data() const { return bytes != nullptr ? bytes : storage.data(); }
};

} // namespace moesim::record
