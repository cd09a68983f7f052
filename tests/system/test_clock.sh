#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The real boothd, syncd and centrald with clocks that are wrong by a year, that never ran (1970),
# and that are set while the programs run (shift_clock.c): nothing is lost, nobody is confirmed with
# a manifest that is not of this time, and syncd says in words that it is
# the clock.
. "$(dirname "$0")/lib.sh"

year=$((365 * 86400 * 1000)) hour=3600000
aboard=$(with_clock booth)
there=$(with_clock centre)
export ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" # the library stands before ASan's
to_1970() { set_clock booth $((60000 - $(date +%s) * 1000)) 0; } # a minute after it began

problem() { boothctl --json status 2>/dev/null | jq -r '.sync.state.problem'; }
says() { problem | grep -qi -- "$1"; }
no_dead_letter() { is "dead letters ($1)" 0 "$(records_db 'SELECT dead FROM tally')"; }
new_connection() { cut_link; mend_link; }
# troubled WHAT COUNT WORDS: with COUNT more encounters nothing gets through, and syncd says so
troubled() {
	put "$2" 0 500
	wait_for 40 "$1: the words '$3'" says "$3"
	is "waiting ($1)" "$2" "$(queued)"
	no_dead_letter "$1"
}
healed() { # WHAT
	wait_for 60 "$1: the delivery afterwards" none_queued
	wait_for 30 "$1: the end of the problem" status_has '.sync.state.link == "up" and .sync.state.problem == ""'
	no_dead_letter "$1"
	exactly_once "$work/put"
	say "$1: done after $SECONDS s"
}

start_world
start_syncd
put 2 0 500
wait_for 60 "the first delivery" none_queued
wait_for 30 "the booth's keys at the centre" keys_are_there

# ---- a retry time that lies 30 hours ahead, as the clock was set back, counts as due
set_clock booth $((30 * hour)) 0
cut_link
put 2 0 500
tried() { [ "$(records_db 'SELECT count(*) FROM item WHERE attempts > 0')" -ge 1 ]; }
wait_for 40 "an attempt" tried
set_clock booth 0 0
mend_link
healed "set back 30 hours"

# ---- the booth a year back, a year ahead
set_clock booth -$year 0
new_connection
troubled "a year back" 2 "not yet valid.*booth's clock"
set_clock booth 0 0
healed "a year back"
# A year ahead the centre's certificate is still good, and the booth's own looks as if it had ended:
# it is renewed once, not again and again (seen: four a second before net/sync.c waited).
issued() { central_db 'SELECT count(*) FROM certificate'; }
before=$(issued)
set_clock booth $year 0
new_connection
put 2 0 500
wait_for 40 "the delivery a year ahead" none_queued
sleep 3
[ "$(($(issued) - before))" -le 2 ] || bad "a year ahead $(($(issued) - before)) certificates were asked for"
healed "a year ahead"
set_clock booth $((3 * year)) 0
new_connection
troubled "three years ahead" 2 "has expired.*booth's clock"
end "$syncd_pid" # and it starts like that
start_syncd
troubled_still() { says "clock" || says "ended on"; }
wait_for 40 "words after a start a year ahead" troubled_still
set_clock booth 0 0
healed "three years ahead"

# ---- no clock at boot: 1970; set while running, forwards and backwards
end "$syncd_pid"
to_1970
start_syncd
troubled "1970" 2 "not yet valid.*booth's clock"
cp "$work/put" "$work/before"
put_in_background 40 50 500 # from here on ids of one program
sleep 0.7
set_clock booth 0 0
sleep 0.7
to_1970
sleep 0.7
set_clock booth 0 0
wait "$putter" || bad "system_put failed"
healed "1970"
comm -13 <(sort "$work/before") <(sort "$work/put") >"$work/those"
is "ids of one program rise" "$(cat "$work/those")" "$(tail -n 40 "$work/put")"
is "ids given twice" "" "$(sort "$work/put" | uniq -d)"

# ---- the centre a year back, a year ahead
set_clock centre -$year 0
troubled "the centre a year back" 2 "refused: it is not valid yet"
is "the link" refused "$(boothctl --json status | jq -r .sync.state.link)"
set_clock centre 0 0
healed "the centre a year back"
set_clock centre $year 0
troubled "the centre a year ahead" 2 "refused: it has expired"
set_clock centre 0 0
healed "the centre a year ahead"

# ---- boothd: people are there all the time; nobody is confirmed while the clock is wrong
if [ -e "${EGRESS_PACK:-}/pack.json" ] && [ -d "$EGRESS_BUILD/run/test_booth_material/made/walk" ]; then
	made=$EGRESS_BUILD/run/test_booth_material/made
	mkdir "$work/pictures"
	cp "$made"/walk/* "$made"/loop/80000[0-9].jpg "$made"/loop/80001[0-3].jpg "$work/pictures"
	ctl travellers import "$made" --pack "$EGRESS_PACK" >>"$work/log/centralctl" 2>&1 || bad "import"
	ctl manifest build --flight EG417 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
		>>"$work/log/centralctl" 2>&1 || bad "manifest build"
	wait_for 60 "the manifest's arrival" manifest_is_there
	end "$syncd_pid" # it would erase what expired; what boothd does with it is asked here
	camera_lines="backend = folder
source = $work/pictures"
	write_config 3 <<-END
		[policy]
		needs_liveness = no
		try_ms = 20000
		patience_ms = 60000
		show_ms = 300
	END
	run_boothd() {
		rm -f "$run/booth"
		# shellcheck disable=SC2086
		$aboard "$bin/boothd" --config "$etc/boothd.conf" 2>>"$work/log/boothd" &
		boothd_pid=$!
		remember "$boothd_pid"
		wait_for 240 "the start of boothd" test -S "$run/booth"
	}
	booth() { boothctl --json status 2>/dev/null | jq -e ".booth | $1"; }
	more() { [ "$(booth ".$1")" -gt "$2" ]; }
	one_more() { wait_for 120 "$2: one more $1" more "$1" "$(booth ".$1")"; }
	only_officers() { # WHAT: two go to the officer, nobody is confirmed, and the status says why
		one_more referred "$1" # this one may have come before the clock changed
		had=$(booth .confirmed)
		one_more referred "$1"
		one_more referred "$1"
		is "confirmed ($1)" "$had" "$(booth .confirmed)"
		is "said to be stale ($1)" true "$(booth .manifest.stale)"
	}
	run_boothd
	one_more confirmed "the right clock"
	for wrong in -$year $year; do
		set_clock booth "$wrong" 0
		only_officers "clock wrong by $wrong ms"
		set_clock booth 0 0
		one_more confirmed "the right clock again"
	done
	to_1970
	only_officers "1970"

	set_clock booth 0 0
	end "$boothd_pid"
	boothctl --trust "$etc/trust.json" --booth-keys "$state/booth.pub" audit verify >"$work/verified" 2>&1 ||
		bad "the audit chain: $(cat "$work/verified")"
	set_clock booth 0 0
	start_syncd
	wait_for 60 "the delivery of what boothd recorded" none_queued
	no_dead_letter "boothd"
fi
end "$syncd_pid"
end "$centre_pid"
say "boothd: done after $SECONDS s"
exit "$failed"
