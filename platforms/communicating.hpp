// The dimensions that communicate, as the `communication` section of a GPU names them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "platforms/gpu.hpp"

namespace moesim::platforms {

inline constexpr std::array<std::pair<std::string_view, std::int64_t CommunicationKernels::*>, 5> communicating{{
    {"tp", &CommunicationKernels::tp},
    {"cp", &CommunicationKernels::cp},
    {"ep", &CommunicationKernels::ep},
    {"dp", &CommunicationKernels::dp},
    {"pp", &CommunicationKernels::pp},
}};

} // namespace moesim::platforms
