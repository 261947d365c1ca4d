// write_sample OUT.h5 [STAGES MICRO_BATCHES LAYERS RANKS]: writes a made-up result file and says how long it took.
// The tests read it with h5py; with "8 64 40 8" it has 1.7 million rows and is the benchmark of the writer.
#include "simulator/record/result_file.hpp"
#include "tests/record/sample_record.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int count, char** arguments) try {
  if (count != 2 && count != 6)
    return 2;
  moesim::testing::SampleShape shape;
  if (count == 6) {
    const auto number = [&](int i) { return static_cast<std::uint32_t>(std::strtoul(arguments[i], nullptr, 10)); };
    shape = {number(2), number(3), number(4), number(5), false};
  }
  const moesim::record::RunRecord run = moesim::testing::sample_record(shape);
  const auto start = std::chrono::steady_clock::now();
  moesim::record::write(run, arguments[1]);
  const auto written = std::chrono::steady_clock::now();
  const bool same = moesim::record::read(arguments[1]).tasks.end == run.tasks.end;
  const auto read = std::chrono::steady_clock::now();
  const auto ms = [](auto time) { return std::chrono::duration<double, std::milli>(time).count(); };
  std::printf("%zu rows: write %.0f ms, read %.0f ms\n", run.tasks.size(), ms(written - start), ms(read - written));
  return same ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
