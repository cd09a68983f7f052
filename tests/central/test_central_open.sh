#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a booth sealed is opened with the opening key, and with no other; also after the booth was
# replaced.
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
start
visit() { # visit N: a booth's machine sends its keys and one encounter
	rm -f lane-1.key; enrol lane-1
	U=$("$BIN/central_envelope" lane-1 centre/seal.pub "keys$1" "envelope$1") || bad "envelope"
	is "keys" 204 "$(as lane-1 -T "keys$1" -H 'Content-Type: application/cbor' "$URL/v1/booth-keys")"
	is "put" 201 "$(as lane-1 -T "envelope$1" -H 'Content-Type: application/vnd.egress.encounter' "$URL/v1/encounters/$U")"
}
visit 1
visit 2 # another machine with other keys
ctl encounters list --open --json >opened || bad "open"
is "verdicts" "confirmed confirmed" "$(jq -rs 'map(.verdict) | join(" ")' opened)"
is "the rest" "P1 none 0.75 0.5 EG1-20261124 3" \
	"$(jq -rs '.[0] | "\(.traveller) \(.cause) \(.score + 0) \(.threshold + 0) \(.manifest) \(.manifest_version)"' opened)"
has "as a table" "confirmed" "$(ctl encounters list --open)"
is "closed, without the key" null "$(ctl encounters list --json | jq -rs '.[0].verdict')"
ctl encounters list --open=centre/sign.key >/dev/null 2>&1 && bad "another key opens"
mv centre/open.key away.key
ctl encounters list --open 2>err >/dev/null && bad "opened without a key"
ctl encounters list --open=away.key >/dev/null || bad "the key lies elsewhere"
stop
finish
