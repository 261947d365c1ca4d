#include "workloads/two_batch.hpp"

#include <algorithm>
#include <array>

namespace moesim::workloads {

void play_two_batches(StageWriter& writer, const std::vector<graph::Step>& of_half) {
  const auto is_beside = [](const graph::Step& step) { return runs_beside_other_half(step.task.kind, step.over); };
  std::array<std::vector<StageWriter::Index>, 2> underway; // of each half
  auto turn = of_half.begin();
  while (turn != of_half.end()) {
    const auto sends = std::find_if(turn, of_half.end(), is_beside);
    const auto next = std::find_if_not(sends, of_half.end(), is_beside);
    for (std::vector<StageWriter::Index>& of_this : underway) {
      writer.wait_for(of_this);
      of_this.clear();
      for (auto step = turn; step != sends; ++step)
        writer.follow(*step);
      for (auto step = sends; step != next; ++step)
        of_this.push_back(writer.beside(*step));
    }
    turn = next;
  }
  for (const std::vector<StageWriter::Index>& of_this : underway)
    writer.wait_for(of_this);
}

} // namespace moesim::workloads
