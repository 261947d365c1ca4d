// Reading platforms from a line of YAML.
#pragma once

#include <string>

#include "platforms/cluster.hpp"

namespace moesim::platforms {

// Of `platform: {...}`, or a name of the catalogue. Throws InputError.
inline Cluster read(const std::string& yaml) {
  const config::Node root = config::parse_yaml(yaml, "test.yaml");
  Problems problems;
  Cluster cluster = read_cluster(*root.find("platform"), "platform", problems);
  problems.throw_if_any();
  return cluster;
}

// What is wrong with it; "" when nothing is.
inline std::string error_of(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// `nodes` nodes of H100 GPUs with a node section and a fabric section of one's own.
inline std::string platform(int nodes, const std::string& node, const std::string& fabric) {
  return "platform: {gpu: h100-sxm-80gb, nodes: " + std::to_string(nodes) + ", node: {" + node + "}, fabric: {" +
         fabric + "}}";
}

} // namespace moesim::platforms
