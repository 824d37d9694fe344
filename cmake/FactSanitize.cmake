# Sanitizers for all of our code, which is instrumented for libFuzzer, too;
# docs/testing.md says what they find and what they do not.
#   address  AddressSanitizer and UndefinedBehaviorSanitizer
#   thread   ThreadSanitizer; of use without MLIR only, whose libraries are not
#            instrumented
set(FACT_SANITIZE OFF CACHE STRING "Sanitizers to build with: OFF, address or thread")
set_property(CACHE FACT_SANITIZE PROPERTY STRINGS OFF address thread)

if(FACT_SANITIZE)
  if(FACT_SANITIZE STREQUAL "address")
    # vptr: LLVM and MLIR have no type information.
    set(FACT_SANITIZE_OPTIONS -fsanitize=address,undefined -fno-sanitize=vptr
      -fno-sanitize-recover=all)
  elseif(FACT_SANITIZE STREQUAL "thread")
    set(FACT_SANITIZE_OPTIONS -fsanitize=thread)
  else()
    message(FATAL_ERROR "FACT_SANITIZE must be OFF, address or thread (was '${FACT_SANITIZE}')")
  endif()
  # Assertions are those of the standard library alone: with LLVM's, pass
  # statistics would have another layout than in LLVM's libraries.
  add_compile_options(${FACT_SANITIZE_OPTIONS} -fsanitize=fuzzer-no-link
    -fno-omit-frame-pointer -gline-tables-only -O1 -D_GLIBCXX_ASSERTIONS)
  add_link_options(${FACT_SANITIZE_OPTIONS})
  # Python loads an instrumented module only where the runtime came first. With
  # ThreadSanitizer there is no Python: it is for the simulator's tests.
  if(FACT_SANITIZE STREQUAL "address")
    execute_process(
      COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so
      OUTPUT_VARIABLE FACT_SANITIZE_RUNTIME OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endif()

# What a sanitized executable needs beside flags; nothing in a plain build.
function(fact_sanitize_executable name)
  if(FACT_SANITIZE)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/SanitizerDefaults.cpp)
  endif()
endfunction()
