// Owns one HDF5 identifier, and turns HDF5's return codes into exceptions. HDF5's own printing of errors is off.
#pragma once

#include <string>
#include <utility>

#include <hdf5.h>

#include "simulator/record/result_file.hpp"

namespace moesim::record {

// Stops HDF5 from printing its error stack on stderr; call before any other HDF5 function.
void silence_hdf5();

// What HDF5 says went wrong, innermost cause, one line.
[[nodiscard]] std::string hdf5_reason();

// Throws ResultFileError with HDF5's reason when `result` is negative, otherwise returns it.
template <class Result>
Result hdf5_checked(Result result, const std::string& what) {
  if (result < 0)
    throw ResultFileError(what + ": " + hdf5_reason());
  return result;
}

class Hdf5Handle {
public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  // Throws ResultFileError when `id` is invalid; `what` says what was being done.
  Hdf5Handle(hid_t id, Close close, const std::string& what) : id_(hdf5_checked(id, what)), close_(close) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0)
      close_(id_);
  }

  [[nodiscard]] hid_t get() const { return id_; }

private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

} // namespace moesim::record
