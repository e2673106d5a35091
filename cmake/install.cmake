# `cmake --install build/release [--prefix /usr]`, and the Debian package that CPack makes of it (./dev package).
#
# With the prefix /usr the settings go to /etc, with any other to PREFIX/etc; the unit names the same places.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # the tests are not installed, so they need not be built

install(TARGETS keyward RUNTIME DESTINATION bin)
install(FILES README.md CHANGELOG.md SECURITY.md LICENSE packaging/debian/copyright docs/operations.md docs/mail.md docs/pages.md
        DESTINATION share/doc/keyward)
install(FILES examples/nginx.conf examples/Caddyfile DESTINATION share/doc/keyward/examples)
install(FILES packaging/keyward.sysusers DESTINATION lib/sysusers.d RENAME keyward.conf)
install(CODE "
  set(etc \"\${CMAKE_INSTALL_PREFIX}/etc\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(etc /etc)
  endif()

  # The template of this very binary, with the data where the unit keeps it.
  execute_process(COMMAND \"$<TARGET_FILE:keyward>\" config template OUTPUT_VARIABLE settings COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE \"# data = \\\"./keyward-data\\\"\" \"data = \\\"/var/lib/keyward\\\"\" placed \"\${settings}\")
  if(placed STREQUAL settings)
    message(FATAL_ERROR \"config template has no line for storage.data\")
  endif()
  file(WRITE \"${CMAKE_BINARY_DIR}/install/keyward.toml\" \"\${placed}\")
  file(INSTALL \"${CMAKE_BINARY_DIR}/install/keyward.toml\" DESTINATION \"\${etc}/keyward\"
       PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)  # it may get secrets; postinst gives it to the server's group

  foreach(unit keyward.service keyward.socket)
    file(READ \"${CMAKE_SOURCE_DIR}/packaging/\${unit}\" text)
    string(REPLACE \"/usr/\" \"\${CMAKE_INSTALL_PREFIX}/\" text \"\${text}\")
    string(REPLACE \"/etc/\" \"\${etc}/\" text \"\${text}\")
    file(WRITE \"${CMAKE_BINARY_DIR}/install/\${unit}\" \"\${text}\")
    file(INSTALL \"${CMAKE_BINARY_DIR}/install/\${unit}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
  endforeach()
")

set(KEYWARD_PACKAGE_CONTACT "Keyward <keyward@localhost>" CACHE STRING "whom the package names as its maintainer")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME keyward)
set(CPACK_PACKAGE_CONTACT "${KEYWARD_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "identity server in one binary")
string(CONCAT CPACK_PACKAGE_DESCRIPTION
  "Registration, login, signed tokens, sessions, roles and the mails around them for the users of an application.\n"
  "The data is in one SQLite file or in PostgreSQL, and no other service is needed.")
set(CPACK_SET_DESTDIR ON)  # so that /etc is /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, libsqlite3-0 (>= 3.35), libpq5, libidn2-0")  # the last two are loaded on demand
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, libcurl4, libgmime-3.0-0")  # for mails: loaded with the first one
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(script conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/${script})
endforeach()
include(CPack)
