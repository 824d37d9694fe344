# LLVM/MLIR 22 from Debian, and the two kinds of library that this project has:
# fact_add_library (C++ only: Numerics, ISA, Sim, Support) and
# fact_add_mlir_library (everything that includes an MLIR header).

# HandleLLVMOptions would disable exceptions for the C++-only libraries, whose
# dependencies (CLI11, nlohmann_json) use them: keep the flags we had.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})
set(MLIR_LINK_MLIR_DYLIB ON) # MLIRConfig does not set it
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# The flags that the distribution's LLVM was built with and that its headers need.
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})
# At -O1: the compiler is quick enough, and builds in half the time.
set(FACT_MLIR_OPTIONS -O1 -fno-exceptions -fno-rtti -fvisibility-inlines-hidden)

# Where the compiler's own binary directory hides generated .inc files.
add_compile_options(-Wall -Wextra -Wno-unused-parameter)

# Code that includes no MLIR or LLVM header: exceptions and rtti stay on.
function(fact_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
endfunction()

# Flags of a target that includes MLIR headers. The first such target owns the
# precompiled header, all others share it. Pass NO_PCH to leave it out.
function(fact_use_mlir target)
  cmake_parse_arguments(ARG "NO_PCH" "" "" ${ARGN})
  target_include_directories(${target} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_definitions(${target} PRIVATE ${LLVM_DEFINITIONS_LIST})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${FACT_MLIR_OPTIONS}>)
  if(ARG_NO_PCH)
    return()
  endif()
  # -fno-pch-timestamp lets ccache reuse the header between builds.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Xclang$<SEMICOLON>-fno-pch-timestamp>)
  if(TARGET FactPCH)
    target_precompile_headers(${target} REUSE_FROM FactPCH)
  endif()
endfunction()

# A library over MLIR. LINK_LIBS are ours; MLIR itself comes as the dylib.
# DEPENDS are TableGen targets that must run first.
function(fact_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  fact_use_mlir(${name})
  add_dependencies(${name} fact-headers ${ARG_DEPENDS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} MLIR LLVM)
endfunction()

# A tool in build/bin. MLIR: the tool includes MLIR headers.
function(fact_add_tool name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  fact_sanitize_executable(${name})
  if(ARG_MLIR)
    fact_use_mlir(${name} NO_PCH) # an executable is compiled with -fPIE, the shared header with -fPIC
    add_dependencies(${name} fact-headers)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS})
endfunction()

# All TableGen output that headers include; libraries depend on it as a whole.
add_custom_target(fact-headers)

# Generates Inc from Td with mlir-tblgen flags: fact_tablegen(FactOps.td FactOps.h.inc -gen-op-decls ...)
# (a macro: mlir_tablegen collects its outputs in the caller's scope).
macro(fact_tablegen td inc)
  set(LLVM_TARGET_DEFINITIONS ${td})
  mlir_tablegen(${inc} ${ARGN} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/include ${MLIR_INCLUDE_DIRS})
endmacro()

# A GoogleTest program in build/unittests; utils/check runs every one of them.
# MLIR: the test includes MLIR headers. FACT_TEST_GOLDEN_DIR is test/golden,
# FACT_TEST_DATA_DIR the data outside the tree (empty: skip what needs it).
function(fact_add_unittest name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  fact_sanitize_executable(${name})
  if(ARG_MLIR)
    fact_use_mlir(${name} NO_PCH)
    add_dependencies(${name} fact-headers)
  endif()
  target_compile_definitions(${name} PRIVATE
    FACT_TEST_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/test/golden"
    FACT_TEST_DATA_DIR="${FACT_TEST_DATA}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unittests)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
