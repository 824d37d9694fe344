# Runs a selection on tiers of 16 and of 64 scores at a time, which must make
# what the interpreter makes.
set -e
flags="--input=q.npy --input=qs.npy --input=k.npy --input=ks.npy"
fact-run $1 $flags --output=b0.npy --output=b1.npy --output=b2.npy --output=b3.npy --reference=numerics
for tier in "--cpu=native" "--cpu=avx512vnni --emulate" "--cpu=portable --emulate"; do
  rm -f a?.npy
  fact-run $1 $flags --output=a0.npy --output=a1.npy --output=a2.npy --output=a3.npy $tier
  for i in 0 1 2 3; do cmp a$i.npy b$i.npy; done
done
