# SPDX-License-Identifier: Apache-2.0
#
# Shared by the tests of the whole system: the demo's centre, link and booth (tests/demo/lib.sh),
# and judges that are not ours: sqlite3, curl, openssl, jq. Runs in the test's own folder, which is
# emptied first. Sourced by bash scripts.

set -u
here=$EGRESS_SOURCE/tests/demo
bin=$EGRESS_BUILD/bin
find . -mindepth 1 -delete
# Sockets have short names only (108 bytes), and a build folder may lie deep.
work=$(mktemp -d "${TMPDIR:-/tmp}/egress-system.XXXXXX")
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" # kill -9 leaves no time to look
. "$here/lib.sh"
failed=0

bad() { say "FAILED: $*"; failed=1; }
is() { [ "$2" = "$3" ] || bad "$1: wanted '$2', got '$3'"; } # WHAT WANTED GOT
has() { case "$3" in *"$2"*) ;; *) bad "$1: '$2' is not in '$3'" ;; esac; }

clean_up() {
	status=$?
	trap - EXIT
	end_all
	[ "$status$failed" = 00 ] || {
		status=1
		cp -r "$work/log" ./log 2>/dev/null
		for log in "$work"/log/*; do say "--- $log"; tail -n 15 "$log" >&2; done
	}
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

central_db() { sqlite3 -readonly "$centre/central.db" ".timeout 5000" "$1"; }
records_db() { sqlite3 "$state/records.db" ".timeout 5000" "$1"; }
queued() { records_db 'SELECT queued FROM tally'; }
none_queued() { [ "$(queued)" = 0 ]; }
status_has() { boothctl --json status 2>/dev/null | jq -e "$1" >/dev/null; } # JQ_CONDITION

# put COUNT [PAUSE_MS [FACE_BYTES]]: encounters as boothd puts them; their ids go to $work/put
put() {
	${aboard:-} "$bin/system_put" "$etc/trust.json" "$keys/booth/record.key" "$state/records.db" "$@" \
		>>"$work/put" 2>>"$work/log/put" || bad "system_put failed"
}

# with_clock NAME: what to set aboard or there to, so that programs go by the clock NAME, which
# set_clock changes, also while they run: milliseconds added to wall time and to boot time.
with_clock() {
	mkdir -p "$work/clock"
	cp "$EGRESS_BUILD/tests/system/libshift_clock.so" "$work/clock/" # programs must be able to read it in their sandbox
	set_clock "$1" 0 0
	printf 'env LD_PRELOAD=%s CLOCK_FILE=%s' "$work/clock/libshift_clock.so" "$work/clock/$1"
}
set_clock() { # NAME WALL_MS BOOT_MS
	clock_name=$1 clock_bytes=
	shift
	for number; do
		for bits in 0 8 16 24 32 40 48 56; do
			clock_bytes=$clock_bytes$(printf '\\x%02x' $(((number >> bits) & 255)))
		done
	done
	# shellcheck disable=SC2059
	printf "$clock_bytes" 1<>"$work/clock/$clock_name" # one write, nothing cut off before it
}

put_in_background() { # COUNT [PAUSE_MS]; $putter
	${aboard:-} "$bin/system_put" "$etc/trust.json" "$keys/booth/record.key" "$state/records.db" "$@" \
		>>"$work/put" 2>>"$work/log/put" &
	putter=$!
	remember "$putter"
}

start_world() { # centre, link, provisioned booth; no syncd yet
	start_centre
	start_link
	write_config 30 </dev/null
	provision
	: >"$work/put"
}

# kill_9 PID: gone for certain, and by -9
kill_9() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null
	[ $? = 137 ] || bad "process $1 had ended by itself before it was killed"
	forget "$1"
}

# Every id in a file is at the centre once, nothing else is; nothing waits; files are whole.
exactly_once() { # FILE
	ctl encounters list --json >"$work/list" 2>>"$work/log/centralctl" || bad "encounters list"
	jq -r .id "$work/list" | sort >"$work/there"
	sort "$1" >"$work/wanted"
	is "doubled at the centre" "" "$(uniq -d "$work/there")"
	is "lost" "" "$(comm -23 "$work/wanted" "$work/there" | head -3)"
	is "nobody put these" "" "$(comm -13 "$work/wanted" "$work/there" | head -3)"
	is "rows at the centre" "$(wc -l <"$1")" "$(central_db 'SELECT count(*) FROM encounter')"
	is "envelopes at the centre" "$(wc -l <"$1")" "$(central_db 'SELECT count(*) FROM envelope')"
	is "items left on the booth" 0 "$(records_db 'SELECT count(*) FROM item')"
	is "envelopes left on the booth" 0 "$(records_db 'SELECT count(*) FROM envelope')"
	is "receipts" "$(wc -l <"$1")" "$(records_db 'SELECT count(*) FROM receipt')"
	is "alarms" 0 "$(central_db 'SELECT count(*) FROM alarm')"
	is "central.db" ok "$(central_db 'PRAGMA integrity_check')"
	is "records.db" ok "$(records_db 'PRAGMA integrity_check')"
}

# The audit chain verifies; and no envelope that the centre has can be found in the booth's raw files
# (a piece from the middle of each). To be called when nothing waits and boothd and syncd have ended.
chain_whole_and_envelopes_gone() {
	said=$(boothctl --trust "$etc/trust.json" --booth-keys "$state/booth.pub" audit verify 2>&1) || bad "audit verify: $said"
	central_db 'SELECT lower(hex(substr(body, length(body) / 2, 24))) FROM envelope' >"$work/pieces"
	[ -s "$work/pieces" ] || bad "no pieces to look for"
	raw=$(cat "$state"/records.db* | od -An -v -tx1 | tr -d ' \n' | grep -o -F -f "$work/pieces" | head -1)
	is "an erased envelope in the raw files" "" "$raw"
}
