# Compiler check, language level, warnings, hardening and sanitizers: all of it on the target keyward_options.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "Keyward needs Clang 19 (or GCC 14): GCC ${CMAKE_CXX_COMPILER_VERSION} destroys temporaries "
                      "twice in coroutines (docs/adr/0001-clang-19.md). Run ./dev build, which uses Clang 19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# What is shared between threads says which mutex guards it (src/base/mutex.hpp), and Clang holds every access against that.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(KEYWARD_THREAD_SAFETY -Wthread-safety -Wthread-safety-beta)
endif()

set(KEYWARD_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them (address,undefined or thread)")
option(KEYWARD_COVERAGE "count which lines and branches run (./dev coverage)" OFF)
option(KEYWARD_FUZZ "instrument for libFuzzer and build the programs of tests/fuzz" OFF)

find_program(KEYWARD_CCACHE ccache)
if(KEYWARD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KEYWARD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${KEYWARD_CCACHE})
endif()

add_library(keyward_options INTERFACE)
target_include_directories(keyward_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(keyward_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wimplicit-fallthrough -Wextra-semi -Wundef -Wswitch-enum -Wno-missing-field-initializers -Werror ${KEYWARD_THREAD_SAFETY}
  -fstack-protector-strong -ftrivial-auto-var-init=zero -fno-omit-frame-pointer)
target_compile_definitions(keyward_options INTERFACE _GLIBCXX_ASSERTIONS)
# What nobody calls goes, and relocations take a tenth of their room.
target_link_options(keyward_options INTERFACE -fuse-ld=lld -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections,-z,pack-relative-relocs)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  target_compile_options(keyward_options INTERFACE -fstack-clash-protection -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_options(keyward_options INTERFACE -fstack-clash-protection -mbranch-protection=standard)
endif()

if(KEYWARD_FUZZ)
  target_compile_options(keyward_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(KEYWARD_SANITIZE)
  target_compile_options(keyward_options INTERFACE -fsanitize=${KEYWARD_SANITIZE} -fno-sanitize-recover=all -g1)
  target_link_options(keyward_options INTERFACE -fsanitize=${KEYWARD_SANITIZE})
elseif(NOT KEYWARD_COVERAGE)
  target_link_options(keyward_options INTERFACE -Wl,--icf=safe)  # equal functions are one; of the other presets' libraries the linker warns
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT KEYWARD_SANITIZE)
  # Fortify needs optimisation, and sanitizers do its work better than it does.
  target_compile_options(keyward_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

if(KEYWARD_COVERAGE)
  # Counted atomically: what two threads count at once would else be wrong, and a branch that ran would be one that did not.
  target_compile_options(keyward_options INTERFACE -fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic)
  target_link_options(keyward_options INTERFACE -fprofile-instr-generate)
endif()
