#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Encounters: what was acknowledged is there, exactly once, whatever is killed. sqlite3 judges.
#
# Seen to fail: synchronous=OFF (acknowledged before the flush), digests not compared, records not
# compared when the image is gone, the one without its image refused, alarm left out.
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
start
enrol lane-1; enrol lane-2
KID=$(kid)
db() { sqlite3 -readonly centre/central.db "$1"; }
put() { # put WHO FILE UUID
	as "$1" -T "$2" -H 'Content-Type: application/vnd.egress.encounter' "$URL/v1/encounters/$3"
}
U=$(uuid 1); envelope e1 "$U" "$KID" a; envelope other "$U" "$KID" b
is "new" 201 "$(put lane-1 e1 "$U")"; cp body ack1
has "type" "application/vnd.egress.ack" "$(cat headers)"
is "again" 200 "$(put lane-1 e1 "$U")"; cmp -s body ack1 || bad "another acknowledgement for the same bytes"
is "other bytes" 409 "$(put lane-1 other "$U")"; problem 409
is "another booth" 409 "$(put lane-2 e1 "$U")"; problem 409
is "alarms" 2 "$(db 'SELECT count(*) FROM alarm')"
has "alarms list" "encounter_conflict" "$(ctl alarms list)"
is "the bytes are the first ones" "$(sha256sum <e1 | cut -d' ' -f1)" \
	"$(db "SELECT hex(body) FROM envelope" | xxd -r -p | sha256sum | cut -d' ' -f1)"
is "its digest" "$(sha256sum <e1 | cut -d' ' -f1)" "$(db 'SELECT lower(hex(digest)) FROM encounter')"
# The digest stands in the acknowledgement, behind the key 3 and the head of 32 bytes.
has "the acknowledgement" "035820$(sha256sum <e1 | cut -d' ' -f1)" "$(xxd -p ack1 | tr -d '\n')"

V=$(uuid 2); envelope e2 "$V" "$KID" c
is "another id in the path" 422 "$(put lane-1 e2 "$(uuid 3)")"; problem 422
envelope strange "$V" 0011223344556677 c
is "sealed to somebody else" 422 "$(put lane-1 strange "$V")"; problem 422

# With an image, then without it: the booth dropped it, the acknowledgement having been lost
W=$(uuid 4); envelope dropped "$W" "$KID" f
{ head -c -1 dropped; printf '\130\144'; head -c 100 /dev/zero; } >whole
{ head -c -1 dropped; printf '\001'; } >expired
is "with its image" 201 "$(put lane-1 whole "$W")"; cp body ack1
is "without its image" 200 "$(put lane-1 expired "$W")"; cmp -s body ack1 || bad "not the whole one's acknowledgement"
is "another booth without it" 409 "$(put lane-2 expired "$W")"
envelope other "$W" "$KID" b
is "another record" 409 "$(put lane-1 other "$W")"
W=$(uuid 5); envelope dropped "$W" "$KID" f; { head -c -1 dropped; printf '\001'; } >expired
{ head -c -1 dropped; printf '\130\144'; head -c 100 /dev/zero; } >whole
is "without from the first" 201 "$(put lane-1 expired "$W")"
is "an image later" 409 "$(put lane-1 whole "$W")"

# Two at once
for i in $(seq 10 17); do
	U=$(uuid "$i"); envelope "p$i" "$U" "$KID" d
	for side in a b c; do
		curl -sS --max-time 20 --cacert centre/ca.crt --cert lane-1.crt --key lane-1.key -T "p$i" \
			-H 'Content-Type: application/vnd.egress.encounter' -o "p$i.$side" "$URL/v1/encounters/$U" &
		eval "job_$side=\$!"
	done
	wait "$job_a" "$job_b" "$job_c"
	cmp -s "p$i.a" "p$i.b" && cmp -s "p$i.b" "p$i.c" || bad "parallel puts got different answers"
done
is "one row each" 11 "$(db 'SELECT count(*) FROM encounter')"

