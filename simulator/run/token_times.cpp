#include "simulator/run/token_times.hpp"

#include <algorithm>

#include "simulator/run/series.hpp"

namespace moesim::run {

TokenTimes token_times(const record::TaskTable& table, const workloads::InferenceJob& job,
                       const workloads::Layout& layout) {
  const auto micro_batches = static_cast<std::size_t>(job.inference.micro_batches(job.sizes));
  const auto steps = static_cast<std::size_t>(job.inference.output_length);
  const auto sample =
      static_cast<std::size_t>(std::find(table.names.begin(), table.names.end(), "sample") - table.names.begin());
  TokenTimes times(static_cast<std::size_t>(job.sizes.dp) * micro_batches, std::vector<double>(steps, 0));
  std::size_t row = 0;
  for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank) {
    const workloads::Coordinates at = layout.coordinates(RankId(rank));
    std::vector<std::size_t> sampled(micro_batches, 0);
    for (; row < table.size() && table.rank[row] == rank; ++row) {
      if (table.name[row] != sample)
        continue;
      const auto micro_batch = static_cast<std::size_t>(table.micro_batch[row]);
      double& time = times[static_cast<std::size_t>(at.dp) * micro_batches + micro_batch][sampled[micro_batch]++];
      time = std::max(time, table.end[row]);
    }
  }
  return times;
}

Seconds time_to_first_token(const TokenTimes& tokens) {
  double sum = 0;
  for (const std::vector<double>& times : tokens)
    sum += times.front();
  return Seconds(sum / static_cast<double>(tokens.size()));
}

Seconds time_per_output_token(const TokenTimes& tokens) {
  const std::size_t steps = tokens.front().size() - 1;
  if (steps == 0)
    return {};
  double sum = 0;
  for (const std::vector<double>& times : tokens)
    sum += times.back() - times.front();
  return Seconds(sum / static_cast<double>(tokens.size() * steps));
}

record::Throughput throughput(const TokenTimes& tokens, const workloads::InferenceJob& job, Seconds makespan) {
  RateCounter rate(makespan);
  for (const std::vector<double>& times : tokens)
    for (const double time : times)
      rate.count(time, static_cast<double>(job.inference.micro_batch_size));
  return rate.result();
}

} // namespace moesim::run
