#include "simulator/sweep/sweep_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulator/base/input_error.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/sweep/manifest.hpp"

namespace moesim::sweep {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* manifest_name = "sweep.json";
constexpr const char* partial_ending = ".partial";
constexpr std::array<const char*, 3> folders{"points", "attempts", "timelines"};
constexpr std::array<std::pair<Status, std::string_view>, 3> names{
    {{Status::Done, "done"}, {Status::Invalid, "invalid"}, {Status::Failed, "failed"}}};

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw record::ResultFileError(fmt::format("{}: {}", path.string(), reason));
}

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void replace(const fs::path& file, const std::string& text) {
  record::replace_file(file, std::as_bytes(std::span(text)));
}

// That a file has been renamed is on the disk once its folder is.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;
  fsync(descriptor);
  close(descriptor);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail(folder, "cannot be made: " + error.message());
}

fs::path point_file(const fs::path& folder, std::size_t point) {
  return folder / "points" / fmt::format("{:06}.json", point);
}

Status status_of(const std::string& name) {
  const auto found = std::ranges::find(names, name, &std::pair<Status, std::string_view>::second);
  if (found == names.end())
    throw std::runtime_error(fmt::format("'{}' is no status", name));
  return found->first;
}

std::string text_of(const PointResult& result) {
  Json top{{"status", name_of(result.status)}};
  if (result.status == Status::Done)
    top["summary"] = Json::parse(result.summary);
  else
    top["reason"] = result.reason;
  if (!result.log.empty())
    top["log"] = result.log;
  top["timing"] = {{"wall_time_s", result.wall_time_s}, {"host", result.host}, {"job", result.job}};
  // What a process said may be cut within a letter.
  return top.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

PointResult result_of(const std::string& text) {
  const Json top = Json::parse(text);
  PointResult result;
  result.status = status_of(top.at("status"));
  if (result.status == Status::Done)
    result.summary = top.at("summary").dump();
  else
    result.reason = top.at("reason");
  result.log = top.value("log", "");
  const Json& timing = top.at("timing");
  result.wall_time_s = timing.at("wall_time_s");
  result.host = timing.at("host");
  result.job = timing.at("job");
  return result;
}

// The number at the start of "000017.json", "17\n"; none when there is none.
std::optional<std::size_t> number_of(std::string_view text, std::string_view rest) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || std::string_view(end, text.data() + text.size()) != rest)
    return {};
  return number;
}

} // namespace

std::string_view name_of(Status status) {
  return std::ranges::find(names, status, &std::pair<Status, std::string_view>::first)->second;
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

SweepFolder::SweepFolder(fs::path path, Plan plan, std::string identity)
    : path_(std::move(path)), plan_(std::move(plan)), identity_(std::move(identity)) {
  for (const char* folder : folders)
    make_folder(path_ / folder);
}

bool SweepFolder::exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / manifest_name, ignored);
}

SweepFolder SweepFolder::create(const fs::path& path, const Plan& plan) {
  make_folder(path);
  for (const auto& entry : fs::directory_iterator(path))
    if (!entry.path().filename().string().ends_with(partial_ending)) // of a sweep that had just begun
      throw InputError({path.string()}, "", "the folder is not empty; expected a new or an empty one");
  const std::string text = manifest_text(plan);
  replace(path / manifest_name, text);
  sync_folder(path);
  Manifest manifest = parse_manifest(text);
  return {path, std::move(manifest.plan), std::move(manifest.identity)};
}

SweepFolder SweepFolder::open(const fs::path& path) {
  if (!exists(path))
    throw InputError({path.string()}, "",
                     "there is no sweep in this folder; expected one that moesim sweep -o has made");
  try {
    Manifest manifest = parse_manifest(contents(path / manifest_name));
    return {path, std::move(manifest.plan), std::move(manifest.identity)};
  } catch (const std::runtime_error& error) {
    fail(path / manifest_name, fmt::format("is not the plan of a sweep: {}", error.what()));
  } catch (const Json::exception& error) {
    fail(path / manifest_name, fmt::format("is not the plan of a sweep: {}", error.what()));
  }
}

bool SweepFolder::holds(const Plan& plan) const {
  return identity_of(plan) == identity_;
}

void SweepFolder::write(std::size_t point, const PointResult& result) const {
  replace(point_file(path_, point), text_of(result));
}

std::optional<PointResult> SweepFolder::read(std::size_t point) const {
  const fs::path file = point_file(path_, point);
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    return {};
  try {
    return result_of(contents(file));
  } catch (const std::exception& error) {
    fail(file, fmt::format("is not the result of a point: {}; remove it to have the point done again", error.what()));
  }
}

std::vector<std::size_t> SweepFolder::finished() const {
  std::vector<std::size_t> points;
  for (const auto& entry : fs::directory_iterator(path_ / "points"))
    if (const auto point = number_of(entry.path().filename().string(), ".json"); point && *point < plan_.points.size())
      points.push_back(*point);
  std::ranges::sort(points);
  return points;
}

std::vector<std::size_t> SweepFolder::to_do(bool failed_too) const {
  const std::vector<std::size_t> known = finished();
  std::vector<std::size_t> points;
  for (std::size_t point = 0; point < plan_.points.size(); ++point)
    if (!std::ranges::binary_search(known, point) || (failed_too && read(point)->status == Status::Failed))
      points.push_back(point);
  return points;
}

std::vector<std::size_t> SweepFolder::attempts() const {
  std::vector<std::size_t> counts(plan_.points.size(), 0);
  for (const auto& entry : fs::directory_iterator(path_ / "attempts")) {
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line);)
      if (const auto point = number_of(line, ""); point && *point < counts.size())
        ++counts[*point];
  }
  return counts;
}

int SweepFolder::open_attempts() const {
  const fs::path file = path_ / "attempts" / fmt::format("{}-{}", host_name(), getpid());
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail(file, "cannot be written: " + std::generic_category().message(errno));
  return descriptor;
}

fs::path SweepFolder::timeline(std::size_t point) const {
  return path_ / "timelines" / fmt::format("{:06}.h5", point);
}

void SweepFolder::remove_partial_files() const {
  if (fs::exists(path_ / "slurm")) // nodes that nobody sees from here may be writing
    return;
  for (const fs::path& folder : {path_, path_ / "points", path_ / "timelines"})
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().ends_with(partial_ending))
        fs::remove(entry.path());
}

} // namespace moesim::sweep
