#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The centre watches: policy signed there is in force here, what is over its time goes and its record
# still arrives, the audit chain is countersigned, and a disk that is set back is found out.
. "$(dirname "$0")/lib.sh"
[ -e "${EGRESS_PACK:-}/pack.json" ] || { echo "skipped: no model pack (./booth gets it)"; exit 77; }
pictures=$EGRESS_BUILD/run/test_booth_material/made/loop

start_world
mkdir "$work/frames"
cp "$pictures"/80000[0-9].jpg "$work/frames" || bad "no pictures of an empty corridor"
camera_lines="backend = folder
source = $work/frames"
write_config 5 </dev/null

run_boothd() {
	rm -f "$run/booth"
	"$bin/boothd" --config "$etc/boothd.conf" 2>>"$work/log/boothd" &
	boothd_pid=$!
	remember "$boothd_pid"
	wait_for 240 "the start of boothd" test -S "$run/booth"
}
audit() { boothctl --trust "$etc/trust.json" --booth-keys "$state/booth.pub" audit "$@"; }
entries_of() { ctl audit list | awk -v b="$booth_id" '$1 == b { print $2; exit }'; }
countersigned() { [ "$(entries_of)" -ge "$1" ] 2>/dev/null; }
policy_is() { grep -q "policy default version $1 is in force" "$work/log/boothd"; }
in_chain() { audit list | awk '{ print $3 }' | grep -c "^$1$"; }

# A policy with a mistake is refused by name; nothing is signed.
ctl policy template >"$work/policy.conf" || bad "policy template"
sed 's/^fpir = .*/fpir = 0.5/' "$work/policy.conf" >"$work/wrong.conf"
ctl policy sign "$work/wrong.conf" 2>"$work/said" && bad "an FPIR of 0.5 was signed"
has "what was wrong" fpir "$(cat "$work/said")"
ctl policy show 2>"$work/said" && bad "there is a policy"

start_syncd
wait_for 30 "the booth's enrolment" keys_are_there
run_boothd

# The first policy: taken, and in force without a restart.
sed -i 's/^fpir = .*/fpir = 0.001/; s/^liveness_min = .*/liveness_min = 0.6/; s/^notice = .*/notice = 2026-11/' "$work/policy.conf"
mkdir "$work/notices"
echo "Your photo is compared with your passport." >"$work/notices/en.txt"
echo "Votre photo est comparée à votre passeport." >"$work/notices/fr.txt"
ctl policy sign "$work/policy.conf" --notices "$work/notices" >>"$work/log/centralctl" 2>&1 || bad "policy sign"
wait_for 60 "the policy on the booth" policy_is 1
has "the policy shown" "FPIR 0.001" "$(ctl policy show)"
has "its notices" "2 languages" "$(ctl policy show)"

# The chain grows and the centre countersigns it.
put 3
wait_for 30 "the delivery" none_queued
wait_for 90 "the centre's receipt" countersigned 11
verified=$(audit verify) || bad "verify: $verified"
is "encounters put" 3 "$(in_chain encounter_put)"
is "encounters acknowledged" 3 "$(in_chain encounter_acknowledged)"
is "policies" 1 "$(in_chain policy_put)"
is "boots" 1 "$(in_chain boot)"
# The links by sha256sum and sqlite3: each entry holds the digest of the one before (key 2).
records_db 'SELECT hex(entry) FROM audit ORDER BY seq' | (
	before=$(printf '0%.0s' $(seq 64))
	while read -r entry; do
		case ${entry,,} in
		*"025820$before"*) ;;
		*) exit 1 ;;
		esac
		before=$(printf '%s' "$entry" | xxd -r -p | sha256sum | cut -c1-64)
	done
	exit 0
) || bad "the chain's links, worked out by sha256sum, do not hold"

