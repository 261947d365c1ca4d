#include "simulator/config/catalogue.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "tests/config/error_text.hpp"

namespace moesim::config {
namespace {

using testing::ElementsAre;

// A catalogue of two clusters and a model.
class Catalogue : public testing::Test {
protected:
  void SetUp() override {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    root_ = std::filesystem::path(testing::TempDir()) / ("moesim_catalogue_" + test);
    write("platforms/clusters/dgx-h100.yaml");
    write("platforms/clusters/gb200-nvl72.yaml");
    write("platforms/clusters/notes.txt");
    write("workloads/models/mixtral-8x7b.json");
    setenv("MOESIM_CATALOGUE", root_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("MOESIM_CATALOGUE");
    std::filesystem::remove_all(root_);
  }

  void write(const std::string& name) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "version: 1\n";
  }

  std::filesystem::path found(CatalogueKind kind, const std::string& reference) const {
    return resolve(kind, reference, root_ / "scenario.yaml", {"scenario.yaml", 3, 9}, "platform.base");
  }

  std::filesystem::path root_;
};

TEST_F(Catalogue, NamesAreSortedAndHaveNoEnding) {
  EXPECT_THAT(catalogue_names(CatalogueKind::Cluster), ElementsAre("dgx-h100", "gb200-nvl72"));
  EXPECT_THAT(catalogue_names(CatalogueKind::Model), ElementsAre("mixtral-8x7b"));
  EXPECT_THAT(catalogue_names(CatalogueKind::Gpu), ElementsAre());
}

TEST_F(Catalogue, ANameMeansTheFileOfItsKind) {
  EXPECT_EQ(found(CatalogueKind::Cluster, "dgx-h100"), root_ / "platforms/clusters/dgx-h100.yaml");
  EXPECT_EQ(found(CatalogueKind::Model, "mixtral-8x7b"), root_ / "workloads/models/mixtral-8x7b.json");
}

TEST_F(Catalogue, APathIsRelativeToTheReferringFile) {
  EXPECT_EQ(found(CatalogueKind::Cluster, "platforms/clusters/../clusters/dgx-h100.yaml"),
            root_ / "platforms/clusters/dgx-h100.yaml");
  write("mine.yaml");
  EXPECT_EQ(found(CatalogueKind::Cluster, "mine.yaml"), root_ / "mine.yaml");
  EXPECT_EQ(found(CatalogueKind::Cluster, (root_ / "mine.yaml").string()), root_ / "mine.yaml");
}

TEST_F(Catalogue, UnknownNamesComeWithTheNearestOrTheList) {
  EXPECT_EQ(error_text([&] { (void)found(CatalogueKind::Cluster, "dgx-h10"); }),
            "scenario.yaml:3:9: platform.base: unknown cluster 'dgx-h10'; did you mean 'dgx-h100'?\n");
  EXPECT_EQ(error_text([&] { (void)found(CatalogueKind::Cluster, "tpu"); }),
            "scenario.yaml:3:9: platform.base: unknown cluster 'tpu'; expected the path of a file or one of dgx-h100, "
            "gb200-nvl72\n");
  EXPECT_EQ(error_text([&] { (void)found(CatalogueKind::Gpu, "h100"); }),
            "scenario.yaml:3:9: platform.base: unknown GPU 'h100'; the catalogue is empty, so expected the path of a "
            "file\n");
}

TEST_F(Catalogue, MissingFilesAreReportedWhereTheyAreNamed) {
  EXPECT_THAT(error_text([&] { (void)found(CatalogueKind::Model, "missing.json"); }),
              testing::StartsWith("scenario.yaml:3:9: platform.base: there is no file "));
}

TEST(CatalogueRoot, IsTheSourceTreeUnlessChosenOrInstalled) {
  unsetenv("MOESIM_CATALOGUE");
  EXPECT_TRUE(std::filesystem::is_directory(catalogue_root() / "platforms"));
}

} // namespace
} // namespace moesim::config
