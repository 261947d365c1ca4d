# Language level, warnings and sanitizers, in one interface target that every moesim target links privately.
option(MOESIM_BUILD_TESTS "Build the tests and benchmarks" ON)
option(MOESIM_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" ON)
set(MOESIM_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# All libraries are where the loader looks by itself. CMake's own path would end in an empty entry: the current folder.
set(CMAKE_SKIP_RPATH ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(moesim_warnings INTERFACE)
target_compile_options(moesim_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 reports std::string itself when it optimises: bugs 105651 and 105562 of gcc.gnu.org.
  target_compile_options(moesim_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(MOESIM_WARNINGS_AS_ERRORS)
  target_compile_options(moesim_warnings INTERFACE -Werror)
endif()

if(MOESIM_SANITIZE)
  add_compile_options(-fsanitize=${MOESIM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MOESIM_SANITIZE})
endif()
