// What `moesim collective` is asked for, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/run/lone_collective.hpp"

namespace moesim::cli {

struct CollectiveOptions {
  std::string kind;
  std::string platform;
  std::vector<std::string> assignments; // --set platform.x=y
  std::int64_t nodes = 0;               // 0: as many as the platform has
  std::int64_t group = 0;
  std::string sizes = "1MiB:1GiB"; // one, or the first and the last, doubled in between
  std::string fidelity = "fluid";
  std::string algorithm = "auto";
  bool json = false;
};

struct CollectiveRequest {
  platforms::Cluster cluster;
  run::LoneCollective collective;
};

// Throws InputError with all problems; an option is the file of its problems, as --set is elsewhere.
[[nodiscard]] CollectiveRequest collective_request(const CollectiveOptions& options);

} // namespace moesim::cli
