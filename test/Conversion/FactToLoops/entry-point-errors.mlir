// RUN: fact-opt %s --fact-entry-point --split-input-file --verify-diagnostics

// expected-error @below {{has no function 'main'}}
module {
  func.func @other() { return }
}

// -----

module {
  // expected-error @below {{takes or returns something that is no tensor}}
  func.func @main(%x: f32) -> f32 { return %x : f32 }
}
