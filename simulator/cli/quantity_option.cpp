#include "simulator/cli/quantity_option.hpp"

#include <CLI/CLI.hpp>

#include "simulator/config/quantity.hpp"

namespace moesim::cli {
namespace {

double quantity(const char* option, const std::string& text, const config::Dimension& dimension) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = text;
  const config::Reading<double> reading = config::read_quantity(node, dimension);
  if (!reading.value)
    throw CLI::ValidationError(option, reading.problem);
  return *reading.value;
}

} // namespace

Seconds time_option(const char* option, const std::string& text) {
  return Seconds(quantity(option, text, config::time_dimension));
}

Bytes size_option(const char* option, const std::string& text) {
  return Bytes(quantity(option, text, config::size_dimension));
}

} // namespace moesim::cli
