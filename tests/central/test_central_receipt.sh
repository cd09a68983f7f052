#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Exit receipts: what a booth signed is confirmed, on the command line and on the page, and nothing
# else is. Whoever asks needs no certificate.
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
start
enrol lane-1; mkdir m1 m2
"$BIN/central_envelope" lane-1 centre/seal.pub m1 >/dev/null && "$BIN/central_envelope" lane-1 centre/seal.pub m2 >/dev/null || bad "envelope"
is "not known yet" 1 "$(ctl receipt verify m1/receipt >/dev/null 2>err; echo $?)"
has "why" "this centre does not know" "$(cat err)"
is "keys" 204 "$(as lane-1 -T m1/keys -H 'Content-Type: application/cbor' "$URL/v1/booth-keys")"

# The command
wanted='valid: signed by booth lane-1
port      KEF
flight    EG1
date      2026-05-28T20:26:40.000Z
how       confirmed by an officer, by document
name      <b>Ana & Co</b>
manifest  EG1-20261124'
is "a file" "$wanted" "$(ctl receipt verify m1/receipt | head -7)"
is "a text" "$wanted" "$(ctl receipt verify "$(cat m1/receipt)" | head -7)"
is "standard input" "$wanted" "$(fold -b -w 60 m1/receipt | ctl receipt verify - | head -7)"
{ head -c 200 m1/receipt; tail -c +202 m1/receipt; } >short
{ head -c 100 m1/receipt; printf 0; tail -c +102 m1/receipt; } >changed
head -c 2500 /dev/zero >long
for file in short changed m2/receipt m1/envelope /dev/null long nothing; do
	is "$file" 1 "$(ctl receipt verify "$file" >out 2>err; echo $?)"
	[ -s out ] && bad "$file: something on standard output"
	[ "$(wc -l <err)" = 1 ] || bad "$file: not one sentence: $(cat err)"
done
has "another machine's key" "not valid: it was changed, or not made by booth lane-1" "$(ctl receipt verify m2/receipt 2>&1)"
is "wrong usage" 2 "$(ctl receipt verify 2>/dev/null; echo $?)"

# The page: nobody has to show a certificate
check() { call --data-urlencode "text@$1" "$URL/receipt"; }
is "the form" 200 "$(call "$URL/receipt")"
has "policy" "content-security-policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" \
	"$(tr -d '\r' <headers | tr A-Z a-z)"
for word in nosniff no-referrer no-store 'text/html; charset=utf-8'; do has "headers" "$word" "$(tr A-Z a-z <headers)"; done
is "no cookie" 0 "$(grep -ci '^set-cookie' headers)"
python3 - body <<'END' || bad "the page is not as strict as its policy"
import html.parser, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(); self.labels, self.fields, self.h1 = set(), [], 0
    def handle_starttag(self, tag, pairs):
        attrs = dict(pairs)
        assert tag != "script" and tag != "style" and "style" not in attrs, tag
        assert not any(name.startswith("on") for name in attrs), attrs
        for name in ("src", "href", "action"):
            assert name not in attrs or attrs[name].startswith("/"), attrs
        assert tag != "html" or attrs["lang"] == "en"
        self.h1 += tag == "h1"
        if tag == "label": self.labels.add(attrs["for"])
        if tag == "textarea": self.fields.append(attrs)
page = Page(); page.feed(open(sys.argv[1]).read())
assert page.h1 == 1 and [f["name"] for f in page.fields] == ["text"] and page.fields[0]["id"] in page.labels
END
is "the style" 200 "$(call "$URL/receipt.css")"; has "its type" "text/css" "$(cat headers)"
is "HEAD" 200 "$(call -I "$URL/receipt")"
is "checked" 200 "$(check m1/receipt)"
for word in Valid KEF EG1 '2026-05-28 20:26 UTC' 'confirmed by an officer, by document' '&lt;b&gt;Ana &amp; Co&lt;/b&gt;' lane-1; do
	has "the answer" "$word" "$(cat body)"
done
is "nothing of it is markup" 0 "$(grep -c '<b>' body)"
fold -b -w 60 m1/receipt >folded
is "in lines" 200 "$(check folded)"
for file in short changed m2/receipt long; do
	is "$file" 422 "$(check "$file")"
	has "$file" "Not confirmed" "$(cat body)"
	case "$(cat body)" in *KEF*) bad "$file: says what it does not know" ;; esac
done
for body in '' text 'text' 'other=1' 'text=%' 'text=%4' 'text=%zz' 'text=EGX1:BB8&text=EGX1:BB8' 'text=<script>alert(1)</script>'; do
	is "form '$body'" 422 "$(call -H 'Content-Type: application/x-www-form-urlencoded' --data-binary "$body" "$URL/receipt")"
	has "form '$body'" "Not confirmed" "$(cat body)"
	is "form '$body' is not echoed" 0 "$(grep -c alert body)"
done
is "another type" 415 "$(call -H 'Content-Type: text/plain' -d x "$URL/receipt")"; problem 415
is "too large" 413 "$(head -c 20000 /dev/zero | call --data-binary @- "$URL/receipt")"; problem 413
is "another method" 405 "$(call -X PUT -d x "$URL/receipt")"; problem 405
has "Allow" "GET, HEAD, POST" "$(grep -i '^allow:' headers)"
is "the rest stays closed" 401 "$(call "$URL/v1/policy")"
is "nothing is kept" "$(sqlite3 -readonly centre/central.db .dump | sha256sum)" \
	"$(check m1/receipt >/dev/null; sqlite3 -readonly centre/central.db .dump | sha256sum)"
is "nor logged" 0 "$(grep -cE 'EGX1|Ana|KEF' centrald.log)"

# The booth was replaced: what its older key signed holds. Then it is revoked: what it says it
# signed before (the receipt is of May) holds.
rm lane-1.key; enrol lane-1
is "other keys" 204 "$(as lane-1 -T m2/keys -H 'Content-Type: application/cbor' "$URL/v1/booth-keys")"
is "by the new key" 0 "$(ctl receipt verify m2/receipt >/dev/null; echo $?)"
is "by the old key" 0 "$(ctl receipt verify m1/receipt >/dev/null; echo $?)"
ctl booths revoke lane-1 >/dev/null || bad "revoke"
is "from before" 0 "$(ctl receipt verify m1/receipt >/dev/null; echo $?)"
sqlite3 centre/central.db "UPDATE booth SET revoked_ms = 1780000000000"
is "from the moment of revocation" 1 "$(ctl receipt verify m1/receipt >/dev/null 2>err; echo $?)"
has "why" "was revoked on 2026-05-28T20:26:40.000Z" "$(cat err)"
stop; is "SIGTERM" 0 "$STATUS"
finish
