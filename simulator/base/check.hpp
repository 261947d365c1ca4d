// MOESIM_CHECK(condition, message): an invariant of our own. On in every build; throws InternalError, which main turns
// into exit status 3, because continuing would produce numbers that nobody should trust. For users' mistakes see
// input_error.hpp.
#pragma once

#include <stdexcept>
#include <string_view>

namespace moesim {

// A bug in moesim; main reports it and exits with status 3.
class InternalError : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

// Throws InternalError that names the condition and its place.
[[noreturn]] void check_failed(const char* condition, const char* file, int line, std::string_view message);

} // namespace moesim

#define MOESIM_CHECK(condition, message)                                                                               \
  do {                                                                                                                 \
    if (!(condition)) [[unlikely]]                                                                                     \
      ::moesim::check_failed(#condition, __FILE__, __LINE__, message);                                                 \
  } while (false)
