#include "simulator/record/hdf5_reader.hpp"

#include "simulator/record/text_block.hpp"

#include <cerrno>
#include <limits>
#include <numeric>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace moesim::record {
namespace {

// Deflate shrinks by 1032 at most. A dataset that claims to be larger than its file can explain is damaged, and is
// noticed before it takes all memory.
constexpr std::size_t largest_ratio = 1032;
constexpr std::size_t smallest_limit = std::size_t{16} << 20U;

hid_t memory_type(Element element) {
  switch (element) {
  case Element::Float64:
    return H5T_NATIVE_DOUBLE;
  case Element::Int16:
    return H5T_NATIVE_INT16;
  case Element::Int32:
    return H5T_NATIVE_INT32;
  case Element::UInt8:
    return H5T_NATIVE_UINT8;
  case Element::UInt16:
    return H5T_NATIVE_UINT16;
  case Element::UInt32:
    return H5T_NATIVE_UINT32;
  case Element::UInt64:
    return H5T_NATIVE_UINT64;
  case Element::Text:
    break;
  }
  return H5T_C_S1;
}

// The system's words for a file that is missing or forbidden; HDF5's own would be about its drivers.
std::size_t size_of_readable(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  int error = file < 0 || fstat(file, &status) != 0 ? errno : 0;
  if (file >= 0)
    close(file);
  if (error == 0 && S_ISDIR(status.st_mode))
    error = EISDIR;
  if (error != 0)
    throw ResultFileError(fmt::format("{}: cannot read: {}", path, std::system_category().message(error)));
  return static_cast<std::size_t>(status.st_size);
}

} // namespace

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path) : path_(path.string()) {
  silence_hdf5();
  file_size_ = size_of_readable(path_);
  if (H5Fis_hdf5(path_.c_str()) <= 0)
    throw ResultFileError(path_ + ": is not an HDF5 file");
  const std::string what = path_ + ": cannot read";
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  file_ = Hdf5Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, what);
}

void Hdf5Reader::fail(const std::string& object, const std::string& reason) const {
  throw ResultFileError(fmt::format("{}: {} {}", path_, object, reason));
}

std::string Hdf5Reader::at(const std::string& object) const {
  return fmt::format("{}: cannot read {}", path_, object);
}

bool Hdf5Reader::has(const std::string& dataset) const {
  for (std::size_t slash = dataset.find('/'); slash != std::string::npos; slash = dataset.find('/', slash + 1))
    if (H5Lexists(file_.get(), dataset.substr(0, slash).c_str(), H5P_DEFAULT) <= 0)
      return false;
  return H5Lexists(file_.get(), dataset.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Handle Hdf5Reader::open(const std::string& dataset) const {
  if (!has(dataset))
    fail(dataset, "is missing");
  return {H5Dopen2(file_.get(), dataset.c_str(), H5P_DEFAULT), H5Dclose, at(dataset)};
}

std::vector<std::size_t> Hdf5Reader::shape(const std::string& dataset) const {
  const Hdf5Handle handle = open(dataset);
  const Hdf5Handle space(H5Dget_space(handle.get()), H5Sclose, at(dataset));
  const Hdf5Handle type(H5Dget_type(handle.get()), H5Tclose, at(dataset));
  const int dimensions = hdf5_checked(H5Sget_simple_extent_ndims(space.get()), at(dataset));
  std::vector<hsize_t> extent(static_cast<std::size_t>(dimensions));
  hdf5_checked(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), at(dataset));

  const double bytes = std::accumulate(extent.begin(), extent.end(), static_cast<double>(H5Tget_size(type.get())),
                                       [](double size, hsize_t length) { return size * static_cast<double>(length); });
  if (bytes > static_cast<double>(smallest_limit + largest_ratio * file_size_))
    fail(dataset, "claims more elements than the file can hold");
  return {extent.begin(), extent.end()};
}

void Hdf5Reader::read(const std::string& dataset, Element element, std::size_t element_size, void* values) const {
  const Hdf5Handle handle = open(dataset);
  const Hdf5Handle stored(H5Dget_type(handle.get()), H5Tclose, at(dataset));
  const bool is_text = H5Tget_class(stored.get()) == H5T_STRING;
  const bool is_number = H5Tget_class(stored.get()) == H5T_INTEGER || H5Tget_class(stored.get()) == H5T_FLOAT;
  if (element == Element::Text ? !is_text : !is_number)
    fail(dataset, element == Element::Text ? "is not text" : "does not hold numbers");
  const Hdf5Handle type(H5Tcopy(memory_type(element)), H5Tclose, at(dataset));
  if (element == Element::Text) {
    hdf5_checked(H5Tset_size(type.get(), element_size), at(dataset));
    hdf5_checked(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), at(dataset));
    hdf5_checked(H5Tset_cset(type.get(), H5Tget_cset(stored.get())), at(dataset));
  }
  hdf5_checked(H5Dread(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), at(dataset));
}

std::vector<std::string> Hdf5Reader::texts(const std::string& dataset) const {
  const std::vector<std::size_t> extent = shape(dataset);
  if (extent.size() > 1)
    fail(dataset, "is not a list of texts");
  const std::size_t count = extent.empty() ? 1 : extent[0];
  const Hdf5Handle handle = open(dataset);
  const Hdf5Handle type(H5Dget_type(handle.get()), H5Tclose, at(dataset));
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0)
    fail(dataset, "is not text of fixed length");
  TextBlock block{H5Tget_size(type.get()), {}};
  block.bytes.resize(count * block.length);
  read(dataset, Element::Text, block.length, block.bytes.data());
  return texts_of(block);
}

std::vector<std::string> Hdf5Reader::words(const std::string& object, const char* attribute) const {
  if (!has(object) || H5Aexists_by_name(file_.get(), object.c_str(), attribute, H5P_DEFAULT) <= 0)
    fail(object, fmt::format("lacks its attribute '{}'", attribute));
  const Hdf5Handle handle(H5Aopen_by_name(file_.get(), object.c_str(), attribute, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                          at(object));
  const Hdf5Handle space(H5Aget_space(handle.get()), H5Sclose, at(object));
  const Hdf5Handle type(H5Aget_type(handle.get()), H5Tclose, at(object));
  const hssize_t count = hdf5_checked(H5Sget_simple_extent_npoints(space.get()), at(object));
  TextBlock block{H5Tget_size(type.get()), {}};
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0 ||
      H5Aget_storage_size(handle.get()) != static_cast<hsize_t>(count) * block.length)
    fail(object, fmt::format("has an attribute '{}' that is not a list of texts", attribute));
  block.bytes.resize(static_cast<std::size_t>(count) * block.length);
  if (count > 0)
    hdf5_checked(H5Aread(handle.get(), type.get(), block.bytes.data()), at(object));
  return texts_of(block);
}

} // namespace moesim::record
