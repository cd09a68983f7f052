#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The real syncd and centrald, as /proc shows them, while an encounter goes from one to the other:
# every thread in the sandbox, and what they write is theirs alone or their group's. Then boothd on
# libcamera, which brings threads, IPA modules and device events of its own.
. "$EGRESS_SOURCE/tests/system/lib.sh"
fail() { bad "$@"; }
. "$EGRESS_SOURCE/tests/security/lib.sh"

umask 0007 # as syncd's unit has it; centrald makes its files private whatever the mask
start_world
start_syncd
wait_for 60 "the booth's enrolment" keys_are_there
put 3
wait_for 60 "the delivery" none_queued
exactly_once "$work/put"
in_sandbox "$syncd_pid"
in_sandbox "$centre_pid"
mode_is 600 "$keys/sync/tls.pem" "$keys/sync/syncd.lock" "$keys/booth/record.key" "$centre/sign.key" "$centre/server.key"
mode_is 660 "$state/records.db" "$state/manifests.db" "$run/sync"
is "central.db is for others" "" "$(find "$centre" -name 'central.db*' -perm /007)"

pictures=$EGRESS_BUILD/run/test_booth_material/made/loop
if [ -e "${EGRESS_PACK:-}/pack.json" ]; then
	mkdir "$work/frames"
	cp "$pictures"/80000[0-9].jpg "$work/frames" || bad "no pictures of an empty corridor"
	start_boothd "$work/frames" 10
	wait_for 60 "new frames" status_has '.booth.camera.state == "streaming" and .booth.camera.frames > 3'
	boothctl --json self-test >"$work/selftest" # no manifest was published: only that may be bad
	is "self-test" manifest "$(jq -r '.checks[] | select(.ok | not) | .name' "$work/selftest")"
	has "the camera" libcamera "$(boothctl --json status | jq -r .booth.camera.backend)"
	in_sandbox "$boothd_pid"
fi
is "refused calls" "" "$(grep -h 'sandbox: ' "$work"/log/*)"
