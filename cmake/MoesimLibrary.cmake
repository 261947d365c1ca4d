# moesim_library(<name> SOURCES ... [DEPENDS <moesim folders>...] [PACKAGES <third-party targets>...])
#
# Declares the one target of a folder, moesim::<name>. DEPENDS is the architecture: scripts/check_layers.py reads
# these lines and fails when a file includes a folder, or a foreign header, that is not declared here.
function(moesim_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PACKAGES" ${ARGN})
  add_library(moesim_${name} STATIC ${ARG_SOURCES})
  add_library(moesim::${name} ALIAS moesim_${name})
  target_include_directories(moesim_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(moesim_${name} PUBLIC moesim::${dependency})
  endforeach()
  target_link_libraries(moesim_${name} PRIVATE moesim_warnings ${ARG_PACKAGES})
endfunction()
