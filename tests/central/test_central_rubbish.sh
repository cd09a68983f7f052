#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rubbish on every route: one clear problem each, and the service lives.
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
start
enrol lane-1
U=$(uuid 7)
: >empty; head -c 3000 /dev/urandom >noise; printf '\x84\x01\x48' >short
head -c 1200000 /dev/zero >big; head -c 30000000 /dev/zero >huge
envelope good "$U" "$(kid)" a; head -c 60 good >cut; { cat good; echo x; } >long

# METHOD PATH TYPE
while read -r method path type; do
	token=$(ctl token new lane-9 | jq -r .token)
	send() { as lane-1 -u "lane-9:$token" -X "$method" -H "Content-Type: $1" --data-binary "@$2" "$URL$path"; }
	for file in empty noise short cut long; do
		code=$(send "$type" "$file")
		case "$code" in 400|413) problem "$code" ;; *) bad "$path with $file: $code" ;; esac
	done
	is "$path with another type" 415 "$(send text/plain noise)"; problem 415
	is "$path too large" 413 "$(send "$type" big)"; problem 413
	is "$path huge" 413 "$(send "$type" huge)"; problem 413
	is "$path too large, in chunks" 413 "$(as lane-1 -u "lane-9:$token" -X "$method" -H 'Transfer-Encoding: chunked' -H 'Expect:' -H "Content-Type: $type" --data-binary @big "$URL$path")"; problem 413
	is "$path DELETE" 405 "$(as lane-1 -X DELETE "$URL$path")"; problem 405
	has "Allow" "$method" "$(grep -i '^allow:' headers)"
done <<END
POST /.well-known/est/simpleenroll application/pkcs10
POST /.well-known/est/simplereenroll application/pkcs10
PUT /v1/booth-keys application/cbor
PUT /v1/encounters/$U application/vnd.egress.encounter
POST /v1/heartbeat application/json
END
for path in /.well-known/est/cacerts /v1/manifests /v1/manifests/F1; do
	is "POST $path" 405 "$(as lane-1 -d x "$URL$path")"; problem 405
done
for json in '[]' '1' '{"a":' 'null'; do
	is "heartbeat $json" 400 "$(as lane-1 -H 'Content-Type: application/json' -d "$json" "$URL/v1/heartbeat")"; problem 400
done
# Counts by group: refused whole, with a sentence, and nothing of them is kept.
week() { printf '{"from":"%s","days":7%s}' "$1" "$2"; }
good=$(week 2026-11-16 '')
for counts in 7 '{}' '[7]' '[null]' "[$good,$(week 2026-11-24 '')]" "[$good,$(week 2026-11-23 ',"all":{"encounters":9}')]" \
	"[$good,$good,$good,$good,$good]" "[$(week 2026-11-23 ',"sex":{"male":{"captures":-5}}')]" \
	"[$(week 2026-11-23 ',"all":{"encounters":1e30}')]" "[$(week 2026-11-23 ',"age":[]')]"; do
	is "counts $counts" 400 "$(as lane-1 -H 'Content-Type: application/json' -d "{\"counts\":$counts}" "$URL/v1/heartbeat")"; problem 400
	has "counts $counts" "counts" "$(jq -r .detail body)"
done
is "no counts kept" 0 "$(sqlite3 -readonly centre/central.db 'SELECT count(*) FROM counts')"
for _ in 1 2; do # a week that comes again replaces itself
	is "good counts" 204 "$(as lane-1 -H 'Content-Type: application/json' -d "{\"counts\":[$good,$(week 2026-11-23 ',"all":{"encounters":40,"confirmed":20,"captures":40,"referred":{"no_face":null}}')]}" "$URL/v1/heartbeat")"
done
is "counts kept" 2 "$(sqlite3 -readonly centre/central.db 'SELECT count(*) FROM counts')"
ctl counts >counts.out || bad "counts"
grep -q '^all  *40  100.00 % (91.24 to 100.00 of 40)  *50.00 % (35.20 to 64.80 of 40)' counts.out || bad "the table: $(cat counts.out)" # z = 1.96, by hand
is "booths and a total" 2 "$(grep -c 'weeks, from the week of 2026-11-16 to that of 2026-11-23' counts.out)"
is "from" 1 "$(ctl counts --booth lane-1 --from 2026-11-20 | grep -c '1 week, from the week of 2026-11-23')"
has "none" "No booth has sent counts" "$(ctl counts --booth lane-2)"
ctl counts --from yesterday 2>err && bad "a day called yesterday"
has "yesterday" "must be a date" "$(cat err)"
for path in / /v1 /v1/ /v1/manifests/ /v1/manifests/../booth-keys /v1/manifests/%2e%2e /v1/manifests%00 \
	/v1/manifests/a%2Fb /v1/manifests/a/b //v1/manifests /v1/encounters/ "/v1/manifests/$(head -c 200 /dev/zero | tr '\0' a)" \
	/V1/manifests /.well-known/est /healthz; do
	is "$path" 404 "$(as lane-1 --path-as-is "$URL$path")"; problem 404
done
is "unknown manifest" 404 "$(as lane-1 "$URL/v1/manifests/none")"; problem 404
for id in x 0193 00000000-0000-4000-8000-000000000000 "${U}0"; do
	is "id $id" 400 "$(as lane-1 -T good -H 'Content-Type: application/vnd.egress.encounter' "$URL/v1/encounters/$id")"; problem 400
done
is "large headers" 431 "$(as lane-1 -H "X: $(head -c 20000 /dev/zero | tr '\0' a)" "$URL/v1/manifests")"
head -c 4000 /dev/urandom | timeout 5 bash -c "cat >/dev/tcp/127.0.0.1/$PORT" 2>/dev/null
printf 'GET / HTTP/1.0\r\n\r\n' | timeout 5 bash -c "cat >/dev/tcp/127.0.0.1/$PORT" 2>/dev/null
is "it lives" 200 "$(as lane-1 "$URL/v1/manifests")"
kill -0 "$PID" || bad "centrald is gone"
stop; is "SIGTERM" 0 "$STATUS"
finish
