#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Counts by group, from travellers before the booth's camera to the operator's table at the centre:
# what boothd counted is what the encounters say, a running week stays on the booth, and of a week
# that is over only what is large enough leaves it.
. "$(dirname "$0")/lib.sh"

make_material "$EGRESS_BUILD/kill-demo" "$(dirname "$0")"
start_world
start_syncd
wait_for 60 "the booth's enrolment" keys_are_there
mkdir "$work/list"
ln -s "$EGRESS_BUILD/kill-demo/photos" "$work/list/photos"
awk 'NR == 1 { print $0 ",sex,region" } NR > 1 { print $0 ",F,oceania" }' \
	"$EGRESS_BUILD/kill-demo/travellers.csv" >"$work/list/travellers.csv"
ctl travellers import "$work/list" --pack "$EGRESS_PACK" >>"$work/log/centralctl" 2>&1 || bad "import"
ctl manifest build --flight EG417 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
	>>"$work/log/centralctl" 2>&1 || bad "manifest build"
wait_for 60 "the manifest's arrival" manifest_is_there
start_boothd "$EGRESS_BUILD/kill-demo/frames" 30
confirmed_some() { [ "$(records_db 'SELECT acknowledged FROM tally')" -ge 2 ] && status_has '.booth.confirmed > 0'; }
wait_for 240 "a confirmation and another encounter at the centre" confirmed_some
end "$boothd_pid"
wait_for 60 "the delivery of everything" none_queued

# counts, by the sealed encounters that the centre opens; sums of the booth's table
ctl encounters list --json --open >"$work/opened" 2>>"$work/log/centralctl" || bad "encounters list"
opened() { jq -s "map(select($1)) | length" "$work/opened"; }
booth() { records_db "SELECT coalesce(sum(n), 0) FROM counts WHERE $1"; }
all=$(opened true) yes=$(opened '.verdict == "confirmed"')
for axis in 0 1 2; do
	is "encounters on axis $axis" "$all" "$(booth "axis = $axis AND measure = 0")"
	is "captures and none on axis $axis" "$all" "$(booth "axis = $axis AND measure IN (1, 2)")"
	is "confirmed on axis $axis" "$yes" "$(booth "axis = $axis AND measure = 3")"
	is "referred on axis $axis" "$((all - yes))" "$(booth "axis = $axis AND measure BETWEEN 4 AND 16")"
done
is "confirmed women" "$yes" "$(booth 'axis = 1 AND grp = 1 AND measure = 3')"
is "confirmed from Oceania" "$yes" "$(booth 'axis = 2 AND grp = 6 AND measure = 3')"
is "confirmed of no known age" 0 "$(booth 'axis = 0 AND grp = 0 AND measure = 3')"
is "a manifest of a few people is not compared" 0 "$(booth 'measure >= 100')"
is "the manifest is noted" 1 "$(records_db 'SELECT count(*) FROM counted')"

# The running week stays here.
beats() { jq -r .time <<<"$(central_db 'SELECT heartbeat FROM booth')"; }
before=$(beats)
next_beat() { [ "$(beats)" != "$before" ]; }
wait_for 60 "a heartbeat" next_beat
is "weeks at the centre" 0 "$(central_db 'SELECT count(*) FROM counts')"

# It is over: as few people as there were are hidden, whoever looks.
records_db 'UPDATE counts SET week_ms = week_ms - 604800000'
week_came() { [ "$(central_db 'SELECT count(*) FROM counts')" = "$1" ]; }
wait_for 60 "the week" week_came 1
central_db 'SELECT body FROM counts' | jq -e '[.. | numbers] == [7]' >/dev/null ||
	bad "numbers left the booth: $(central_db 'SELECT body FROM counts')"
ctl counts >"$work/table" || bad "counts"
grep -q '^all  *0+ ' "$work/table" || bad "the table of hidden counts: $(cat "$work/table")"

# Of a busier one, thirty times as many, all is shown.
records_db "UPDATE counts SET week_ms = week_ms - 604800000, n = n * 30"
end "$syncd_pid"
start_syncd
wait_for 60 "the busy week" week_came 2
ctl counts --booth "$booth_id" >"$work/table" || bad "counts"
grep -q "^all  *$((all * 30))+ " "$work/table" || bad "no encounters: $(cat "$work/table")"
share=$(awk -v a="$all" -v y="$yes" 'BEGIN { printf "%.2f %% ", 100 * y / a }')
grep -qF "$share" "$work/table" || bad "the table has no $share: $(cat "$work/table")"
grep -q '^  female ' "$work/table" && grep -q '^  oceania ' "$work/table" || bad "groups: $(cat "$work/table")"
for word in $(jq -r '.traveller // empty' "$work/opened" | sort -u); do
	central_db 'SELECT body FROM counts' | grep -qw "$word" && bad "$word is in the counts"
done
exit "$failed"
