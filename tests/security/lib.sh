# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: what /proc says of a program in its sandbox. Sourced; wants fail().

field() { awk -v key="$2:" '$1 == key { print $2 }' "$1"; } # FILE KEY
in_sandbox() { # PID
	for task in "/proc/$1/task"/*; do
		[ "$(field "$task/status" Seccomp)" = 2 ] || fail "$task: no seccomp filter"
		[ "$(field "$task/status" NoNewPrivs)" = 1 ] || fail "$task: may gain privileges"
	done
	grep -q '^Max core file size  *0  *0 ' "/proc/$1/limits" || fail "may write a core file"
	if grep -E '^[0-9a-f]+-[0-9a-f]+ .wx' "/proc/$1/maps"; then fail "memory writable and executable"; fi
}
mode_is() { # MODE FILE...
	mode=$1
	shift
	for file; do [ "$(stat -c %a "$file")" = "$mode" ] || fail "$file has mode $(stat -c %a "$file"), not $mode"; done
}
