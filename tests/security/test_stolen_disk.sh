#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A stolen disk. What the demo left on its booth (tests/demo/demo keeps it: databases, logs of both
# programs, keys, configuration) at two moments: with the link down and travellers waiting, confirmed
# and referred; and at the end, when all was delivered and erased and one wanted no camera. Its raw
# bytes hold no face, template, name or document number, in any form that stolen-disk knows.
#
# The files are read raw, free pages and logs of the databases too. Blocks that the file system gave
# back are not: that takes an image of a real disk (stolen-disk IMAGE).
#
# It finds what it should: each kind of thing is planted in a copy.
set -u
find . -mindepth 1 -delete
disk=$EGRESS_BUILD/run/demo_once/disk
made=$EGRESS_BUILD/demo
failed=0
bad() { echo "FAILED: $*"; failed=1; }
[ -d "$disk/end" ] && [ -d "$disk/link-down" ] || { echo "skipped: no demo ran here"; exit 77; }

shopt -s nullglob
photos=("$made"/photos/*.jpg)
"$EGRESS_BUILD/bin/security_template" "$EGRESS_PACK" "${photos[@]:0:3}" >templates 2>said || bad "templates: $(cat said)"
[ "$(stat -c %s templates)" -ge 2048 ] || bad "no photo has a template"
search() { # PATH
	"$EGRESS_SOURCE/tests/security/stolen-disk" --people "$made/travellers.csv" --pictures "$made/photos" \
		--templates templates "$1" 2>&1
}

waiting=$(sqlite3 "$disk/link-down/state/records.db" 'SELECT count(*) FROM item' 2>&1)
[ "$waiting" -ge 2 ] || bad "hardly anybody waited while the link was down: $waiting"
for moment in link-down end; do
	[ -s "$disk/$moment/state/manifests.db" ] || bad "$moment: no manifests.db"
	search "$disk/$moment" || bad "$moment"
done

# planted WHAT BYTES-FILE: behind a file of its own, and over the middle of a database
planted() {
	for place in file page; do
		rm -rf copy
		mkdir copy
		cp "$disk/end/state/records.db" copy/records.db
		if [ "$place" = file ]; then
			{ head -c 4097 /dev/zero; cat "$2"; } >copy/left-behind
		else
			dd if="$2" of=copy/records.db bs=1 seek=5003 conv=notrunc status=none
		fi
		search copy >found && bad "$1 in a $place: not found"
		grep -q "FOUND $3" found || bad "$1 in a $place: $(cat found)"
	done
}
IFS=, read -r -a column < <(sed -n 1p "$made/travellers.csv" | tr -d '\r')
IFS=, read -r -a value < <(sed -n 2p "$made/travellers.csv" | tr -d '\r')
for i in "${!column[@]}"; do declare "the_${column[$i]}=${value[$i]:-}"; done
printf '%s' "$the_surname" >needle && planted "a name" needle name
printf '%s<<%s<<' "$the_surname" "$the_given" >needle && planted "a name as in the MRZ" needle name
printf '%s' "${the_surname,,}" | iconv -t UTF-16LE >needle && planted "a name in UTF-16" needle name
printf '%s' "$the_document" >needle && planted "a number" needle document
printf '%s' "$the_document" | openssl dgst -sha256 -binary >needle && planted "a number's digest" needle document
printf '%s' "$the_issuer$the_document" | sha1sum | cut -c1-40 >needle && planted "a number's digest in text" needle document
head -c 3000 "${photos[0]}" >needle && planted "a photo" needle "a JPEG picture"
dd if="${photos[0]}" of=needle bs=1 skip=1001 count=100 status=none && planted "a piece of a photo" needle "bytes of the picture"
dd if=templates of=needle bs=1 skip=512 count=64 status=none && planted "a template" needle template
python3 -c '
import numpy as np
t = np.fromfile("templates", "<f4")[:512]
np.rint(t * (127 / np.abs(t).max())).astype(np.int8)[100:148].tofile("needle")' && planted "an int8 template" needle template
exit "$failed"
