#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The real boothd, as /proc shows it, while it works: every thread in the sandbox, no core, nothing
# that is writable and executable, no network socket, keys nobody else may read. And it works:
# the self-test uses the camera, the models, the disk, the signal. ONNX Runtime and libcamera live
# under PR_SET_MDWE here, which is what a unit's MemoryDenyWriteExecute= is.
set -eu
rm -rf w
. "$EGRESS_SOURCE/tests/programs/lib.sh"
. "$EGRESS_SOURCE/tests/security/lib.sh"
skip_without_pack

umask 0007 # as the unit has it
slow_loop "$PWD/pictures"
patient | new_booth "$PWD/pictures"
put_manifest 1 good
start_boothd
wait_for 60 "the loading of the manifest" is '.manifest.withReference == 3'
ctl --json self-test >selftest || fail "self-test: $(cat selftest)"

in_sandbox "$boothd_pid"
# Keys and templates are locked: at least the gallery's first pages. (Address sanitizer makes mlock
# a no-op.)
locked=$(field "/proc/$boothd_pid/status" VmLck)
echo "locked: $locked kB"
grep -q libasan "/proc/$boothd_pid/maps" || [ "$locked" -gt 0 ] || fail "no memory is locked"
ls -l "/proc/$boothd_pid/fd" | grep -o 'socket:\[[0-9]*\]' | tr -dc '0-9\n' | sort >sockets
awk 'FNR > 1 { print $10 }' "/proc/$boothd_pid/net/tcp" "/proc/$boothd_pid/net/tcp6" \
	"/proc/$boothd_pid/net/udp" "/proc/$boothd_pid/net/udp6" 2>/dev/null | sort >inet
[ -z "$(comm -12 sockets inet)" ] || fail "boothd has a network socket"

mode_is 600 "$dir/state/booth/seal.key" "$dir/state/booth/record.key" "$dir/state/booth/boothd.lock"
mode_is 660 "$dir/state/records.db" "$dir/state/manifests.db" "$dir/run/booth"
mode_is 644 "$dir/state/booth.pub"

# What a core file would hold: the kernel must not write one.
cd /
kill -ABRT "$boothd_pid" # sanitizers write reports of other signals
boothd_status=0
wait "$boothd_pid" 2>/dev/null || boothd_status=$?
boothd_pid=
cd - >/dev/null
[ -z "$(find / -xdev -maxdepth 1 -name 'core*' -type f)$(find "$dir" -name 'core*')" ] || fail "a core file"
if grep 'sandbox: ' "$dir/log"; then fail "boothd made a call that its sandbox does not know"; fi
