#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole of it, from libcamera's virtual camera to the centre, while boothd, syncd and centrald
# are killed (-9) at random and started again: what boothd has reported is at the centre once.
# SEED repeats a run; with EG_SOAK (./booth check --soak) it is ten minutes.
. "$(dirname "$0")/lib.sh"

RANDOM=${SEED:=$$}
say "SEED=$SEED"
rate=30
make_material "$EGRESS_BUILD/kill-demo" "$(dirname "$0")"
start_world
start_syncd
wait_for 60 "the booth's enrolment" keys_are_there
ctl travellers import "$EGRESS_BUILD/kill-demo" --pack "$EGRESS_PACK" >>"$work/log/centralctl" 2>&1 || bad "import"
ctl manifest build --flight EG417 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
	>>"$work/log/centralctl" 2>&1 || bad "manifest build"
wait_for 60 "the manifest's arrival" manifest_is_there
start_boothd "$EGRESS_BUILD/kill-demo/frames" "$rate"

# Listens to boothd, and again each time it was killed. What it hears of is on disk already.
listen() {
	while [ ! -e "$work/enough" ]; do
		boothctl --json watch >>"$work/events" 2>/dev/null
		sleep 0.2
	done
}
: >"$work/events"
listen &
listener=$!
remember "$listener"
reported() { jq -r 'select(.type == "verdict" and .encounter != null) | .encounter' "$work/events" 2>/dev/null; }

# boothd is killed when it has given a verdict since its last start, or every encounter would die
# before it was one; the others at any moment.
kills=0 booth_kills=0 heard=0
soak=${EG_SOAK:-} length=90
[ -z "$soak" ] || length=600
end_at=$((SECONDS + length))
while [ "$SECONDS" -lt "$end_at" ] && { [ -n "$soak" ] || [ "$kills" -lt 10 ] || [ "$booth_kills" -lt 2 ]; }; do
	sleep "$((RANDOM % 4)).$((RANDOM % 10))"
	case $((RANDOM % 3)) in
	0)
		kill_9 "$syncd_pid"
		start_syncd
		;;
	1)
		kill_9 "$centre_pid"
		start_centre
		;;
	2)
		now=$(reported | wc -l)
		[ "$now" -gt "$heard" ] || continue
		kill -KILL "$boothd_pid" || bad "boothd had ended by itself"
		wait "$boothd_wrap" 2>/dev/null
		forget "$boothd_pid"
		forget "$boothd_wrap"
		before=$SECONDS
		start_boothd "$EGRESS_BUILD/kill-demo/frames" "$rate"
		end_at=$((end_at + SECONDS - before)) # loading its models does not count
		booth_kills=$((booth_kills + 1)) heard=$now
		;;
	esac
	kills=$((kills + 1))
done
some_more() { [ "$(reported | wc -l)" -gt "$heard" ]; }
wait_for 120 "a verdict after the last start of boothd" some_more
end "$boothd_pid"
touch "$work/enough"
end "$listener"
wait_for 120 "the delivery of everything" none_queued
reported | sort >"$work/reported"
records_db "SELECT lower(hex(id)) FROM receipt" |
	sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/' | sort >"$work/receipts"
say "$kills kills, $booth_kills of boothd; $(wc -l <"$work/reported") verdicts reported, $(wc -l <"$work/receipts") encounters delivered"
is "reported twice" "" "$(uniq -d "$work/reported")"
is "reported, not delivered" "" "$(comm -23 "$work/reported" "$work/receipts" | head -3)"
[ "$(wc -l <"$work/reported")" -ge 2 ] || bad "hardly anybody had a verdict"
[ "$kills" -ge 5 ] && [ "$booth_kills" -ge 1 ] || bad "hardly anything was killed"
exactly_once "$work/receipts"
is "manifests.db" ok "$(sqlite3 "$state/manifests.db" 'PRAGMA integrity_check')"
ctl encounters list --open >/dev/null 2>"$work/log/open" || bad "an encounter cannot be opened: $(tail -1 "$work/log/open")"
end "$syncd_pid"
chain_whole_and_envelopes_gone
exit "$failed"
