#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A booth whose TLS key is in a TPM (swtpm), with the real centre: it enrols and delivers; it was off
# until its certificate had expired, and one new token brings it back with all its records; it is
# revoked, and one new token brings it back. The centre refuses the old certificates ever after.
. "$(dirname "$0")/lib.sh"

mkdir "$work/tpm"
swtpm socket --tpm2 --tpmstate "dir=$work/tpm" --server "type=unixio,path=$work/tpm/s" \
	--ctrl "type=unixio,path=$work/tpm/s.ctrl" --flags not-need-init,startup-clear \
	2>>"$work/log-swtpm" &
remember "$!"
wait_for 10 "the start of swtpm" test -S "$work/tpm/s.ctrl"
identity="key = tpm
tpm = swtpm:path=$work/tpm/s"

start_world
url=https://localhost:$centre_port
# What the centre says to the key and certificate in FILE; the TPM signs for curl as it does for syncd,
# so syncd must not run: swtpm serves one at a time.
call() { # FILE
	TPM2OPENSSL_TCTI="swtpm:path=$work/tpm/s" OPENSSL_CONF=$work/openssl.cnf curl -sS --max-time 30 \
		-o "$work/body" -w '%{http_code}' --cacert "$centre/ca.crt" --cert "$1" "$url/v1/manifests" \
		2>"$work/curl.err"
}
cat >"$work/openssl.cnf" <<-EOF
	openssl_conf = all
	[all]
	providers = both
	alg_section = how
	[both]
	default = on
	tpm2 = on
	[on]
	activate = 1
	[how]
	default_properties = ?provider=default
EOF
kept() { boothctl --json status | jq -r .sync.state.keyKept; }
problem() { boothctl --json status | jq -r .sync.state.problem; }

put 3
start_syncd
wait_for 60 "the first delivery" none_queued
is "where the key is kept" tpm "$(kept)"
has "boothctl status" "in the TPM" "$(boothctl status 2>&1)"
wait_for 60 "the booth's keys at the centre" keys_are_there
end "$syncd_pid"
cp "$keys/sync/tls.pem" "$work/first.pem"
has "on disk" "BEGIN TSS2 PRIVATE KEY" "$(cat "$work/first.pem")"
openssl pkey -in "$work/first.pem" -noout 2>/dev/null && bad "openssl reads the key without the TPM"
is "the certificate with the TPM" 200 "$(call "$work/first.pem")"

# ---- off for months: the same key, certified by the same authority until last month
openssl x509 -in "$work/first.pem" -noout -pubkey >"$work/pub"
openssl x509 -new -force_pubkey "$work/pub" -subj "/CN=$booth_id" -CA "$centre/ca.crt" -CAkey "$centre/ca.key" \
	-not_before 20260101000000Z -not_after 20260401000000Z -out "$work/expired.crt" 2>>"$work/log/openssl" ||
	bad "openssl could not certify"
sed '/END TSS2/q' "$work/first.pem" >"$keys/sync/tls.pem"
cat "$work/expired.crt" >>"$keys/sync/tls.pem"
put 2
: >"$work/log/syncd"
start_syncd
wait_for 60 "the news that the certificate ended" grep -q "this booth's certificate ended on 2026-04-01" "$work/log/syncd"
wait_for 30 "the news that the booth is refused" status_has '.sync.state.link == "refused"'
has "why" "certificate ended on 2026-04-01" "$(problem)"
has "the way back" "make a new token with 'centralctl token new' and provision the booth again" "$(problem)"
has "boothctl status" "EXPIRED; the booth needs a new token" "$(boothctl status 2>&1)"
put 1 # it goes on working
is "waiting" 3 "$(queued)"
is "dead letters" 0 "$(records_db 'SELECT dead FROM tally')"
provision
wait_for 60 "the delivery after the new enrolment" none_queued
is "where the key is kept" tpm "$(kept)"
exactly_once "$work/put"
wait_for 30 "the link" status_has '.sync.state.link == "up"'
wait_for 30 "the end of the problem" status_has '.sync.state.problem == ""'

# ---- revoked
end "$syncd_pid"
cp "$keys/sync/tls.pem" "$work/second.pem"
is "the certificate before a new token" 403 "$(call "$work/first.pem")"
is "the certificate after it" 200 "$(call "$work/second.pem")"
start_syncd
wait_for 30 "the link" status_has '.sync.state.link == "up"'
ctl booths revoke "$booth_id" >>"$work/log/centralctl" 2>&1 || bad "revoke"
put 2
wait_for 30 "the news that the booth is refused" status_has '.sync.state.link == "refused"'
has "why" "provision it again" "$(problem)"
is "waiting" 2 "$(queued)"
provision
wait_for 60 "the delivery after the new enrolment" none_queued
is "where the key is kept" tpm "$(kept)"
exactly_once "$work/put"
end "$syncd_pid"
is "the revoked certificate" 403 "$(call "$work/second.pem")"
is "the new certificate" 200 "$(call "$keys/sync/tls.pem")"
exit "$failed"
