// Finds the files that ship with moesim: GPUs and clusters (platforms/), models, frameworks and
// scenarios (workloads/).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/base/input_error.hpp"

namespace moesim::config {

enum class CatalogueKind { Gpu, Cluster, Model, Framework, Scenario };

// The folder that holds platforms/ and workloads/: $MOESIM_CATALOGUE, else ../share/moesim beside the running binary's
// folder, else the source tree this was built from.
[[nodiscard]] std::filesystem::path catalogue_root();

// The names of one kind (file names without ending), sorted.
[[nodiscard]] std::vector<std::string> catalogue_names(CatalogueKind kind);

// The file that `reference` means: a path when it contains '/' or ends in .yaml, .yml or .json (relative to the folder
// of `referring_file`), a catalogue name otherwise. Throws InputError at `position` for `field`: an unknown name comes
// with the nearest name, or the list of names.
[[nodiscard]] std::filesystem::path resolve(CatalogueKind kind, const std::string& reference,
                                            const std::filesystem::path& referring_file, const Position& position,
                                            const std::string& field);

} // namespace moesim::config