# What is acknowledged is on the disk: seen from the kernel, the log (central.db-wal) is flushed after
# its last byte was written and before a byte goes to the booth.
strace -f -qq -y -e trace=pwrite64,fsync,fdatasync,sendmsg,sendto,write,writev -p "$PID" -o calls 2>strace.err &
tracer=$!
for _ in $(seq 100); do # until it holds all threads
	for task in "/proc/$PID/task"/*; do grep -q '^TracerPid:[[:space:]]*0$' "$task/status" && continue 2; done
	break
done
for i in 30 31 32; do
	envelope flushed "$(uuid "$i")" "$KID" g
	is "traced" 201 "$(put lane-1 flushed "$(uuid "$i")")"
done
kill "$tracer"; wait "$tracer" 2>/dev/null
awk '/pwrite64\(.*central\.db-wal>/ { dirty = 1; puts++ }
	/f(data)?sync\(.*central\.db-wal>/ || /f(data)?sync resumed/ { if (/= 0$/) dirty = 0 }
	/(sendmsg|sendto|writev?)\([0-9]+<(socket|TCP)/ { if (dirty) early++; else if (puts) answers++ }
	END { print (puts >= 3 && answers >= 3 && !early) ? "flushed" : "puts " puts ", answers " answers ", early " early }' calls >order
is "acknowledged after the flush" flushed "$(cat order)"

# kill -9 in the midst of it: three rounds
: >acked
next=100
for round in 1 2 3; do
	(
		for i in $(seq $next $((next + 200))); do
			U=$(uuid "$i"); envelope "k$round" "$U" "$KID" e
			code=$(curl -s --max-time 5 --cacert centre/ca.crt --cert lane-1.crt --key lane-1.key -T "k$round" \
				-H 'Content-Type: application/vnd.egress.encounter' -o /dev/null -w '%{http_code}' "$URL/v1/encounters/$U") || exit 0
			[ "$code" = 201 ] && echo "$U" >>acked
		done
	) &
	putter=$!
	wanted=$(($(wc -l <acked) + 4))
	for _ in $(seq 600); do # the machine may be busy
		[ "$(wc -l <acked)" -ge "$wanted" ] && break
		sleep 0.05
	done
	sleep "0.0$round"
	stop KILL
	wait "$putter"
	next=$((next + 1000))
	start
done
[ "$(wc -l <acked)" -ge 6 ] || bad "hardly anything was put: $(wc -l <acked)"
while read -r U; do
	is "$U is there" 1 "$(db "SELECT count(*) FROM encounter e JOIN envelope v ON v.encounter = e.seq WHERE hex(id) = upper('$(printf %s "$U" | tr -d -)')")"
done <acked
is "integrity" ok "$(db 'PRAGMA integrity_check')"
rows=$(db 'SELECT count(*) FROM encounter')
is "list" "$rows" "$(ctl encounters list --json | jq -s length)"
ctl encounters list --open >/dev/null 2>err && bad "rubbish was opened"
has "unopened" "cannot be opened" "$(cat err)"

# Keys and heartbeat
{ printf 'a2015841'; xxd -p centre/seal.pub >/dev/null; tr -d '\n' <centre/seal.pub; printf '025841'; tr -d '\n' <centre/sign.pub; } | xxd -r -p >keys
{ printf 'a2015841'; tr -d '\n' <centre/sign.pub; printf '025841'; tr -d '\n' <centre/seal.pub; } | xxd -r -p >keys2
keys() { as "$1" -T "$2" -H 'Content-Type: application/cbor' "$URL/v1/booth-keys"; }
is "keys" 204 "$(keys lane-1 keys)"
is "the same keys" 204 "$(keys lane-1 keys)"
is "other keys" 409 "$(keys lane-1 keys2)"; problem 409
rm lane-1.key; enrol lane-1
is "other keys after a new token" 204 "$(keys lane-1 keys2)"
is "heartbeat" 204 "$(as lane-1 -H 'Content-Type: application/json' -d '{"queue":{"queued":3}}' "$URL/v1/heartbeat")"
is "heartbeat is kept" '{"queue":{"queued":3}}' "$(db "SELECT heartbeat FROM booth WHERE id = 'lane-1'")"
stop; is "SIGTERM" 0 "$STATUS"
finish
