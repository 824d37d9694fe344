// Owner of the precompiled header that every MLIR library of this project
// shares.
