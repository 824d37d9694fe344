// Inputs need no names; the sequence that they share is as long as the shorter bound.
// RUN: %python %S/Inputs/all_sides.py %s 9x4,9x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}, %z: tensor<?x4xf32> {fact.bound = 9 : i64}) -> tensor<?x4xf32> {
  %y = fact.add %x, %z : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
