# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: a real consoled beside the real boothd of tests/programs/lib.sh. Sourced after that.

consoled_pid=
stop_consoled() { # [SIGNAL]
	[ -n "$consoled_pid" ] || return 0
	kill "${1:--TERM}" "$consoled_pid" 2>/dev/null || true
	consoled_status=0
	wait "$consoled_pid" || consoled_status=$?
	consoled_pid=
}
start_consoled() {
	cat >"$dir/etc/consoled.conf" <<-END
		[files]
		trust = $dir/etc/trust.json
		state = $dir/state/console
		port_file = $dir/run/ports
		[varlink]
		booth = $dir/run/booth
		sync = $dir/run/sync
		[traveller]
		port = 0
		[officer]
		port = 0
	END
	rm -f "$dir/run/ports"
	"$bin/consoled" --config "$dir/etc/consoled.conf" 2>>"$dir/log.console" &
	consoled_pid=$!
	wait_for 60 "the start of consoled" test -s "$dir/run/ports"
	read -r traveller_port officer_port <"$dir/run/ports"
	traveller=http://127.0.0.1:$traveller_port
	officer=https://127.0.0.1:$officer_port
	certificate=$dir/state/console/tls.crt
}
ends_with_console() {
	ended=$?
	[ "$ended" = 0 ] || [ ! -e "$dir/log.console" ] || { echo "--- consoled said:" >&2; tail -n 20 "$dir/log.console" >&2; }
	stop_consoled -KILL 2>/dev/null
	finish "$ended"
}
trap ends_with_console EXIT

# Requests. The status goes to standard output, the body to the file `body`, headers to `head`.
ask() { # URL [CURL ARGUMENTS...]
	curl -s --max-time 20 --path-as-is --cacert "$certificate" -D head -o body -w '%{http_code}' "$@" || true
}
post() { # WHO PATH BODY [CURL ARGUMENTS...]: as WHO's page would, but for $origin and $token
	who=$1 path=$2 body=$3
	shift 3
	ask "$officer$path" -b "$who.jar" -c "$who.jar" -H "Origin: ${origin:-$officer}" \
		-H "X-CSRF: ${token-$(cat "$who.csrf" 2>/dev/null)}" \
		-H 'Content-Type: application/json' -d "$body" "$@"
}
get() { # WHO PATH [CURL ARGUMENTS...]
	who=$1 path=$2
	shift 2
	ask "$officer$path" -b "$who.jar" "$@"
}
says() { # WANTED STATUS WHAT
	[ "$2" = "$1" ] || fail "$3: $2, not $1: $(cat body 2>/dev/null)"
}
sign_in() { # BADGE PIN
	rm -f "$1.jar" "$1.csrf"
	says 200 "$(post "$1" /sign-in "{\"badge\":\"$1\",\"pin\":\"$2\"}")" "sign-in of $1"
	jq -r .csrf body >"$1.csrf"
}
listen() { # WHO FILE: the officer's events, in the background
	curl -sN --cacert "$certificate" -b "$1.jar" "$officer/events" >"$2" 2>/dev/null &
	others="$others $!"
}
case_of() { # FILE JQ_CONDITION: the newest case in events that fulfils it
	sed -n 's/^data: //p' "$1" | jq -c "(.cases? // [.])[] | select(.encounter? != null) | select($2)" 2>/dev/null | tail -n 1
}
