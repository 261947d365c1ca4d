# moesim_test(<folder> SOURCES ... [DEPENDS <moesim folders>...] [PACKAGES <third-party targets>...])
#
# One GoogleTest binary per folder; every test runs in a process of its own, since SimGrid allows one simulation per
# process. Labels say what a test is: unit by default.
include(GoogleTest)

function(moesim_test folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PACKAGES" ${ARGN})
  set(target ${folder}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE moesim_warnings GTest::gmock GTest::gtest_main ${ARG_PACKAGES})
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(${target} PRIVATE moesim::${dependency})
  endforeach()
  target_compile_definitions(${target} PRIVATE MOESIM_TEST_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${target} PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
endfunction()
