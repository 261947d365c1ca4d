#include "simulator/record/routing_file.hpp"

#include <cstdint>

#include "simulator/record/hdf5_reader.hpp"
#include "simulator/record/layout_reader.hpp"
#include "simulator/record/layout_writer.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::record {
namespace {

// The same members for the writer and the reader.
template <class Archive, class Trace>
void lay_out_places(Archive& file, Trace& trace) {
  file.column("routing/iteration", "1", trace.iterations);
  file.column("routing/layer", "1", trace.layers);
  file.column("routing/micro_batch", "1", trace.micro_batches);
}

} // namespace

void write(const workloads::RoutingTrace& trace, const std::filesystem::path& path) {
  LayoutWriter file;
  lay_out_places(file, trace);
  file.matrix("routing/tokens", "1", trace.rows(), static_cast<std::size_t>(trace.experts), trace.tokens);
  replace_file(path, file.image(path.string()));
}

workloads::RoutingTrace read_routing_trace(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  for (const char* dataset : {"routing/iteration", "routing/layer", "routing/micro_batch", "routing/tokens"})
    if (!file.has(dataset))
      throw ResultFileError(path.string() + ": is not a routing trace: it has no dataset " + dataset);
  LayoutReader reader(file);
  workloads::RoutingTrace trace;
  lay_out_places(reader, trace);
  if (trace.iterations.size() != trace.rows() || trace.micro_batches.size() != trace.rows())
    throw ResultFileError(path.string() + ": columns of /routing differ in length");
  std::size_t experts = 0;
  reader.matrix("routing/tokens", "1", trace.rows(), experts, trace.tokens);
  trace.experts = static_cast<std::int64_t>(experts);
  return workloads::in_order(trace);
}

} // namespace moesim::record
