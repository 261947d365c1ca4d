// Fills a RunRecord from a result file (the reading Archive of result_layout.hpp).
#pragma once

#include <string>
#include <vector>

#include "simulator/record/hdf5_reader.hpp"

namespace moesim::record {

class LayoutReader {
public:
  explicit LayoutReader(const Hdf5Reader& file) : file_(file) {}

  template <class T>
  void scalar(const char* path, const char* /*unit*/, T& value) const {
    if (!file_.shape(path).empty())
      file_.fail(path, "is not a single number");
    file_.read(path, element_of<T>(), sizeof(T), &value);
  }

  template <class T>
  void column(const std::string& path, const char* /*unit*/, std::vector<T>& values) const {
    const std::vector<std::size_t> shape = file_.shape(path);
    if (shape.size() != 1)
      file_.fail(path, "is not a column");
    values.resize(shape[0]);
    file_.read(path, element_of<T>(), sizeof(T), values.data());
  }

  template <class T>
  void worded_column(const char* path, std::vector<T>& values, std::vector<std::string>& words) const {
    column(path, "1", values);
    words = file_.words(path, "words");
  }

  void columns_by_name(const std::string& group, const char* attribute, const char* unit,
                       std::vector<std::string>& names, std::vector<std::vector<double>>& columns) const {
    names = file_.words(group, attribute);
    columns.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
      column(group + "/" + names[i], unit, columns[i]);
  }

  void matrix(const char* path, const char* /*unit*/, std::size_t rows, std::size_t& columns,
              std::vector<double>& values) const {
    const std::vector<std::size_t> shape = file_.shape(path);
    if (shape.size() != 2 || shape[0] != rows)
      file_.fail(path, "does not have one row for each row of its table");
    columns = shape[1];
    values.resize(rows * columns);
    file_.read(path, Element::Float64, sizeof(double), values.data());
  }

  void text(const char* path, std::string& value) const {
    const std::vector<std::string> texts = file_.texts(path);
    if (texts.size() != 1)
      file_.fail(path, "is not a single text");
    value = texts.front();
  }

  void names(const char* path, std::vector<std::string>& values) const { values = file_.texts(path); }

private:
  const Hdf5Reader& file_;
};

} // namespace moesim::record
