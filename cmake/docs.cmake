# keyward_embed_docs(TARGET): the viewer of /docs (swagger-ui-dist, fetched by npm) and our page around it, compressed, as
# keyward::embedded::docs().
function(keyward_embed_docs target)
  set(viewer ${CMAKE_SOURCE_DIR}/ui/docs/node_modules/swagger-ui-dist)
  if(NOT EXISTS ${viewer}/swagger-ui-bundle.js)
    message(FATAL_ERROR "The viewer of /docs is missing: run ./dev build, which fetches it (npm ci --prefix ui/docs).")
  endif()
  find_program(KEYWARD_GZIP gzip REQUIRED)

  set(folder ${CMAKE_BINARY_DIR}/docs)
  file(MAKE_DIRECTORY ${folder})
  foreach(source ${viewer}/swagger-ui-bundle.js ${viewer}/swagger-ui.css ${viewer}/LICENSE
                 ${CMAKE_SOURCE_DIR}/ui/docs/page/index.html ${CMAKE_SOURCE_DIR}/ui/docs/page/docs.js)
    get_filename_component(name ${source} NAME)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    if(name MATCHES "\\.html$")
      configure_file(${source} ${folder}/${name} COPYONLY)  # small, and for clients without gzip too
    elseif(${source} IS_NEWER_THAN ${folder}/${name})
      execute_process(COMMAND ${KEYWARD_GZIP} -9 -n -c ${source} OUTPUT_FILE ${folder}/${name} COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endforeach()
  keyward_embed(${target} docs ${folder} *)
endfunction()
