#include "simulator/record/hdf5_handle.hpp"

namespace moesim::record {
namespace {

// HDF5 walks from the outermost call inwards; the last description is the cause.
herr_t keep_description(unsigned, const H5E_error2_t* entry, void* text) {
  if (entry->desc != nullptr && *entry->desc != '\0')
    *static_cast<std::string*>(text) = entry->desc;
  return 0;
}

} // namespace

void silence_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string hdf5_reason() {
  std::string text = "HDF5 gives no reason";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_description, &text);
  return text;
}

} // namespace moesim::record
