# SPDX-License-Identifier: Apache-2.0
#
# Shared by the tests of the central service, all driven with curl, openssl and sqlite3: tools that
# are not ours. Runs in the test's own folder, which is emptied first.

set -u
BIN="$EGRESS_BUILD/bin"
FAILED=0
PID=

say() { printf '%s\n' "$*" >&2; }
bad() { say "FAILED: $*"; FAILED=1; }
# is WHAT WANTED GOT
is() { [ "$2" = "$3" ] || bad "$1: wanted '$2', got '$3'"; }
has() { case "$3" in *"$2"*) ;; *) bad "$1: '$2' is not in '$3'" ;; esac; }

cleanup() { [ -z "$PID" ] || { kill "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; }; }
trap cleanup EXIT

find . -mindepth 1 -delete
export EGRESS_CENTRAL="$PWD/centre"

ctl() { "$BIN/centralctl" "$@"; }

# Starts centrald on any port, with more configuration from $1.
start() {
	rm -f port
	printf '[centre]\nfolder = centre\n[listen]\naddress = 127.0.0.1\nport = 0\nport_file = port\n%s\n' "${1:-}" >centrald.conf
	"$BIN/centrald" --config centrald.conf 2>>centrald.log &
	PID=$!
	for _ in $(seq $((200 * ${EGRESS_PATIENCE:-1}))); do
		[ -s port ] && break
		kill -0 "$PID" 2>/dev/null || { say "centrald ended"; cat centrald.log >&2; exit 1; }
		sleep 0.05
	done
	PORT=$(cat port)
	URL="https://localhost:$PORT"
}
stop() { kill "-${1:-TERM}" "$PID"; wait "$PID" 2>/dev/null; STATUS=$?; PID=; }

# call ARGS: status code; body in ./body, headers in ./headers
call() { curl -sS --max-time 20 --cacert centre/ca.crt -o body -D headers -w '%{http_code}' "$@" 2>curl.err; }
problem() { # the last answer is a problem+json with status $1
	has "content type" "application/problem+json" "$(grep -i '^content-type' headers)"
	is "status in problem" "$1" "$(jq -r .status body)"
	[ -n "$(jq -r '.detail // empty' body)" ] || bad "the problem has no sentence"
}

# csr NAME KEYFILE: base64 request in KEYFILE.b64
csr() {
	[ -s "$2" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$2"
	openssl req -new -sha256 -key "$2" -subj "/CN=$1" -outform DER | openssl base64 >"$2.b64"
}
# enrol BOOTH: BOOTH.key, BOOTH.crt
enrol() {
	ctl token new "$1" >"$1.provision" || bad "token new"
	csr "$1" "$1.key"
	code=$(call -u "$1:$(jq -r .token "$1.provision")" -H 'Content-Type: application/pkcs10' \
		--data-binary "@$1.key.b64" "$URL/.well-known/est/simpleenroll")
	is "enrol $1" 200 "$code"
	openssl base64 -d -A -in body | openssl pkcs7 -inform DER -print_certs -out "$1.crt" || bad "pkcs7 of $1"
}
as() { who=$1; shift; call --cert "$who.crt" --key "$who.key" "$@"; }
# An envelope as encounter.h has it, around bytes that need not open: envelope FILE UUID KIDHEX NOISE
envelope() {
	{ printf '860248%s50%s0358%02x' "$3" "$(printf %s "$2" | tr -d -)" $((120)); head -c 120 /dev/zero | tr '\0' "$4" | xxd -p | tr -d '\n'; printf '%02x' 0; } | xxd -r -p >"$1"
}
uuid() { printf '0193%04x-0000-7000-8000-%012x' $(($1 / 65536)) "$1"; }
kid() { xxd -r -p centre/seal.pub | sha256sum | cut -c1-16; }
finish() { [ "$FAILED" = 0 ] || { say "--- centrald.log"; tail -20 centrald.log >&2; exit 1; }; }
