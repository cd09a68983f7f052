# SPDX-License-Identifier: Apache-2.0
#
# The project's few CMake helpers: flags in one place, one library a folder, one line a test.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(EGRESS_CCACHE ccache)
if(EGRESS_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${EGRESS_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${EGRESS_CCACHE})
endif()

add_library(eg_flags INTERFACE)
target_compile_definitions(eg_flags INTERFACE _GNU_SOURCE EG_VERSION="${PROJECT_VERSION}")
target_include_directories(eg_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(eg_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Werror -fno-common
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  # clang finds them in libseccomp's own macros
  $<$<C_COMPILER_ID:Clang>:-Wno-missing-field-initializers>
  # assert stays on in release: it guards against callers' bugs (conventions.md, 9)
  -UNDEBUG)
# A program loads only the libraries whose functions it calls: no camera stack in syncd.
target_link_options(eg_flags INTERFACE -Wl,--as-needed)
if(EGRESS_SANITIZE)
  target_compile_options(eg_flags INTERFACE -fsanitize=${EGRESS_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(eg_flags INTERFACE -fsanitize=${EGRESS_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(eg_flags INTERFACE
    -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
    -ftrivial-auto-var-init=zero)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    target_compile_options(eg_flags INTERFACE -fcf-protection=full)
  else()
    target_compile_options(eg_flags INTERFACE -mbranch-protection=standard)
  endif()
  target_link_options(eg_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(EGRESS_VALGRIND)
  # Its translator needs memory that is writable and executable, and calls of its own.
  target_compile_definitions(eg_flags INTERFACE EG_VALGRIND)
endif()
if(EGRESS_FUZZ)
  target_compile_options(eg_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# How many times longer programs may take than in the preset dev; tests read it as EGRESS_PATIENCE.
set(patience 1)
if(EGRESS_SANITIZE STREQUAL "thread")
  set(patience 5)
elseif(EGRESS_VALGRIND)
  set(patience 20)
endif()
set(EGRESS_UNDER "")
if(EGRESS_VALGRIND)
  set(EGRESS_UNDER "${CMAKE_SOURCE_DIR}/tests/with-valgrind")
endif()

# eg_library(NAME FOLDER [PUBLIC libs…] [PRIVATE libs…] [EXCLUDE files…])
# Library eg_NAME of every .c and .cpp directly in FOLDER.
function(eg_library name folder)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}"
       "${CMAKE_SOURCE_DIR}/${folder}/*.c" "${CMAKE_SOURCE_DIR}/${folder}/*.cpp")
  list(REMOVE_ITEM sources "" ${arg_EXCLUDE})
  list(TRANSFORM sources PREPEND "${CMAKE_SOURCE_DIR}/")
  if(NOT sources)
    add_library(eg_${name} INTERFACE)
    target_link_libraries(eg_${name} INTERFACE eg_flags ${arg_PUBLIC} ${arg_PRIVATE})
    return()
  endif()
  add_library(eg_${name} STATIC ${sources})
  target_link_libraries(eg_${name} PUBLIC ${arg_PUBLIC} PRIVATE eg_flags ${arg_PRIVATE})
  target_include_directories(eg_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
endfunction()

# eg_program(NAME SOURCES… [LIBS libs…])
# Program bin/NAME; for valgrind a script of that name which runs it under valgrind.
function(eg_program name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} eg_flags)
  set(bin "${CMAKE_BINARY_DIR}/bin")
  if(EGRESS_VALGRIND)
    file(CONFIGURE OUTPUT "${bin}/${name}" CONTENT "#!/bin/sh\nexec ${EGRESS_UNDER} ${bin}/plain/${name} \"$@\"\n")
    file(CHMOD "${bin}/${name}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    string(APPEND bin /plain)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${bin}")
endfunction()

# eg_test(NAME LABELS labels… [SOURCES files…] [LIBS libs…] [TIMEOUT s] [LOCK resource])
# A cmocka program (source NAME.c unless SOURCES says otherwise), run by ctest from its own empty
# folder with EGRESS_* variables naming what tests need.
function(eg_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;LOCK" "LABELS;SOURCES;LIBS" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.c)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} eg_flags PkgConfig::CMOCKA)
  eg_add_test(${name} ${EGRESS_UNDER} $<TARGET_FILE:${name}>)
  eg_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}" "${arg_LOCK}")
endfunction()

# eg_script_test(NAME SCRIPT LABELS labels… [TIMEOUT s] [LOCK resource] [ARGS …])
# A script with its own interpreter line; exit 77 means skipped.
function(eg_script_test name script)
  cmake_parse_arguments(arg "" "TIMEOUT;LOCK" "LABELS;ARGS" ${ARGN})
  eg_add_test(${name} "${CMAKE_CURRENT_SOURCE_DIR}/${script}" ${arg_ARGS})
  eg_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}" "${arg_LOCK}")
endfunction()

# eg_add_test(NAME COMMAND…)
# add_test; where a sanitizer or valgrind watches the programs, what it reports fails the test.
function(eg_add_test name)
  if(EGRESS_SANITIZE OR EGRESS_VALGRIND)
    add_test(NAME ${name} COMMAND "${CMAKE_SOURCE_DIR}/tests/watched" "${CMAKE_BINARY_DIR}/reports/${name}" ${ARGN})
  else()
    add_test(NAME ${name} COMMAND ${ARGN})
  endif()
endfunction()

function(eg_test_properties name labels timeout lock)
  if(NOT timeout)
    set(timeout 120)
  endif()
  math(EXPR timeout "${timeout} * ${patience}")
  set(folder "${CMAKE_BINARY_DIR}/run/${name}")
  file(MAKE_DIRECTORY "${folder}")
  set(report "${CMAKE_BINARY_DIR}/reports/${name}/report")
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77 WORKING_DIRECTORY "${folder}"
    ENVIRONMENT "EGRESS_SOURCE=${CMAKE_SOURCE_DIR};EGRESS_BUILD=${CMAKE_BINARY_DIR};EGRESS_DATA=${EGRESS_DATA};EGRESS_PACK=${EGRESS_PACK};EGRESS_FACES=${EGRESS_FACES};EGRESS_PATIENCE=${patience};EGRESS_REPORT=${report};ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:log_path=${report};LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp:print_suppressions=0:log_path=${report}")
  if(lock)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${lock}")
  endif()
endfunction()
