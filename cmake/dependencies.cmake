# Everything Keyward links, each behind one name. docs/adr/ says why each is there.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 3.35 REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)

# Boost is used from its headers; Asio, Beast, JSON and URL are each compiled once, in one small file of ours.
add_library(keyward_boost INTERFACE)
target_include_directories(keyward_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(keyward_boost INTERFACE
  BOOST_ALL_NO_LIB BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8)  # a request has more coroutines under way than the two it keeps frames for

function(keyward_pkg name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(keyward_${name} INTERFACE)
  target_link_libraries(keyward_${name} INTERFACE PkgConfig::${name})
endfunction()
keyward_pkg(sodium libsodium)
keyward_pkg(hiredis hiredis)
keyward_pkg(crypt libxcrypt)
keyward_pkg(utf8proc libutf8proc)

function(keyward_plain name header library)
  find_path(KEYWARD_${name}_INCLUDE ${header} REQUIRED)
  add_library(keyward_${name} INTERFACE)
  target_include_directories(keyward_${name} SYSTEM INTERFACE ${KEYWARD_${name}_INCLUDE})
  if(library)
    find_library(KEYWARD_${name}_LIBRARY ${library} REQUIRED)
    target_link_libraries(keyward_${name} INTERFACE ${KEYWARD_${name}_LIBRARY})
  endif()
endfunction()
keyward_plain(zxcvbn zxcvbn.h zxcvbn)
keyward_plain(cli11 CLI/CLI.hpp "")
keyward_plain(tomlplusplus toml++/toml.h "")
keyward_plain(mustache kainjow/mustache.hpp "")

# Loaded when they are first needed (src/base/shared_library.hpp), so only their headers are used.
function(keyward_loaded name)
  pkg_check_modules(KEYWARD_${name} REQUIRED ${ARGN})
  add_library(keyward_${name} INTERFACE)
  target_include_directories(keyward_${name} SYSTEM INTERFACE ${KEYWARD_${name}_INCLUDE_DIRS})
endfunction()
keyward_loaded(pq libpq)
keyward_loaded(idn2 libidn2)
keyward_loaded(mail_headers libcurl>=7.85 gmime-3.0)
