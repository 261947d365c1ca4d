// Reads datasets out of an HDF5 file that anybody may have made: every mismatch is a ResultFileError that names the
// file and the dataset.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "simulator/record/column.hpp"
#include "simulator/record/hdf5_handle.hpp"

namespace moesim::record {

class Hdf5Reader {
public:
  explicit Hdf5Reader(const std::filesystem::path& path);

  [[nodiscard]] bool has(const std::string& dataset) const;
  // Extents of a dataset; empty for a scalar.
  [[nodiscard]] std::vector<std::size_t> shape(const std::string& dataset) const;
  // Reads all of a dataset, converted to `element`; its size is that of shape().
  void read(const std::string& dataset, Element element, std::size_t element_size, void* values) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& dataset) const;
  // An attribute with a list of words, of a dataset or group.
  [[nodiscard]] std::vector<std::string> words(const std::string& object, const char* attribute) const;
  [[noreturn]] void fail(const std::string& object, const std::string& reason) const;

private:
  [[nodiscard]] Hdf5Handle open(const std::string& dataset) const;
  [[nodiscard]] std::string at(const std::string& object) const;

  std::string path_;
  std::size_t file_size_ = 0;
  Hdf5Handle file_;
};

} // namespace moesim::record
