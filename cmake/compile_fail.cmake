# keyward_compile_fail(): each tests/compile_fail/*.cpp is compiled. One with a line
# `// expect: SENTENCE` must fail with that sentence, any other must compile.
function(keyward_compile_fail)
  file(GLOB snippets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/compile_fail/*.cpp)
  foreach(snippet IN LISTS snippets)
    get_filename_component(name ${snippet} NAME_WE)
    add_test(NAME compile_fail.${name}
      COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -fsyntax-only -Werror ${KEYWARD_THREAD_SAFETY} -I${CMAKE_SOURCE_DIR}/src
              "-D$<JOIN:$<TARGET_PROPERTY:keyward_boost,INTERFACE_COMPILE_DEFINITIONS>,;-D>" ${snippet}
      COMMAND_EXPAND_LISTS)
    set_tests_properties(compile_fail.${name} PROPERTIES TIMEOUT 120)
    file(STRINGS ${snippet} expected REGEX "^// expect: " LIMIT_COUNT 1)
    if(expected)
      string(REPLACE "// expect: " "" expected "${expected}")
      string(REGEX REPLACE "([<>().*+?^$|])" "\\\\\\1" expected "${expected}")
      set_tests_properties(compile_fail.${name} PROPERTIES PASS_REGULAR_EXPRESSION "error: [^\n]*${expected}")
    endif()
  endforeach()
endfunction()
