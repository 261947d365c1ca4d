#include "simulator/record/hdf5_image.hpp"

#include "simulator/base/check.hpp"
#include "simulator/record/chunk_packing.hpp"
#include "simulator/record/hdf5_handle.hpp"
#include "simulator/record/superblock.hpp"
#include "simulator/record/text_block.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <set>

namespace moesim::record {
namespace {

static_assert(std::endian::native == std::endian::little, "columns go to the file as they are in memory");

constexpr std::size_t chunk_bytes = 1 << 20;

std::size_t row_bytes(const Column& column) {
  return std::accumulate(column.shape.begin() + 1, column.shape.end(), column.element_size, std::multiplies<>());
}

std::size_t rows_per_chunk(const Column& column) {
  return std::clamp<std::size_t>(chunk_bytes / row_bytes(column), 1, column.shape[0]);
}

// Scalars and empty columns have nothing to cut into chunks.
bool is_chunked(const Column& column) {
  return !column.shape.empty() &&
         std::all_of(column.shape.begin(), column.shape.end(), [](std::size_t extent) { return extent > 0; });
}

std::vector<RawChunk> chunks_of(const Column& column) {
  if (!is_chunked(column))
    return {};
  std::vector<RawChunk> chunks;
  const std::size_t row = row_bytes(column);
  const std::size_t step = rows_per_chunk(column);
  for (std::size_t first = 0; first < column.shape[0]; first += step) {
    const std::size_t rows = std::min(step, column.shape[0] - first);
    chunks.push_back({{column.data() + first * row, rows * row}, step * row, column.element_size});
  }
  return chunks;
}

hid_t file_type(Element element) {
  switch (element) {
  case Element::Float64:
    return H5T_IEEE_F64LE;
  case Element::Int16:
    return H5T_STD_I16LE;
  case Element::Int32:
    return H5T_STD_I32LE;
  case Element::UInt8:
    return H5T_STD_U8LE;
  case Element::UInt16:
    return H5T_STD_U16LE;
  case Element::UInt32:
    return H5T_STD_U32LE;
  case Element::UInt64:
    return H5T_STD_U64LE;
  case Element::Text:
    break;
  }
  return H5T_C_S1;
}

class Image {
public:
  // `data_bytes` is what the chunks take. HDF5 takes memory for all of it at once, and for a little more when that is
  // full: in large steps it would mostly fill memory with zeros, and a small file is written in less time than that.
  Image(std::string target, std::size_t data_bytes) : target_(std::move(target)) {
    const Hdf5Handle access = handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    check(H5Pset_fapl_core(access.get(), data_bytes + (std::size_t{256} << 10U), false));
    // The format of 1.10 has checksums over its structures: damage is noticed when the file is read.
    check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110));
    const Hdf5Handle creation = handle(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation.get(), false));
    // HDF5 tries to open the name first, even of a file in memory; below a device there can be none.
    file_ = handle(H5Fcreate("/dev/null/result", H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
  }

  void add(const Column& column, std::span<const PackedChunk> chunks) {
    const Hdf5Handle type = type_of(column.element, column.element_size);
    const std::vector<hsize_t> extent(column.shape.begin(), column.shape.end());
    const Hdf5Handle space =
        extent.empty() ? handle(H5Screate(H5S_SCALAR), H5Sclose)
                       : handle(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
    const Hdf5Handle creation = creation_of(column);
    make_groups(column.path);
    const Hdf5Handle dataset = handle(
        H5Dcreate2(file_.get(), column.path.c_str(), type.get(), space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    if (extent.empty())
      check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, column.data()));
    std::vector<hsize_t> offset(extent.size(), 0);
    for (const PackedChunk& chunk : chunks) {
      check(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, chunk.skipped_filters, offset.data(), chunk.bytes.size(),
                           chunk.bytes.data()));
      offset[0] += rows_per_chunk(column);
    }
    attach_text(dataset, "unit", column.unit);
    if (column.words)
      attach_words(dataset, "words", *column.words);
  }

  void add(const GroupAttribute& attribute) {
    const Hdf5Handle group = handle(H5Gopen2(file_.get(), attribute.path.c_str(), H5P_DEFAULT), H5Gclose);
    attach_words(group, attribute.name.c_str(), attribute.words);
  }

  [[nodiscard]] std::vector<std::byte> bytes() {
    check(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL));
    const ssize_t size = check(H5Fget_file_image(file_.get(), nullptr, 0));
    std::vector<std::byte> image(static_cast<std::size_t>(size));
    check(H5Fget_file_image(file_.get(), image.data(), image.size()));
    correct_superblock_checksum(image);
    return image;
  }

private:
  template <class Result>
  Result check(Result result) const { // NOLINT(modernize-use-nodiscard): most calls give nothing but a status
    return hdf5_checked(result, target_ + ": cannot write");
  }
  [[nodiscard]] Hdf5Handle handle(hid_t id, Hdf5Handle::Close close) const {
    return {id, close, target_ + ": cannot write"};
  }

