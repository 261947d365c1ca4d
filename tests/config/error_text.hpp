// What a user would read, so that tests compare whole messages.
#pragma once

#include <string>

#include "simulator/base/input_error.hpp"

namespace moesim::config {

// The lines of the InputError that `action` throws, or "" when it throws none.
template <class Action>
std::string error_text(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

} // namespace moesim::config
