// Every file of the catalogue reads without complaint, and every figure in it says where it comes from.
#include <cctype>
#include <fstream>

#include <gtest/gtest.h>

#include "platforms/cluster.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/catalogue.hpp"

namespace moesim::platforms {
namespace {

config::Node named(const std::string& name) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = name;
  return node;
}

TEST(Catalogue, EveryGpuReads) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Gpu);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    Problems problems;
    const Gpu gpu = read_gpu(named(name), "gpu", problems);
    EXPECT_NO_THROW(problems.throw_if_any()) << name;
    EXPECT_EQ(gpu.name, name);
  }
}

TEST(Catalogue, EveryClusterReads) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Cluster);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    Problems problems;
    const Cluster cluster = read_cluster(named(name), "platform", problems);
    EXPECT_NO_THROW(problems.throw_if_any()) << name;
    EXPECT_EQ(cluster.name, name);
  }
}

// "key: 12GB # where from": a line with a figure has a comment. (nodes, gpus and version describe the file itself.)
TEST(Catalogue, EveryFigureNamesItsSource) {
  for (const char* folder : {"platforms/gpus", "platforms/clusters"}) {
    for (const auto& file : std::filesystem::directory_iterator(config::catalogue_root() / folder)) {
      std::ifstream stream(file.path());
      for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(": ");
        const std::size_t comment = line.find('#');
        if (colon == std::string::npos || (comment != std::string::npos && comment < colon))
          continue;
        const std::string key = line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
        const bool is_figure = std::isdigit(static_cast<unsigned char>(line[colon + 2])) != 0;
        if (is_figure && key != "version" && key != "nodes" && key != "gpus") {
          EXPECT_NE(comment, std::string::npos) << file.path().filename() << ": " << line;
        }
      }
    }
  }
}

} // namespace
} // namespace moesim::platforms
