#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# syncd is killed (-9) at random moments while it enrols and sends, for about half a minute, and so
# is the link now and then: every encounter that was put arrives once. SEED repeats a run; with
# EG_SOAK (./booth check --soak) it is ten minutes.
. "$(dirname "$0")/lib.sh"

RANDOM=${SEED:=$$}
say "SEED=$SEED"
start_world
start_syncd
# more than is sent meanwhile
if [ -n "${EG_SOAK:-}" ]; then put_in_background 20000 30; else put_in_background 3000 8; fi
kills=0 sending=0
length=30
[ -z "${EG_SOAK:-}" ] || length=600
end_at=$((SECONDS + length))
while [ "$SECONDS" -lt "$end_at" ]; do
	# Half of the kills fall into start-up and enrolment, half into sending.
	if [ $((RANDOM % 2)) = 0 ]; then
		sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
	else
		before=$(central_db 'SELECT count(*) FROM encounter')
		for _ in $(seq 100); do
			[ "$(central_db 'SELECT count(*) FROM encounter')" -le "$before" ] || { sending=$((sending + 1)); break; }
			sleep 0.05
		done
		sleep "0.0$((RANDOM % 10))"
	fi
	kill_9 "$syncd_pid"
	kills=$((kills + 1))
	[ $((RANDOM % 5)) != 0 ] || { cut_link; mend_link; }
	start_syncd
done
kill -TERM "$putter" 2>/dev/null
wait "$putter" 2>/dev/null
say "$kills kills, $sending of them while it sent; $(wc -l <"$work/put") encounters put, $(queued) wait"
[ "$sending" -ge 3 ] || bad "hardly anything was sent between the kills"
wait_for 120 "the delivery of everything" none_queued
# The putter may have been ended between a commit and its line: those it told of must be there, and
# what is there was put by it.
records_db "SELECT lower(hex(id)) FROM receipt" |
	sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/' | sort >"$work/receipts"
is "told to be put, without a receipt" "" "$(sort "$work/put" | comm -23 - "$work/receipts" | head -3)"
[ $(($(wc -l <"$work/receipts") - $(wc -l <"$work/put"))) -le 1 ] || bad "more receipts than encounters"
exactly_once "$work/receipts"
end "$syncd_pid"
chain_whole_and_envelopes_gone
exit "$failed"
