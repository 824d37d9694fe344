// Selections of layers beside each other are numbered as their attentions are,
// whatever the order of the instructions.
// RUN: %python %S/Inputs/all_sides.py %s 9x4 --keep=0.4 --tail=mean --dominance=0.5 --importance=1 --scope=all

func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}) -> tensor<?x4xf32> {
  %w0 = arith.constant dense<[[1.0, -0.5, 0.25, 2.0], [0.5, 1.0, -1.0, 0.25], [0.125, -2.0, 1.0, 0.5], [1.0, 0.5, 0.25, -1.0]]> : tensor<4x4xf32>
  %w1 = arith.constant dense<[[-1.0, 1.5, 0.75, 1.0], [1.5, 0.5, -1.0, 0.125], [0.25, -1.0, 2.0, 0.5], [2.0, 0.25, 0.5, 1.0]]> : tensor<4x4xf32>
  %a0 = fact.linear %x, %w0 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %b0 = fact.linear %x, %w1 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y0 = fact.attention %a0, %b0, %a0 heads = 2 scale = 0.7 : tensor<?x4xf32>
  %y1 = fact.attention %b0, %a0, %b0 heads = 1 scale = 0.5 causal : tensor<?x4xf32>
  %y2 = fact.attention %a0, %a0, %b0 heads = 4 scale = 1.0 : tensor<?x4xf32>
  %z0 = fact.add %y2, %y1 : tensor<?x4xf32>
  %z1 = fact.add %z0, %y0 : tensor<?x4xf32>
  %o = fact.linear %z1, %w0 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}
