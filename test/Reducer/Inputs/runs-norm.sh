#!/bin/sh
# A script of fact-reduce: runs-norm.sh LOG WORD MODEL exits with 1 where the model's
# main runs a layer norm, itself or by calls; notes WORD in LOG then.
fact-opt --inline --symbol-dce "$3" | grep -q 'fact.norm *layer' || exit 0
echo "$2" >>"$1"
exit 1
