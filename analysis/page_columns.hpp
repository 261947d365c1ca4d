// The columns of the interactive page, small enough to stand in a text file: whole numbers, gzip, base64.
//
// A column becomes as many planes of bytes as its largest number needs, the lowest bytes of all rows first, then the
// next: what changes little from row to row then compresses to little. Signs are folded into the lowest bit (zigzag: 0,
// -1, 1, -2 as 0, 1, 2, 3). analysis/page/columns.js is the reader.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesim::analysis {

enum class Coding : std::uint8_t { Values, Differences }; // of a number to the one before; the first to 0

struct PageColumn {
  std::string name;
  std::size_t count = 0; // of numbers
  std::size_t width = 0; // bytes of each
  Coding coding = Coding::Values;
};

class PageColumns {
public:
  // Numbers lie within +-2^53, which is what JavaScript can tell apart.
  void add(std::string name, std::span<const std::int64_t> numbers, Coding coding);

  [[nodiscard]] const std::vector<PageColumn>& columns() const { return columns_; }
  // The planes of all columns in the order of adding, not yet compressed.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
  std::vector<PageColumn> columns_;
  std::string bytes_;
};

// Columns that are filled row by row: rank and start, then others.
template <std::size_t Width>
class PageTable {
public:
  explicit PageTable(std::array<const char*, Width> names) : names_(names) {}
  void add(const std::array<std::int64_t, Width>& row) {
    for (std::size_t i = 0; i < Width; ++i)
      numbers_[i].push_back(row[i]);
  }
  void write(PageColumns& columns) const {
    for (std::size_t i = 0; i < Width; ++i)
      columns.add(names_[i], numbers_[i], i < 2 ? Coding::Differences : Coding::Values);
  }

private:
  std::array<const char*, Width> names_;
  std::array<std::vector<std::int64_t>, Width> numbers_;
};

// The same bytes give the same result, whatever the time of day.
[[nodiscard]] std::string gzip(std::string_view bytes);
[[nodiscard]] std::string base64(std::string_view bytes);

} // namespace moesim::analysis
