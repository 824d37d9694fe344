# The lit suite's configuration: which files are tests, where the tools are.
#
# Substitutions beside lit's own:
#   %python     Debian's python3, which sees numpy and onnx
#   %fact_src   the source tree
#   %fact_obj   the build tree
#   %test_data  the data outside the tree (feature `test-data`)
#   %mlir_include  where MLIR's own .td files are
#   %clang      the C compiler that the project is built with
#   %recogniser the text recogniser's ONNX file (feature `recogniser`)
# Features:
#   test-data   %test_data/golden and %test_data/models exist
#   recogniser  the file was fetched from npm (utils/check does)
#   python      the compiled module fact._fact is built
#   aarch64     a cross compiler and an emulator are there (packages gcc-aarch64-linux-gnu, qemu-user-static)
#   slow        always on here; `--param fast=1` leaves such tests out
import os
import shutil

import lit.formats
import lit.llvm

config.name = "fact"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".td", ".s"]
config.excludes = ["Inputs", "golden", "CMakeLists.txt"]
config.test_source_root = os.path.join(config.fact_src_root, "test")
config.test_exec_root = os.path.join(config.fact_obj_root, "test")

paths = [os.path.join(config.fact_obj_root, "bin"), config.llvm_tools_dir]
config.environment["PATH"] = os.pathsep.join(paths + [os.environ.get("PATH", "")])
config.environment["PYTHONPATH"] = os.path.join(config.fact_obj_root, "python")
config.environment["FACT_TEST_DATA"] = config.fact_test_data
for name in ("HOME", "TMPDIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

# What limits the memory of tools must not do so in a sanitized build.
if config.sanitize not in ("", "OFF"):
    config.environment["FACT_SANITIZE"] = config.sanitize

recogniser = os.path.join(config.fact_obj_root, "models", "ch_PP-OCRv4_rec_infer.onnx")
if os.path.isfile(recogniser):
    config.available_features.add("recogniser")

config.substitutions += [
    ("%python", config.python),
    ("%fact_src", config.fact_src_root),
    ("%fact_obj", config.fact_obj_root),
    ("%test_data", config.fact_test_data),
    ("%clang", config.clang),
    ("%mlir_include", os.path.join(os.path.dirname(config.llvm_tools_dir.rstrip("/")), "include")),
    ("%recogniser", recogniser),
]

if config.fact_test_data and os.path.isdir(os.path.join(config.fact_test_data, "golden")):
    config.available_features.add("test-data")
if shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64-static"):
    config.available_features.add("aarch64")
if not lit_config.params.get("fast"):
    config.available_features.add("slow")
if config.python_bindings.upper() in ("ON", "1", "TRUE", "YES"):
    config.available_features.add("python")
