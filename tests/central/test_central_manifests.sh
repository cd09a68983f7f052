#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From a list and photos to a manifest that is fetched in pieces.
. "$(dirname "$0")/lib.sh"
[ -s "${EGRESS_PACK:-}/pack.json" ] && [ -s "${EGRESS_FACES:-}/sample1.jpg" ] || { say "no model pack or faces"; exit 77; }

ctl init centre >/dev/null || exit 1
start
enrol lane-1; enrol lane-2
db() { sqlite3 -readonly centre/central.db "$1"; }
HEAD='id,surname,given,birth,citizenship,document,issuer,flight,pnr,sequence'
mkdir -p list/photos
printf '%s\r\nP1,"Müller, von",Anna,1984-02-29,citizen,C01X00T47,D,EG1,ABC123,12\r\nP2,Doe,,,visitor,,,EG1,,\r\nP_2020,Roe,Jo,,resident,X1,USA,EG1,,\r\n' "$HEAD" >list/travellers.csv

# Which of the samples hold one face, several? Said by their makers: 2 holds several people.
cp "$EGRESS_FACES/sample1.jpg" list/photos/P1_passport_2021.jpg
cp "$EGRESS_FACES/sample2.jpg" list/photos/P2.jpg
head -c 3000 "$EGRESS_FACES/sample1.jpg" >list/photos/P_2020.jpg
printf 'hello' >list/photos/P1_visa_2020.jpg
cp "$EGRESS_FACES/sample1.jpg" list/photos/stranger.jpg
touch list/photos/notes.txt
ctl travellers import list --pack "$EGRESS_PACK" >import.out 2>import.err || bad "import: $(cat import.err)"
for word in stranger.jpg notes.txt P1_visa_2020.jpg P_2020.jpg; do has "listed" "$word" "$(cat import.out)"; done
has "counts" "3 bookings" "$(cat import.out)"
is "people" 3 "$(db 'SELECT count(*) FROM person')"
is "quoted name" "Müller, von" "$(db "SELECT surname FROM person WHERE id = 'P1'")"
# A portrait is taken as it is, to the byte.
portrait="${EGRESS_DATA:-}/lfw_view1/images/AJ_Cook/AJ_Cook_0001.jpg"
if [ -s "$portrait" ]; then
	cp "$portrait" list/photos/P1_entry_2022.jpg
	ctl travellers import list --pack "$EGRESS_PACK" >import.out 2>import.err || bad "import: $(cat import.err)"
	is "one photo" "P1 3 2022 $(sha256sum <"$portrait" | cut -d' ' -f1)" \
		"$(db "SELECT person || ' ' || source || ' ' || year FROM photo") $(db 'SELECT hex(jpeg) FROM photo' | xxd -r -p | sha256sum | cut -d' ' -f1)"
else
	say "no photos in EGRESS_DATA: a photo that is taken is not tested"
fi

# All or nothing
printf '%s\nP7,A,B,,citizen,,,EG1,,\nP8,A,B,1984-13-01,citizen,,,EG1,,\n' "$HEAD" >bad.csv
ctl travellers import bad.csv >/dev/null 2>err && bad "a month 13"
has "line and column" "line 3, column 'birth'" "$(cat err)"
is "nothing of it" 3 "$(db 'SELECT count(*) FROM person')"

build() { ctl manifest build --flight "$1" --booth "$2" --port KEF --departs "$3" --valid-hours 6; }
LATER=$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)
ID=EG1-$(date -u -d '+3 hours' +%Y%m%d)
build EG1 lane-1 "$LATER" 2>err && bad "a manifest for a booth without keys"
has "no keys" "has not registered its keys" "$(cat err)"
{ printf 'a2015841'; tr -d '\n' <centre/seal.pub; printf '025841'; tr -d '\n' <centre/sign.pub; } | xxd -r -p >keys
is "keys" 204 "$(as lane-1 -T keys -H 'Content-Type: application/cbor' "$URL/v1/booth-keys")"
build EG2 lane-1 "$LATER" 2>err && bad "a flight without people"
build EG1 lane-1 2020-01-01T00:00:00Z 2>err && bad "a flight long gone"
build EG1 lane-1 tomorrow 2>err && bad "a time called tomorrow"
build EG1 lane-1 "$LATER" >out || bad "build"
has "version" "version 1" "$(cat out)"
build EG1 lane-1 "$LATER" >out || bad "build again"
has "version" "version 2" "$(cat out)"
has "list" "$ID" "$(ctl manifest list)"

