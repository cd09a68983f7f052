#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The units: no unknown or misspelt setting, and exposed no more than 2.0 by systemd's own measure
# (0 is best, 10 worst). The programs are not installed here, so a copy of each unit starts
# /bin/true. The figure is printed; a looser unit fails.
set -eu

command -v systemd-analyze >/dev/null || exit 77
rm -rf units
mkdir units
for unit in "$EGRESS_SOURCE"/board/units/*.service; do
	name=$(basename "$unit")
	copy=units/$name
	sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit" >"$copy"
	said=$(systemd-analyze verify --recursive-errors=no "$copy" 2>&1) || {
		echo "$unit: $said"
		exit 1
	}
	if echo "$said" | grep -F "$name"; then
		exit 1
	fi
	systemd-analyze security --offline=true --no-pager "$copy" >report
	exposure=$(sed -n 's/^.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p' report)
	echo "$name: ${exposure:-no figure}"
	awk -v figure="$exposure" 'BEGIN { exit !(figure ~ /^[0-9]+\.[0-9]+$/ && figure + 0 <= 2.0) }' || {
		grep -E '^✗' report | sort -k1 | head -n 20
		echo "$unit: more exposed than 2.0"
		exit 1
	}
done
