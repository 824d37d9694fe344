# AddressSanitizer and UndefinedBehaviorSanitizer for all of our code
# (FACT_SANITIZE=ON; utils/check --sanitize), instrumented for libFuzzer, too;
# docs/testing.md says what that finds and what it does not.
option(FACT_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

if(FACT_SANITIZE)
  # With assertions: those of LLVM's headers tell a wrong cast from bad luck.
  # vptr: LLVM and MLIR have no type information.
  set(FACT_SANITIZE_OPTIONS -fsanitize=address,undefined -fno-sanitize=vptr
    -fno-sanitize-recover=all)
  add_compile_options(${FACT_SANITIZE_OPTIONS} -fsanitize=fuzzer-no-link
    -fno-omit-frame-pointer -gline-tables-only -O1 -UNDEBUG)
  add_link_options(${FACT_SANITIZE_OPTIONS})
  # Python loads an instrumented module only where the runtime came first.
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so
    OUTPUT_VARIABLE FACT_SANITIZE_RUNTIME OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()

# What a sanitized executable needs beside flags; nothing in a plain build.
function(fact_sanitize_executable name)
  if(FACT_SANITIZE)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/SanitizerDefaults.cpp)
  endif()
endfunction()
