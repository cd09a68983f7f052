#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Who must not talk to whom: syncd refuses servers that are not the centre, and sends them nothing;
# the centre refuses clients that are not its booths (curl plays them). A lost answer to an
# enrolment can be asked for again; a booth that was revoked says so.
. "$(dirname "$0")/lib.sh"

start_world
put 2

# ---- the answer to the enrolment is lost on the way
set_link deaf
start_syncd
certificate_issued() { [ "$(central_db 'SELECT count(*) FROM certificate')" = 1 ]; }
wait_for 60 "the first certificate" certificate_issued
kill_9 "$syncd_pid"
is "a certificate on the booth" no "$([ -e "$keys/sync/tls.pem" ] && echo yes || echo no)"
is "the token is still there" yes "$([ -s "$keys/sync/token" ] && echo yes || echo no)"
mend_link
start_syncd
wait_for 60 "the enrolment with the same token" keys_are_there
is "certificates of one enrolment" 1 "$(central_db 'SELECT count(*) FROM certificate')"
wait_for 60 "the delivery" none_queued
end "$syncd_pid"

# ---- servers that are not the centre
mkdir "$work/false"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/false/ca.key"
openssl req -x509 -new -key "$work/false/ca.key" -subj "/CN=Another authority" -days 2 -out "$work/false/ca.crt"
# server NAME SAN CA_CERT CA_KEY: a TLS server's key and certificate
server() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/false/$1.key"
	openssl req -new -key "$work/false/$1.key" -subj "/CN=centre" -out "$work/false/$1.csr"
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" >"$work/false/$1.ext"
	openssl x509 -req -in "$work/false/$1.csr" -CA "$3" -CAkey "$4" -days 1 -set_serial 7 \
		-extfile "$work/false/$1.ext" -out "$work/false/$1.crt" 2>>"$work/log/openssl"
}
server foreign DNS:localhost "$work/false/ca.crt" "$work/false/ca.key"
server wrongname DNS:elsewhere.example "$centre/ca.crt" "$centre/ca.key"
put 3
for name in foreign wrongname; do
	port=$((20000 + RANDOM % 20000))
	openssl s_server -quiet -accept "127.0.0.1:$port" -naccept 20 -key "$work/false/$name.key" \
		-cert "$work/false/$name.crt" >"$work/$name.heard" 2>>"$work/log/s_server" </dev/null &
	server_pid=$!
	remember "$server_pid"
	end "$relay_pid"
	centre_at=$centre_port
	centre_port=$port
	rm -f "$run/relay.port"
	start_link
	centre_port=$centre_at
	sed -i "s#https://localhost:[0-9]*#https://localhost:$relay_port#" "$etc/trust.json"
	: >"$work/log/syncd"
	start_syncd
	refused() { grep -q "not the centre we trust" "$work/log/syncd"; }
	wait_for 30 "the refusal of a server ($name)" refused
	wait_for 10 "the news that the link is down" status_has '.sync.state.link == "down"'
	sleep 1 # a few more attempts
	is "$name heard" 0 "$(wc -c <"$work/$name.heard")"
	is "waiting" 3 "$(queued)"
	end "$syncd_pid"
	end "$server_pid"
done

# ---- clients that are not booths
end "$relay_pid"
rm -f "$run/relay.port"
start_link
url=https://localhost:$centre_port
call() { curl -sS --max-time 30 -o "$work/body" -w '%{http_code}' "$@" 2>"$work/curl.err"; }
for path in /v1/manifests /v1/manifests/EG1 /v1/encounters/01930000-0000-7000-8000-000000000001 /v1/heartbeat; do
	is "without a certificate, $path" 401 "$(call --cacert "$centre/ca.crt" -X "$(case $path in */enc*) echo PUT ;; */heart*) echo POST ;; *) echo GET ;; esac)" "$url$path")"
done
has "a sentence" "needs a client certificate" "$(jq -r .detail "$work/body")"
# another authority's, for this very booth
openssl ecparam -name prime256v1 -genkey -noout -out "$work/false/booth.key"
openssl req -new -key "$work/false/booth.key" -subj "/CN=$booth_id" -out "$work/false/booth.csr"
openssl x509 -req -in "$work/false/booth.csr" -CA "$work/false/ca.crt" -CAkey "$work/false/ca.key" -days 1 \
	-set_serial 8 -out "$work/false/booth.crt" 2>>"$work/log/openssl"
is "another authority's certificate" 401 "$(call --cacert "$centre/ca.crt" --cert "$work/false/booth.crt" --key "$work/false/booth.key" "$url/v1/manifests")"
# the booth's own, to see that it is not everybody who is refused
cp "$keys/sync/tls.pem" "$work/booth.pem"
is "the booth's certificate" 200 "$(call --cacert "$centre/ca.crt" --cert "$work/booth.pem" "$url/v1/manifests")"
# a client that means another host, or trusts another authority, does not take the centre for it
code=$(call --cacert "$centre/ca.crt" --cert "$work/booth.pem" --resolve "centre.example:$centre_port:127.0.0.1" "https://centre.example:$centre_port/v1/manifests")
is "wrong host name" "60 000" "$? $code"
code=$(call --cacert "$work/false/ca.crt" --cert "$work/booth.pem" "$url/v1/manifests")
is "wrong authority" "60 000" "$? $code"

# ---- a booth that was revoked
sed -i "s#https://localhost:[0-9]*#https://localhost:$relay_port#" "$etc/trust.json"
: >"$work/log/syncd"
start_syncd
wait_for 60 "the delivery to the true centre" none_queued
ctl booths revoke "$booth_id" >>"$work/log/centralctl" 2>&1 || bad "revoke"
is "revoked" 403 "$(call --cacert "$centre/ca.crt" --cert "$work/booth.pem" "$url/v1/manifests")"
put 1
wait_for 30 "the news that the booth is refused" status_has '.sync.state.link == "refused"'
has "why" "provision it again" "$(boothctl --json status | jq -r .sync.state.problem)"
is "waiting" 1 "$(queued)"
is "dead letters" 0 "$(records_db 'SELECT dead FROM tally')"
# ... and with a new token it is a booth again
provision
wait_for 60 "the new enrolment" none_queued
exactly_once "$work/put"
end "$syncd_pid"
exit "$failed"
