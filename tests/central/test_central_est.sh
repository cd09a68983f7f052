#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who gets a certificate, and whom the centre lets in. The judges are openssl and curl.
. "$(dirname "$0")/lib.sh"

ctl init centre --name localhost --name 127.0.0.1 --name ::1 >/dev/null || exit 1
ctl init centre >/dev/null 2>err && bad "init made a folder over another"
has "init again" "left as it is" "$(cat err)"
[ "$(stat -c %a centre/open.key)" = 600 ] || bad "open.key can be read by others"

# The authority and the server, as openssl sees them.
openssl verify -CAfile centre/ca.crt centre/server.crt >/dev/null || bad "server.crt does not verify"
for name in localhost; do
	openssl verify -CAfile centre/ca.crt -purpose sslserver -verify_hostname $name centre/server.crt >/dev/null || bad "name $name"
done
for ip in 127.0.0.1 ::1; do
	openssl verify -CAfile centre/ca.crt -purpose sslserver -verify_ip $ip centre/server.crt >/dev/null || bad "address $ip"
done
openssl verify -CAfile centre/ca.crt -verify_hostname elsewhere centre/server.crt >/dev/null 2>&1 && bad "wrong host name verifies"

mv centre/open.key open.key # centrald must not need it
start
mv open.key centre/open.key

# cacerts
is "cacerts" 200 "$(call "$URL/.well-known/est/cacerts")"
has "cacerts type" "application/pkcs7-mime" "$(cat headers)"
openssl base64 -d -A -in body | openssl pkcs7 -inform DER -print_certs -out ca2.crt || bad "cacerts is no pkcs7"
is "cacerts" "$(openssl x509 -in centre/ca.crt -noout -fingerprint)" "$(openssl x509 -in ca2.crt -noout -fingerprint)"

# Enrolment
enrol lane-1
openssl verify -CAfile centre/ca.crt -purpose sslclient lane-1.crt >/dev/null || bad "lane-1.crt does not verify"
openssl verify -CAfile centre/ca.crt -purpose sslserver lane-1.crt >/dev/null 2>&1 && bad "a booth's certificate serves as a server's"
is "subject" "subject=CN=lane-1" "$(openssl x509 -in lane-1.crt -noout -subject | tr -d ' ')"
has "not a CA" "CA:FALSE" "$(openssl x509 -in lane-1.crt -noout -text)"
openssl x509 -in lane-1.crt -noout -checkend $((89 * 86400)) >/dev/null || bad "certificate ends before 89 days"
openssl x509 -in lane-1.crt -noout -checkend $((91 * 86400)) >/dev/null && bad "certificate lasts over 91 days"
[ "$(openssl x509 -in lane-1.crt -noout -pubkey)" = "$(openssl pkey -in lane-1.key -pubout)" ] || bad "another key was certified"