# What is over its time: the link is down, nobody's image may wait, the record comes all the same.
cut_link
sed -i 's/^\(visitor_h\) = .*/\1 = 0/' "$work/policy.conf"
mend_link
ctl policy sign "$work/policy.conf" >>"$work/log/centralctl" 2>&1 || bad "policy sign"
wait_for 60 "the second policy" policy_is 2
cut_link
wait_for 20 "the news that the link is down" status_has '.sync.state.link == "down"'
cp "$work/put" "$work/before"
put 4
images() { records_db 'SELECT count(*) FROM item WHERE image'; }
no_images() { [ "$(images)" = 0 ]; }
is "images that wait" 4 "$(images)"
wait_for 60 "the end of the images" no_images
is "records that wait" 4 "$(queued)"
is "in the chain" 4 "$(in_chain image_expired)"
id=$(tail -n 1 "$work/put")
has "what became of the face" image_expired "$(boothctl queue show "$id")"
# By hand to the centre, before the link is mended: the same acknowledgement later.
boothctl queue export "$id" "$work/carried" >>"$work/log/boothctl" || bad "queue export"
boothctl queue export "$id" "$work/carried" 2>/dev/null && bad "an exported file was written over"
ctl encounters import --booth "$booth_id" "$work/carried" >>"$work/log/centralctl" 2>&1 || bad "import"
echo rubbish >"$work/rubbish"
ctl encounters import --booth "$booth_id" "$work/rubbish" >/dev/null 2>&1 && bad "rubbish was imported"
mend_link
wait_for 60 "the delivery of records without images" none_queued
comm -13 <(sort "$work/before") <(sort "$work/put") >"$work/late"
ctl encounters list --json --open | jq -r 'select(.face == "image_expired" and .face_bytes == 0 and .traveller == "P1") | .id' | sort >"$work/without"
is "records that say why they have no image" "" "$(comm -3 <(sort "$work/late") "$work/without")"
is "lost or doubled" "$(sort "$work/put")" "$(ctl encounters list --json | jq -r .id | sort)"

# An entry that is changed in a copy is named; so is a chain that was cut.
end "$boothd_pid"
wait_for 90 "the receipt of the last head" countersigned "$(records_db 'SELECT count FROM audit_head')"
ctl audit receipt "$booth_id" "$work/receipt" >>"$work/log/centralctl" || bad "audit receipt"
audit verify --known "$work/receipt" >/dev/null || bad "the whole chain does not verify"
end "$syncd_pid"
cp "$state/records.db" "$work/kept.db"
tampered() { # SQL WORD
	cp "$work/kept.db" "$work/tampered.db"
	sqlite3 "$work/tampered.db" "$1" || bad "sqlite3: $1"
	said=$("$bin/boothctl" --records "$work/tampered.db" --trust "$etc/trust.json" --booth-keys "$state/booth.pub" \
		--json audit verify --known "$work/receipt") && bad "$2 passes"
	is "$1" "$2" "$(printf '%s' "$said" | jq -r .fault)"
}
tampered "UPDATE audit SET entry = unhex(substr(hex(entry), 1, 90) || '00' || substr(hex(entry), 93)) WHERE seq = 5" changed
tampered "DELETE FROM audit WHERE seq = 6" missing
tampered "UPDATE audit SET seq = -1 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = -1" reordered

# The disk is set back to what it was: the booth goes on, the centre does not.
sqlite3 "$state/records.db" "DELETE FROM audit WHERE seq > 6; DELETE FROM audit_signed"
digest=$(records_db 'SELECT hex(entry) FROM audit WHERE seq = 6' | xxd -r -p | sha256sum | cut -c1-64)
sqlite3 "$state/records.db" "UPDATE audit_head SET count = 6, digest = x'$digest'"
known=$(entries_of)
start_syncd
run_boothd
alarm_raised() { ctl alarms list | grep -q audit_conflict; }
wait_for 90 "the alarm" alarm_raised
is "entries that the centre vouches for" "$known" "$(entries_of)"
audit verify --known "$work/receipt" >"$work/said" && bad "a chain that was set back passes"
has "the booth's trouble" "audit" "$(boothctl --json status | jq -r .sync.state.problem)"
end "$boothd_pid"
end "$syncd_pid"
end "$centre_pid"
exit "$failed"
