#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What eg-bench compares with stays out of every other program: OpenCV's DNN, also when a library
# brings it, and FAISS, which is a static library and so shows by its functions' names.
set -eu

bin=$EGRESS_BUILD/bin
fail() { echo "FAILED: $*" >&2; exit 1; }
rivals() { # PROGRAM
	ldd "$1" 2>/dev/null | grep -oE 'libopencv_dnn[^ ]*' | head -n 1 || true
	nm "$1" 2>/dev/null | grep -oE 'faiss_Index[A-Za-z_]+' | head -n 1 || true
}

[ -x "$bin/boothd" ] && [ -x "$bin/eg-bench" ] || fail "boothd and eg-bench are not built in $bin"
[ "$(rivals "$bin/eg-bench" | wc -l)" = 2 ] || fail "eg-bench links no rivals, so this test would see none"
for program in "$bin"/*; do
	[ "$program" != "$bin/eg-bench" ] || continue
	found=$(rivals "$program")
	[ -z "$found" ] || fail "$(basename "$program") links" $found
done
