#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Encounters from records.db to the centre through real programs: the plain way, over a link that
# is cut, past a centre that is killed. Afterwards the booth holds nothing of them.
. "$(dirname "$0")/lib.sh"

start_world
put 5 # before there is a certificate
start_syncd
wait_for 30 "the booth's enrolment" keys_are_there
is "the token is used up" no "$([ -e "$keys/sync/token" ] && echo yes || echo no)"
wait_for 30 "the first delivery" none_queued
exactly_once "$work/put"

# What the centre got opens with its key, and was signed by this booth.
is "opened" 5 "$(ctl encounters list --json --open | jq -r 'select(.traveller == "P1" and .face_bytes == 20000) | .id' | wc -l)"

# Erased is erased: no piece of a sealed envelope is left in the booth's files.
piece=$(central_db 'SELECT hex(substr(body, 5000, 24)) FROM envelope LIMIT 1')
is "length of a piece" 48 "${#piece}"
cat "$state"/records.db* | xxd -p -c 0 | grep -qi "$piece" && bad "an acknowledged envelope is still in the booth's files"
cat "$centre"/central.db* | xxd -p -c 0 | grep -qi "$piece" || bad "the search does not find what is there"

# A manifest for this booth arrives.
printf 'id,surname,given,birth,citizenship,document,issuer,flight\nP1,MARLOWE,IVY,1991-04-12,visitor,X1000017,UTO,EG1\n' >"$work/list.csv"
ctl travellers import "$work/list.csv" >>"$work/log/centralctl" 2>&1 || bad "import"
ctl manifest build --flight EG1 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
	>>"$work/log/centralctl" 2>&1 || bad "manifest build"
wait_for 30 "the manifest's arrival" manifest_is_there

# The link is cut: everything waits; mended: everything comes.
cut_link
put 20
wait_for 20 "the news that the link is down" status_has '.sync.state.link == "down"'
is "waiting" 20 "$(queued)"
mend_link
wait_for 60 "the delivery after the cut" none_queued
exactly_once "$work/put"

# The link breaks again and again in the middle.
put_in_background 60 20
for _ in 1 2 3 4 5; do
	sleep "0.$((RANDOM % 6 + 1))"
	cut_link
	sleep "0.$((RANDOM % 3 + 1))"
	mend_link
done
wait "$putter" || bad "system_put failed"
wait_for 60 "the delivery through a bad link" none_queued
exactly_once "$work/put"

# The centre is killed in the middle, three times, and comes again on the same port.
put_in_background 120 10
for _ in 1 2 3; do
	before=$(central_db 'SELECT count(*) FROM encounter')
	some_more_came() { [ "$(central_db 'SELECT count(*) FROM encounter')" -gt "$((before + 3))" ]; }
	wait_for 60 "some more encounters" some_more_came
	kill_9 "$centre_pid"
	start_centre
done
wait "$putter" || bad "system_put failed"
wait_for 60 "the delivery to a centre that was killed" none_queued
exactly_once "$work/put"
end "$syncd_pid"
end "$centre_pid"
exit "$failed"
