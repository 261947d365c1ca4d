#include "simulator/record/result_file.hpp"

#include "simulator/base/check.hpp"
#include "simulator/record/hdf5_reader.hpp"
#include "simulator/record/layout_reader.hpp"
#include "simulator/record/layout_writer.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/record_check.hpp"
#include "simulator/record/result_layout.hpp"

#include <fmt/format.h>

namespace moesim::record {
namespace {

// What a reader outside moesim would have to work out: the number of each row of /ranks, for joining it with other
// tables, which class of ranks it is in, and where its rows are in /tasks, so that folded ranks expand without
// searching.
struct RowIndex {
  std::vector<std::uint32_t> rank;
  std::vector<std::uint32_t> rank_class; // numbered by the representatives
  std::vector<std::uint64_t> first_task;
  std::vector<std::uint64_t> task_count;
};

RowIndex row_index(const RunRecord& run) {
  const std::vector<std::uint32_t>& representative = run.ranks.representative;
  std::vector<std::uint32_t> class_of(representative.size(), 0); // of representatives
  std::uint32_t classes = 0;
  for (std::uint32_t rank = 0; rank < representative.size(); ++rank)
    if (representative[rank] == rank)
      class_of[rank] = classes++;
  RowIndex index;
  for (std::uint32_t rank = 0; rank < representative.size(); ++rank) {
    const RowRange rows = rows_of(run, rank);
    index.rank.push_back(rank);
    index.rank_class.push_back(class_of[representative[rank]]);
    index.first_task.push_back(rows.first);
    index.task_count.push_back(rows.last - rows.first);
  }
  return index;
}

void check_format(const Hdf5Reader& file, const std::filesystem::path& path) {
  if (!file.has("run/format") || file.texts("run/format") != std::vector<std::string>{format_name})
    throw ResultFileError(path.string() + ": is not a result file of moesim");
  std::uint64_t version = 0;
  LayoutReader(file).scalar("run/format_version", "1", version);
  if (version != format_version)
    throw ResultFileError(fmt::format("{}: has version {} of the format; this moesim reads version {}", path.string(),
                                      version, format_version));
}

} // namespace

void write(const RunRecord& run, const std::filesystem::path& path) {
  const std::string defect = first_defect(run);
  MOESIM_CHECK(defect.empty(), defect);
  const RowIndex index = row_index(run);
  LayoutWriter file;
  file.text("run/format", format_name);
  file.scalar("run/format_version", "1", format_version);
  lay_out(file, run);
  file.column("ranks/rank", "1", index.rank);
  file.column("ranks/class", "1", index.rank_class);
  file.column("ranks/first_task", "1", index.first_task);
  file.column("ranks/task_count", "1", index.task_count);
  replace_file(path, file.image(path.string()));
}

RunRecord read(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  check_format(file, path);
  RunRecord run;
  LayoutReader reader(file);
  lay_out(reader, run);
  if (const std::string defect = first_defect(run); !defect.empty())
    throw ResultFileError(path.string() + ": is damaged: " + defect);
  return run;
}

} // namespace moesim::record