post() { # post USER:TOKEN FILE: simpleenroll
	call -u "$1" -H 'Content-Type: application/pkcs10' --data-binary "@$2" "$URL/.well-known/est/simpleenroll"
}
TOKEN=$(jq -r .token lane-1.provision)
[ ${#TOKEN} -ge 32 ] || bad "the token is short"
grep -q "$TOKEN" centre/central.db* && bad "the token lies in the database"
# The same key may ask again: its answer may have been lost. Nothing new is made.
serial=$(openssl x509 -in lane-1.crt -noout -serial)
is "same key again" 200 "$(post "lane-1:$TOKEN" lane-1.key.b64)"
is "same certificate" "$serial" "$(openssl base64 -d -A -in body | openssl pkcs7 -inform DER -print_certs | openssl x509 -noout -serial)"
csr lane-1 second.key
is "token twice" 401 "$(post "lane-1:$TOKEN" second.key.b64)"; problem 401
has "challenge" "Basic" "$(grep -i www-authenticate headers)"
is "no token" 401 "$(call -H 'Content-Type: application/pkcs10' --data-binary @second.key.b64 "$URL/.well-known/est/simpleenroll")"; problem 401
is "guessed token" 401 "$(post "lane-1:00112233" second.key.b64)"; problem 401
ctl token new lane-2 >lane-2.provision; TOKEN=$(jq -r .token lane-2.provision)
is "another booth's token" 401 "$(post "lane-1:$TOKEN" second.key.b64)"; problem 401
is "wrong subject" 403 "$(post "lane-2:$TOKEN" second.key.b64)"; problem 403
openssl req -new -sha256 -key second.key -subj "/O=x/CN=lane-2" -outform DER | openssl base64 >odd.b64
is "more than a common name" 403 "$(post "lane-2:$TOKEN" odd.b64)"; problem 403
openssl genrsa -out rsa.key 2048 2>/dev/null; csr lane-2 rsa.key
is "RSA" 400 "$(post "lane-2:$TOKEN" rsa.key.b64)"; problem 400
openssl ecparam -name secp384r1 -genkey -noout -out p384.key; csr lane-2 p384.key
is "P-384" 400 "$(post "lane-2:$TOKEN" p384.key.b64)"; problem 400
csr lane-2 lane-2.key; openssl base64 -d -in lane-2.key.b64 >csr.der
size=$(stat -c %s csr.der)
# The last byte of the signature becomes another one, whatever it was.
if [ "$(tail -c 1 csr.der | xxd -p)" = 01 ]; then other='\x02'; else other='\x01'; fi
{ head -c $((size - 1)) csr.der; printf '%b' "$other"; } | openssl base64 >forged.b64
code=$(post "lane-2:$TOKEN" forged.b64); [ "$code" = 403 ] || [ "$code" = 400 ] || bad "forged signature: $code"
is "the token is still good" 200 "$(post "lane-2:$TOKEN" lane-2.key.b64)"
openssl base64 -d -A -in body | openssl pkcs7 -inform DER -print_certs -out lane-2.crt
ctl token new '../x' 2>/dev/null >/dev/null && bad "a booth named ../x"
ctl token new lane-3 >old; ctl token new lane-3 >new; csr lane-3 lane-3.key
is "an older token is void" 401 "$(post "lane-3:$(jq -r .token old)" lane-3.key.b64)"
sqlite3 centre/central.db "UPDATE token SET expires_ms = 1 WHERE booth = 'lane-3'"
is "expired token" 401 "$(post "lane-3:$(jq -r .token new)" lane-3.key.b64)"; problem 401

# Who is let in
is "own certificate" 200 "$(as lane-1 "$URL/v1/manifests")"
is "an empty list" "[]" "$(cat body)"
is "no certificate" 401 "$(call "$URL/v1/manifests")"; problem 401
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout evil.key -out evil-ca.crt -subj "/CN=Egress centre" -days 10 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout foreign.key -out foreign.csr -subj /CN=lane-1 2>/dev/null
openssl x509 -req -in foreign.csr -CA evil-ca.crt -CAkey evil.key -out foreign.crt -days 10 2>/dev/null
is "another authority's" 401 "$(as foreign "$URL/v1/manifests")"; problem 401
forge() { # forge NAME EXTENSIONS OPTIONS…: by our own authority, but not by centrald
	name=$1; printf '%s\n' "$2" >ext; shift 2
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=lane-1 2>/dev/null
	openssl x509 -req -in $name.csr -CA centre/ca.crt -CAkey centre/ca.key -extfile ext -out $name.crt "$@" 2>/dev/null
}
forge unlisted "extendedKeyUsage=clientAuth" -days 10
is "by our authority, not in the ledger" 403 "$(as unlisted "$URL/v1/manifests")"; problem 403
forge past "extendedKeyUsage=clientAuth" -not_before 20200101000000Z -not_after 20210101000000Z
is "expired" 401 "$(as past "$URL/v1/manifests")"; problem 401; has "why" "expired" "$(cat body)"
cp centre/server.crt server.crt; cp centre/server.key server.key
is "the server's own" 401 "$(as server "$URL/v1/manifests")"; problem 401
curl -sS --max-time 10 "$URL/.well-known/est/cacerts" >/dev/null 2>&1 && bad "curl trusts a server nobody told it of"
curl -sS --max-time 10 --cacert centre/ca.crt --connect-to "elsewhere:443:127.0.0.1:$PORT" https://elsewhere/ >/dev/null 2>&1 && bad "wrong host name accepted"
curl -sS --max-time 10 --cacert centre/ca.crt --tls-max 1.1 "$URL/.well-known/est/cacerts" >/dev/null 2>&1 && bad "TLS 1.1"
is "TLS 1.2" 200 "$(as lane-1 --tls-max 1.2 "$URL/v1/manifests")"

# Renewal
csr lane-1 lane-1.key
renew() { as lane-1 -H 'Content-Type: application/pkcs10' --data-binary "@$1" "$URL/.well-known/est/simplereenroll"; }
is "renewal with the same key" 403 "$(renew lane-1.key.b64)"; problem 403
csr lane-1 renewed.key
is "renewal" 200 "$(renew renewed.key.b64)"
openssl base64 -d -A -in body | openssl pkcs7 -inform DER -print_certs -out renewed.crt
openssl verify -CAfile centre/ca.crt -purpose sslclient renewed.crt >/dev/null || bad "renewed.crt"
is "the answer was lost" 200 "$(renew renewed.key.b64)"
is "the new one" 200 "$(as renewed "$URL/v1/manifests")"
is "the old one, until it ends" 200 "$(as lane-1 "$URL/v1/manifests")"
csr lane-2 stray.key
is "renewal for another booth" 403 "$(renew stray.key.b64)"; problem 403

# A new token replaces everything of the old machine; revoking ends it at once.
cp lane-1.crt before.crt; cp lane-1.key before.key; rm lane-1.key; enrol lane-1
is "before the replacement" 403 "$(as before "$URL/v1/manifests")"
is "after it" 200 "$(as lane-1 "$URL/v1/manifests")"
ctl booths revoke lane-1 >/dev/null || bad "revoke"
is "revoked" 403 "$(as lane-1 "$URL/v1/manifests")"; problem 403
is "revoked cannot renew" 403 "$(renew second.key.b64)"
has "list" "revoked" "$(ctl booths list)"
rm lane-1.key; enrol lane-1
is "let in again" 200 "$(as lane-1 "$URL/v1/manifests")"

# Bad tokens are limited, for the booth and for the address; who is in stays in.
ctl token new lane-9 >lane-9.provision
for try in $(seq 25); do
	code=$(post "lane-9:guess$try" second.key.b64)
	[ "$code" = 401 ] || break
done
is "guessing is slowed down" 429 "$code"; problem 429
has "when to come again" ": 10" "$(grep -i '^retry-after' headers)"
[ "$try" -gt 5 ] || bad "after only $try failures"
is "the true token waits with it" 429 "$(post "lane-9:$(jq -r .token lane-9.provision)" second.key.b64)"
is "so does another booth's there" 429 "$(post "lane-8:x" second.key.b64)"
is "a booth with a certificate does not" 200 "$(as lane-1 "$URL/v1/manifests")"

ctl server-cert --name localhost >/dev/null || bad "server-cert"
stop; is "SIGTERM" 0 "$STATUS"
start; is "with the new server certificate" 200 "$(as lane-1 "$URL/v1/manifests")"; stop
for arguments in "--config nowhere.conf" "--port 99999" "--nonsense"; do
	"$BIN/centrald" $arguments >/dev/null 2>err && bad "centrald $arguments"
	[ "$(wc -l <err)" -ge 1 ] || bad "centrald $arguments says nothing"
done
printf '[limits]\nconnections = many\n' >broken.conf
"$BIN/centrald" --config broken.conf --check-config 2>err && bad "broken.conf"
has "broken.conf" "connections" "$(cat err)"
"$BIN/centrald" --config centrald.conf --print-config >printed.conf || bad "print-config"
"$BIN/centrald" --config printed.conf --check-config || bad "what was printed does not load"
for key in $("$BIN/centrald" --config centrald.conf --print-config | sed -n 's/^#* *\([a-z_]*\) *=.*/\1/p'); do
	grep -q "^#$key =" "$EGRESS_SOURCE/net/central/centrald.conf" || bad "centrald.conf lacks '$key'"
done
chmod 644 centre/server.key; "$BIN/centrald" --config centrald.conf 2>err && bad "server.key for all to read"
has "server.key" "others may read" "$(cat err)"
finish
