#include "simulator/run/token_times.hpp"

#include <algorithm>

#include "simulator/run/series.hpp"

namespace moesim::run {

TokenTimes token_times(const record::TaskTable& table, const workloads::InferenceJob& job,
                       const workloads::Layout& layout, const graph::Folding& folding) {
  const auto micro_batches = static_cast<std::size_t>(job.inference.micro_batches(job.sizes));
  const auto steps = static_cast<std::size_t>(job.inference.output_length);
  const auto sample =
      static_cast<std::size_t>(std::find(table.names.begin(), table.names.end(), "sample") - table.names.begin());
  // [class of ranks][micro-batch]: the tokens that a rank of the class sampled.
  std::vector<std::vector<std::vector<double>>> sampled(folding.size.size());
  std::size_t row = 0;
  for (std::size_t rank = 0; rank < sampled.size(); ++rank) {
    sampled[rank].resize(micro_batches);
    for (; row < table.size() && table.rank[row] == folding.representative[rank].value(); ++row)
      if (table.name[row] == sample)
        sampled[rank][static_cast<std::size_t>(table.micro_batch[row])].push_back(table.end[row]);
  }
  TokenTimes times(static_cast<std::size_t>(job.sizes.dp) * micro_batches, std::vector<double>(steps, 0));
  for (std::uint32_t position = 0; position < layout.position_count(); ++position) {
    const RankId rank = layout.rank_of(job.sizes.pp - 1, position);
    const auto replica = static_cast<std::size_t>(layout.coordinates(rank).dp);
    for (std::size_t micro_batch = 0; micro_batch < micro_batches; ++micro_batch) {
      const std::vector<double>& of_rank = sampled[folding.class_of[rank.value()]][micro_batch];
      std::vector<double>& of_replica = times[replica * micro_batches + micro_batch];
      for (std::size_t token = 0; token < of_rank.size(); ++token)
        of_replica[token] = std::max(of_replica[token], of_rank[token]);
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
