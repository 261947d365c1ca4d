// How long it takes to make the order of each pipeline schedule: 16 stages, 512 micro-batches, and 4 chunks where the
// schedule takes any number.
//
//   schedule_benchmark [Google Benchmark's options]
#include <string>

#include <benchmark/benchmark.h>

#include "schedulers/pipeline_schedule.hpp"

namespace {

using namespace moesim::schedulers;

void make_order(benchmark::State& state, const PipelineSchedule& schedule) {
  const ScheduleShape shape{.stages = 16, .micro_batches = 512, .chunks = schedule.chunks == 0 ? 4 : schedule.chunks};
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(schedule.order(shape));
}

} // namespace

int main(int argc, char** argv) {
  for (const PipelineSchedule& schedule : schedules())
    benchmark::RegisterBenchmark(("Schedule/" + std::string(schedule.name)).c_str(), make_order, schedule)
        ->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