  [[nodiscard]] Hdf5Handle type_of(Element element, std::size_t size) const {
    Hdf5Handle type = handle(H5Tcopy(file_type(element)), H5Tclose);
    if (element != Element::Text)
      return type;
    check(H5Tset_size(type.get(), size));
    check(H5Tset_cset(type.get(), H5T_CSET_UTF8));
    check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD));
    return type;
  }

  [[nodiscard]] Hdf5Handle creation_of(const Column& column) const {
    Hdf5Handle creation = handle(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation.get(), false));
    if (!is_chunked(column))
      return creation;
    std::vector<hsize_t> chunk(column.shape.begin(), column.shape.end());
    chunk[0] = rows_per_chunk(column);
    check(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()));
    check(H5Pset_shuffle(creation.get()));
    check(H5Pset_deflate(creation.get(), deflate_level));
    return creation;
  }

  // HDF5 would make missing groups itself, but with the time of day in them.
  void make_groups(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string name = path.substr(0, slash);
      if (!groups_.insert(name).second)
        continue;
      const Hdf5Handle creation = handle(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
      check(H5Pset_obj_track_times(creation.get(), false));
      const Hdf5Handle group =
          handle(H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose);
    }
  }

  // Variable length, because h5py reads such an attribute as str; read() never looks at it (text_block.hpp).
  void attach_text(const Hdf5Handle& object, const char* name, const std::string& text) const {
    const Hdf5Handle type = type_of(Element::Text, H5T_VARIABLE);
    const char* characters = text.c_str();
    attach(object, name, type, handle(H5Screate(H5S_SCALAR), H5Sclose), &characters);
  }

  void attach_words(const Hdf5Handle& object, const char* name, const std::vector<std::string>& words) const {
    const TextBlock block = text_block(words);
    const hsize_t count = words.size();
    attach(object, name, type_of(Element::Text, block.length), handle(H5Screate_simple(1, &count, nullptr), H5Sclose),
           block.bytes.data());
  }

  void attach(const Hdf5Handle& object, const char* name, const Hdf5Handle& type, const Hdf5Handle& space,
              const void* texts) const {
    const Hdf5Handle attribute =
        handle(H5Acreate2(object.get(), name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (texts != nullptr)
      check(H5Awrite(attribute.get(), type.get(), texts));
  }

  std::string target_;
  Hdf5Handle file_;
  std::set<std::string> groups_;
};

} // namespace

std::vector<std::byte> hdf5_image(std::span<const Column> columns, std::span<const GroupAttribute> attributes,
                                  const std::string& target) {
  silence_hdf5();
  std::vector<RawChunk> raw;
  for (const Column& column : columns) {
    const std::vector<RawChunk> chunks = chunks_of(column);
    raw.insert(raw.end(), chunks.begin(), chunks.end());
  }
  const std::vector<PackedChunk> packed = pack(raw);

  Image image(target, std::transform_reduce(packed.begin(), packed.end(), std::size_t{0}, std::plus<>(),
                                            [](const PackedChunk& chunk) { return chunk.bytes.size(); }));
  std::span<const PackedChunk> rest = packed;
  for (const Column& column : columns) {
    const std::size_t count = chunks_of(column).size();
    image.add(column, rest.first(count));
    rest = rest.subspan(count);
  }
  for (const GroupAttribute& attribute : attributes)
    image.add(attribute);
  return image.bytes();
}

} // namespace moesim::record
