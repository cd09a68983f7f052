#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a booth sealed is opened with the opening key, and with no other; also after the booth was
# replaced. Decisions stand under their encounters.
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
start
send() { as lane-1 -T "$1" -H 'Content-Type: application/vnd.egress.encounter' "$URL/v1/encounters/$2"; }
visit() { # visit N: a booth's machine sends its keys, one encounter and a decision about it
	rm -f lane-1.key; enrol lane-1; mkdir "m$1"
	read -r U D E < <("$BIN/central_envelope" lane-1 centre/seal.pub "m$1") || bad "envelope"
	is "keys" 204 "$(as lane-1 -T "m$1/keys" -H 'Content-Type: application/cbor' "$URL/v1/booth-keys")"
	is "decision before its encounter" 201 "$(send "m$1/decision" "$D")"; cp body ack
	is "put" 201 "$(send "m$1/envelope" "$U")"
	is "decision again" 200 "$(send "m$1/decision" "$D")"; cmp -s body ack || bad "another acknowledgement for the same decision"
	is "under another's id" 422 "$(send "m$1/decision" "$U")"
	{ head -c -1 "m$1/decision"; printf x; } >other
	is "other bytes of a decision" 409 "$(send other "$D")"; problem 409
}
visit 1
visit 2 # another machine with other keys
is "kinds" "decision encounter decision encounter" "$(ctl encounters list --json | jq -rs 'map(.kind) | join(" ")')"
is "encounters counted" 2 "$(ctl booths list | awk '$1 == "lane-1" {print $NF}')"
ctl encounters list --open --json >opened || bad "open"
is "verdicts" "confirmed confirmed" "$(jq -rs 'map(.verdict) | join(" ")' opened)"
is "the rest" "P1 none 0.75 0.5 EG1-20261124 3" \
	"$(jq -rs '.[0] | "\(.traveller) \(.cause) \(.score + 0) \(.threshold + 0) \(.manifest) \(.manifest_version)"' opened)"
is "decisions" "wrong_person look_alike 4711 s.chief 2026-05-28T20:26:40.000Z $D" \
	"$(jq -rs '.[1].decisions[] | "\(.decision) \(.reason) \(.by) \(.second) \(.decided) \(.id)"' opened)"
is "one each" "1 1" "$(jq -rs 'map(.decisions | length) | join(" ")' opened)"
has "as a table" "confirmed" "$(ctl encounters list --open)"
has "the decision in the table" "wrong_person, look_alike, by 4711 and s.chief" "$(ctl encounters list --open | grep -A1 "$U")"
is "closed, without the key" null "$(ctl encounters list --json | jq -rs '.[1].verdict')"
is "nobody is named outside the seal" 0 "$(sqlite3 -readonly centre/central.db .dump | grep -c 's.chief')"

# About an encounter that has not come, and one of another booth's
is "alone" 201 "$(send m2/alone "$E")"
is "shown at the end" "decision lane-1 $E" "$(ctl encounters list --open --json | tail -1 | jq -r '"\(.kind) \(.booth) \(.id)"')"
has "shown at the end of the table" "has not come yet" "$(ctl encounters list --open | tail -2)"

ctl encounters list --open=centre/sign.key >/dev/null 2>&1 && bad "another key opens"
mv centre/open.key away.key
ctl encounters list --open 2>err >/dev/null && bad "opened without a key"
ctl encounters list --open=away.key >/dev/null || bad "the key lies elsewhere"

# Carried by hand
mkdir m3; read -r U D E < <("$BIN/central_envelope" lane-1 centre/seal.pub m3)
ctl encounters import --booth lane-1 m3/decision m3/decision >imported || bad "import"
is "taken once" "m3/decision: taken" "$(head -1 imported)"
has "not twice" "nothing was changed" "$(tail -1 imported)"
is "its kind" decision "$(ctl encounters list --json | jq -r "select(.id == \"$D\") | .kind")"
stop
finish
