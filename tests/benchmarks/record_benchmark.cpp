// How fast a record becomes a result file, and a record again: rows of the task table per second, with everything else
// that a record has.
#include <filesystem>
#include <string>

#include <unistd.h>

#include <benchmark/benchmark.h>

#include "simulator/record/result_file.hpp"
#include "tests/record/sample_record.hpp"

namespace {

using namespace moesim;

// 5.0 million task rows and 1.0 million rows of memory. A simulated record packs about as fast.
const record::RunRecord& large_record() {
  static const record::RunRecord run = testing::sample_record(
      {.stages = 8, .micro_batches = 64, .layers_per_stage = 40, .ranks_per_stage = 24, .folded = false});
  return run;
}

std::filesystem::path result_file() {
  return std::filesystem::temp_directory_path() / ("record_benchmark." + std::to_string(getpid()) + ".h5");
}

void count_rows(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(large_record().tasks.size()) * state.iterations());
  std::filesystem::remove(result_file());
}

void write_record(benchmark::State& state) {
  const record::RunRecord& run = large_record();
  for ([[maybe_unused]] auto _ : state)
    record::write(run, result_file());
  count_rows(state);
}

void read_record(benchmark::State& state) {
  record::write(large_record(), result_file());
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(record::read(result_file()));
  count_rows(state);
}

BENCHMARK(write_record)->Name("Record/write")->UseRealTime()->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(read_record)->Name("Record/read")->UseRealTime()->Iterations(1)->Unit(benchmark::kSecond);

} // namespace

BENCHMARK_MAIN();
