// Turns a RunRecord into the columns of its result file (the writing Archive of result_layout.hpp). Columns point into
// the record, which has to outlive them.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simulator/record/column.hpp"
#include "simulator/record/hdf5_image.hpp"

namespace moesim::record {

class LayoutWriter {
public:
  template <class T>
  void scalar(const char* path, const char* unit, const T& value) {
    columns_.push_back(typed<T>(path, unit, {}, &value));
  }

  template <class T>
  void column(const std::string& path, const char* unit, const std::vector<T>& values) {
    columns_.push_back(typed<T>(path, unit, {values.size()}, values.data()));
  }

  template <class T>
  void worded_column(const char* path, const std::vector<T>& values, const std::vector<std::string>& words) {
    column(path, "1", values);
    columns_.back().words = words;
  }

  // One dataset per name, and an attribute of the group that lists them in order.
  void columns_by_name(const std::string& group, const char* attribute, const char* unit,
                       const std::vector<std::string>& names, const std::vector<std::vector<double>>& columns) {
    for (std::size_t i = 0; i < names.size(); ++i)
      column(group + "/" + names[i], unit, columns[i]);
    attributes_.push_back({group, attribute, names});
  }

  void matrix(const char* path, const char* unit, std::size_t rows, std::size_t columns,
              const std::vector<double>& values) {
    columns_.push_back(typed<double>(path, unit, {rows, columns}, values.data()));
  }

  void text(const char* path, const std::string& value);
  void names(const char* path, const std::vector<std::string>& values);

  [[nodiscard]] std::vector<std::byte> image(const std::string& target) const {
    return hdf5_image(columns_, attributes_, target);
  }

private:
  template <class T>
  static Column typed(std::string path, std::string unit, std::vector<std::size_t> shape, const T* values) {
    Column column;
    column.path = std::move(path);
    column.unit = std::move(unit);
    column.element = element_of<T>();
    column.element_size = sizeof(T);
    column.shape = std::move(shape);
    column.bytes = reinterpret_cast<const std::byte*>(values);
    return column;
  }
  void add_texts(const char* path, std::vector<std::size_t> shape, std::span<const std::string> texts);

  std::vector<Column> columns_;
  std::vector<GroupAttribute> attributes_;
};

} // namespace moesim::record
