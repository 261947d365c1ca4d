#include "simulator/config/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::config {
namespace {

constexpr std::array<std::string_view, 3> endings{".yaml", ".yml", ".json"};

struct Shelf {
  std::string_view folder; // below catalogue_root()
  std::string_view noun;
};

Shelf shelf(CatalogueKind kind) {
  switch (kind) {
  case CatalogueKind::Gpu:
    return {"platforms/gpus", "GPU"};
  case CatalogueKind::Cluster:
    return {"platforms/clusters", "cluster"};
  case CatalogueKind::Model:
    return {"workloads/models", "model"};
  case CatalogueKind::Framework:
    return {"workloads/frameworks", "framework"};
  case CatalogueKind::Scenario:
    break;
  }
  return {"workloads/scenarios", "scenario"};
}

bool has_known_ending(const std::filesystem::path& path) {
  return std::find(endings.begin(), endings.end(), path.extension().string()) != endings.end();
}

bool is_path(const std::string& reference) {
  return reference.find('/') != std::string::npos || has_known_ending(reference);
}

std::filesystem::path existing_path(const std::string& reference, const std::filesystem::path& referring_file,
                                    const Position& position, const std::string& field) {
  const std::filesystem::path path = (referring_file.parent_path() / reference).lexically_normal();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw InputError(position, field,
                     fmt::format("there is no file {}; expected a path relative to the folder of {}",
                                 shown(path.string()), shown(referring_file.string())));
  return path;
}

std::string unknown_name(const std::string& reference, std::string_view noun, const std::vector<std::string>& names) {
  const std::string wrong = fmt::format("unknown {} '{}'", noun, shown(reference));
  if (names.empty())
    return fmt::format("{}; the catalogue is empty, so expected the path of a file", wrong);
  if (const auto near = nearest(reference, names))
    return fmt::format("{}; did you mean '{}'?", wrong, *near);
  return fmt::format("{}; expected the path of a file or one of {}", wrong, fmt::join(names, ", "));
}

} // namespace

std::filesystem::path catalogue_root() {
  if (const char* chosen = std::getenv("MOESIM_CATALOGUE"); chosen != nullptr && *chosen != '\0')
    return chosen;
  std::error_code ignored;
  const std::filesystem::path binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path installed = binary.parent_path().parent_path() / "share" / "moesim";
  if (std::filesystem::is_directory(installed, ignored))
    return installed;
  return MOESIM_SOURCE_DIR;
}

std::vector<std::string> catalogue_names(CatalogueKind kind) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(catalogue_root() / shelf(kind).folder, ignored))
    if (has_known_ending(file.path()))
      names.insert(file.path().stem().string());
  return {names.begin(), names.end()};
}

std::filesystem::path resolve(CatalogueKind kind, const std::string& reference,
                              const std::filesystem::path& referring_file, const Position& position,
                              const std::string& field) {
  if (is_path(reference))
    return existing_path(reference, referring_file, position, field);
  const std::vector<std::string> names = catalogue_names(kind);
  if (!std::binary_search(names.begin(), names.end(), reference))
    throw InputError(position, field, unknown_name(reference, shelf(kind).noun, names));
  const std::filesystem::path stem = catalogue_root() / shelf(kind).folder / reference;
  for (const std::string_view ending : endings) {
    const std::filesystem::path file = stem.string() + std::string(ending);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored))
      return file;
  }
  throw InputError(position, field, fmt::format("the catalogue file of '{}' has just vanished; try again", reference));
}

} // namespace moesim::config
