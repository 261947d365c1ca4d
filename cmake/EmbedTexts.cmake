# moesim_embed_texts(<output.cpp> HEADER <header> NAMESPACE <namespace> TEXTS <variable>=<file>[,<file>...]...)
#
# Adds the rule that makes a C++ file from text files: one std::string_view for each variable, holding its files one
# after the other. This file is also the script that the rule runs.
function(moesim_embed_texts output)
  cmake_parse_arguments(ARG "" "HEADER;NAMESPACE" "TEXTS" ${ARGN})
  string(REGEX REPLACE "[^;=]*=" "" files "${ARG_TEXTS}")
  string(REPLACE "," ";" files "${files}")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D HEADER=${ARG_HEADER} -D NAMESPACE=${ARG_NAMESPACE}
            "-DTEXTS=${ARG_TEXTS}" -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    DEPENDS ${files} ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    COMMENT "Embedding texts in ${output}"
    VERBATIM)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  set(code "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\nusing namespace std::string_view_literals;\n")
  foreach(text IN LISTS TEXTS)
    string(REGEX MATCH "^([^=]*)=(.*)$" match "${text}")
    string(APPEND code "\nconst std::string_view ${CMAKE_MATCH_1} =")
    string(REPLACE "," ";" files "${CMAKE_MATCH_2}")
    foreach(file IN LISTS files)
      file(READ "${file}" content)
      string(APPEND code " R\"moesim(${content})moesim\"")
    endforeach()
    string(APPEND code "sv;\n")
  endforeach()
  string(APPEND code "\n} // namespace ${NAMESPACE}\n")
  file(WRITE "${OUTPUT}" "${code}")
endif()
