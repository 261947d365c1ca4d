# Every dependency is a Debian package (scripts/packages.txt), and every one is a target here, under the same name on
# Debian 12 and 13. Header files of a package may appear in the folders that declare its target: see MoesimLibrary.cmake.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG) # headers only; CONFIG because CMake 3.30 retires its own FindBoost

find_package(yaml-cpp REQUIRED)
if(NOT TARGET yaml-cpp::yaml-cpp) # yaml-cpp 0.7 has no namespace
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# Debian describes these two to pkg-config only (CMake's FindHDF5 would want a C compiler, and name its target by version).
pkg_check_modules(SimGrid REQUIRED IMPORTED_TARGET simgrid>=3.32)
pkg_search_module(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial hdf5)
add_library(hdf5::hdf5 ALIAS PkgConfig::HDF5)
