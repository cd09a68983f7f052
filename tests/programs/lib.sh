# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: one boothd with a folder of pictures as its camera, for the test_booth_* scripts. Sourced;
# works in the test's own folder; ends what it started, by its own process id.

bin=$EGRESS_BUILD/bin
material=$EGRESS_BUILD/run/test_booth_material/made
dir=$PWD/w
config=$dir/etc/boothd.conf
boothd_pid=
others=

fail() {
	echo "FAILED: $*" >&2
	[ ! -e "$dir/log" ] || { echo "--- boothd said:" >&2; tail -n 30 "$dir/log" >&2; }
	exit 1
}
stop_boothd() { # [SIGNAL]; its exit status is in $boothd_status
	boothd_status=0
	[ -n "$boothd_pid" ] || return 0
	kill "${1:--TERM}" "$boothd_pid" 2>/dev/null || true
	wait "$boothd_pid" || boothd_status=$?
	boothd_pid=
}
finish() { # [STATUS]
	status=${1:-$?}
	trap - EXIT
	stop_boothd -KILL 2>/dev/null
	for pid in $others; do kill "$pid" 2>/dev/null || true; done
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

skip_without_pack() {
	[ -e "${EGRESS_PACK:-}/pack.json" ] && [ -e "${EGRESS_FACES:-}/sample6.jpg" ] ||
		{ echo "skipped: no model pack or no faces (./booth gets both)"; exit 77; }
}
wait_for() { # SECONDS WHAT COMMAND...
	limit=$(($1 * ${EGRESS_PATIENCE:-1})) what=$2
	end=$(($(date +%s) + limit))
	shift 2
	while [ "$(date +%s)" -le "$end" ]; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		[ -z "$boothd_pid" ] || kill -0 "$boothd_pid" 2>/dev/null || fail "boothd ended while waiting for $what"
		sleep 0.2
	done
	fail "$what did not happen within $limit seconds"
}

# The walk, and an empty corridor just long enough that whoever comes back is a new traveller. For
# scripts that wait for confirmations on a loaded machine: three pictures a second.
slow_loop() { # FOLDER
	rate=3
	rm -rf "$1"
	mkdir -p "$1"
	cp "$material"/walk/* "$material"/loop/80000[0-9].jpg "$material"/loop/80001[0-3].jpg "$1/"
}
# Whether he is alive is tested elsewhere; slow pictures need time.
patient() {
	printf '%s\n' '[policy]' 'needs_liveness = no' 'try_ms = 20000' 'patience_ms = 60000' 'show_ms = 300'
}
# A centre's keys and a booth's folders. More lines of configuration come on standard input.
new_booth() { # PICTURES_FOLDER
	rm -rf "$dir"
	mkdir -p "$dir/etc" "$dir/state/booth" "$dir/run"
	"$bin/booth_kit" centre "$dir" || fail "booth_kit centre"
	cat >"$config" <<-END
		[booth]
		trust = $dir/etc/trust.json
		state = $dir/state/booth
		records = $dir/state/records.db
		manifests = $dir/state/manifests.db
		public_keys = $dir/state/booth.pub
		socket = $dir/run/booth
		sync_socket = $dir/run/sync
		[models]
		pack = ${EGRESS_PACK:-/nonexistent}
		[camera]
		backend = folder
		source = $1
		width = 1280
		height = 720
		frame_rate = ${rate:-10}
		[signal]
		backend = record
		source = $dir/light
	END
	cat >>"$config"
	"$bin/boothd" --config "$config" --make-keys 2>"$dir/log" || fail "boothd --make-keys"
}
put_manifest() { # VERSION KIND
	"$bin/booth_kit" manifest "$dir" "$1" "$2" \
		"$material/photos/P04_passport_2021.jpg:P04:visitor" "$material/photos/P07_passport_2021.jpg:P07:visitor" \
		"$material/photos/P12_passport_2021.jpg:P12:${p12:-visitor}" || fail "booth_kit manifest $*"
}
start_boothd() { # [PREFIX COMMAND...]
	rm -f "$dir/run/booth"
	"$@" "$bin/boothd" --config "$config" 2>>"$dir/log" &
	boothd_pid=$!
	wait_for 60 "the start of boothd" test -S "$dir/run/booth"
}
ctl() {
	"$bin/boothctl" --booth-socket "$dir/run/booth" --sync-socket "$dir/run/sync" \
		--records "$dir/state/records.db" "$@"
}
# boothd's answer only: syncd is not there, or hangs on purpose.
status() { ctl --json --sync-socket "$dir/run/none" status 2>/dev/null | jq -e ".booth | $1"; }
is() { status "$1" >/dev/null; }
records() { # what boothd recorded, opened by the centre; from a copy, so that nothing is taken away
	rm -rf "$dir/copy"
	mkdir "$dir/copy"
	cp "$dir"/state/records.db* "$dir/copy/"
	"$bin/booth_kit" records "$dir" || fail "the records do not open"
}
light_is() { tail -n 1 "$dir/light" | grep -q "$1"; }