is "list of the booth" 200 "$(as lane-1 "$URL/v1/manifests")"
is "its id" "$ID" "$(jq -r '.[0].id' body)"; is "its version" 2 "$(jq -r '.[0].version' body)"
length=$(jq -r '.[0].length' body); etag=$(jq -r '.[0].etag' body)
tag=$(grep -i '^etag' headers | tr -d '\r' | cut -d' ' -f2)
is "the list unchanged" 304 "$(as lane-1 -H "If-None-Match: $tag" "$URL/v1/manifests")"
is "another booth's list" 200 "$(as lane-2 "$URL/v1/manifests")"; is "is empty" "[]" "$(cat body)"
is "another booth's manifest" 404 "$(as lane-2 "$URL/v1/manifests/$ID")"; problem 404

get() { as lane-1 "$@" "$URL/v1/manifests/$ID"; }
is "get" 200 "$(get)"; cp body whole
is "length" "$length" "$(stat -c %s whole)"
is "digest" "$(sha256sum <whole | cut -d' ' -f1)" "$(db 'SELECT lower(hex(digest)) FROM manifest WHERE version = 2')"
has "type" "application/vnd.egress.manifest" "$(cat headers)"; has "etag" "$etag" "$(cat headers)"
grep -aq 'ller, von' whole && bad "a name in clear"
is "unchanged" 304 "$(get -H "If-None-Match: $etag")"
: >pieces; at=0
step=$((length / 4 + 1)) # large pieces: curl starts anew for each
while [ "$at" -lt "$length" ]; do
	is "piece at $at" 206 "$(get -H "Range: bytes=$at-$((at + step - 1))" -H "If-Range: $etag")"
	cat body >>pieces; at=$((at + step))
done
cmp -s pieces whole || bad "the pieces are not the whole"
has "range" "bytes $((at - step))-$((length - 1))/$length" "$(grep -i content-range headers)"
is "the last bytes" 206 "$(get -H 'Range: bytes=-10')"; tail -c 10 whole | cmp -s - body || bad "last bytes"
is "from the middle" 206 "$(get -H "Range: bytes=$((length / 2))-")"; tail -c "+$((length / 2 + 1))" whole | cmp -s - body || bad "from the middle"
is "outside" 416 "$(get -H "Range: bytes=$length-")"; problem 416
for range in 'bytes=5-1' 'bytes=a-b' 'lines=1-2' 'bytes=0-1,5-6' 'bytes=-' 'bytes=99999999999999999999-'; do
	is "range $range" 200 "$(get -H "Range: $range")"
done
is "of an older version" 200 "$(get -H 'Range: bytes=0-9' -H 'If-Range: "old"')"
# A large import shares the file: parts of it are seen meanwhile, and no booth is refused.
{ echo "$HEAD"; seq -f 'L%.0f,SURNAME,GIVEN,1990-01-01,visitor,,,EG99,,' 20000; } >large.csv
ctl travellers import large.csv >import.out 2>import.err &
importer=$!
partly=no
while kill -0 "$importer" 2>/dev/null; do
	is "heartbeat during an import" 204 "$(as lane-1 -H 'Content-Type: application/json' -d '{}' "$URL/v1/heartbeat")"
	seen=$(db "SELECT count(*) FROM booking WHERE flight = 'EG99'")
	[ "$seen" -eq 0 ] || [ "$seen" -eq 20000 ] || partly=yes
done
wait "$importer" || bad "the large import: $(cat import.err)"
is "all of it" 20000 "$(db "SELECT count(*) FROM booking WHERE flight = 'EG99'")"
is "seen in parts" yes "$partly"

stop; is "SIGTERM" 0 "$STATUS"
finish
