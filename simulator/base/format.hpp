// Quantities as people read them: "12.3 ms", "4.5 GiB", "989 TFLOP/s", "450 GB/s".
#pragma once

#include <cstdint>
#include <string>

#include "simulator/base/units.hpp"

namespace moesim {

[[nodiscard]] std::string format_seconds(Seconds time);           // s, ms, us, ns: "38.41 ms"
[[nodiscard]] std::string format_bytes(Bytes amount);             // powers of 1024: "1.50 GiB"
[[nodiscard]] std::string format_flops(Flops amount);             // powers of 1000: "3.21 PFLOP"
[[nodiscard]] std::string format_bandwidth(BytesPerSecond rate);  // powers of 1000: "450 GB/s"
[[nodiscard]] std::string format_flops_rate(FlopsPerSecond rate); // powers of 1000: "989 TFLOP/s"
[[nodiscard]] std::string format_count(std::int64_t count);       // groups of three: "1,234,567"

} // namespace moesim
