# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: a centre, a link and a booth on this machine, for the demo and for tests. Sourced by sh
# scripts; expects $bin (programs), $work (an empty folder), EGRESS_PACK, EGRESS_FACES. Everything
# that is started is remembered and ended by its own process id. A test may set centre_name (by which
# syncd knows the centre), there and aboard (commands that run another one where the centre is, and on
# the booth) and link_address (where the link listens, over there).

here=${here:?lib.sh: set here to the folder tests/demo}
centre=$work/centre
etc=$work/etc
state=$work/state # what boothd and syncd share
keys=$work/keys   # what is one program's alone
run=$work/run
booth_id=lane-1
pids=

say() { printf '%s\n' "$*" >&2; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

ctl() { "$bin/centralctl" --dir "$centre" "$@"; }
boothctl() {
	"$bin/boothctl" --booth-socket "$run/booth" --sync-socket "$run/sync" --records "$state/records.db" "$@"
}

remember() { pids="$pids $1"; }
forget() { # PID: it has ended, and its number may become somebody else's
	left=
	for pid in $pids; do [ "$pid" = "$1" ] || left="$left $pid"; done
	pids=$left
}

# Ends a process and waits for it; -KILL for those that must not clean up.
end() { # PID [SIGNAL]
	forget "$1"
	kill "${2:--TERM}" "$1" 2>/dev/null || return 0
	for _ in $(seq $((100 * ${EGRESS_PATIENCE:-1}))); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null || true
}

end_all() { # in the reverse order of their starts
	ending=
	for pid in $pids; do ending="$pid $ending"; done
	for pid in $ending; do end "$pid"; done
}

# Waits until a command succeeds: wait_for SECONDS WHAT COMMAND... However slow the command is on a
# busy machine, it is tried ten times at least.
wait_for() {
	limit=$(($1 * ${EGRESS_PATIENCE:-1})) what=$2 tries=0
	until=$(($(date +%s) + limit))
	shift 2
	while [ "$tries" -lt 10 ] || [ "$(date +%s)" -lt "$until" ]; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
		tries=$((tries + 1))
	done
	die "$what did not happen within $limit seconds; the logs are in $work/log"
}

# Photos and camera frames; made once per version of the tables and of the program.
make_material() { # DIR [FOLDER_OF_TABLES]
	tables=${2:-$here}
	key=$(cat "$tables/cast.tsv" "$tables/scenes.tsv" "$bin/eg-scenes" | sha256sum | cut -c1-16)
	[ "$(cat "$1/key" 2>/dev/null)" = "$key" ] && return 0
	rm -rf "$1" "$1.part"
	mkdir -p "$1.part"
	"$bin/eg-scenes" "$EGRESS_PACK" "$EGRESS_FACES" "$tables/cast.tsv" "$tables/scenes.tsv" "$1.part" ||
		die "the scenes could not be drawn"
	printf '%s' "$key" >"$1.part/key"
	mv "$1.part" "$1"
}

start_centre() {
	mkdir -p "$work/log" "$etc" "$state" "$keys/booth" "$keys/sync" "$run"
	[ -d "$centre" ] || ctl init "$centre" --name "${centre_name:-localhost}" >>"$work/log/centralctl" 2>&1 ||
		die "centralctl init failed; see $work/log/centralctl"
	cat >"$etc/centrald.conf" <<-EOF
		[centre]
		folder = $centre
		[listen]
		address = 127.0.0.1
		port = ${centre_port:-0}
		port_file = $run/centre.port
	EOF
	rm -f "$run/centre.port"
	${there:-} "$bin/centrald" --config "$etc/centrald.conf" 2>>"$work/log/centrald" &
	centre_pid=$!
	remember "$centre_pid"
	wait_for 20 "the start of centrald" test -s "$run/centre.port"
	centre_port=$(cat "$run/centre.port")
}

start_link() {
	${there:-} "$bin/eg-relay" "$run/relay.port" "$centre_port" "$run/relay.control" \
		"${link_address:-127.0.0.1}" &
	relay_pid=$!
	remember "$relay_pid"
	wait_for 5 "the start of the relay" test -s "$run/relay.port"
	relay_port=$(cat "$run/relay.port")
}
set_link() { printf '%s\n' "$*" 1<>"$run/relay.control"; } # what tests/demo/relay.c understands
cut_link() { set_link cut; }
mend_link() { set_link whole; }

write_config() { # FRAME_RATE, more lines on standard input
	cat >"$etc/boothd.conf" <<-EOF
		[booth]
		trust = $etc/trust.json
		state = $keys/booth
		records = $state/records.db
		manifests = $state/manifests.db
		public_keys = $state/booth.pub
		socket = $run/booth
		sync_socket = $run/sync
		serve = every
		[models]
		pack = $EGRESS_PACK
		[camera]
		${camera_lines:-backend = libcamera}
		frame_rate = $1
		[signal]
		backend = record
		source = $work/log/light
	EOF
	cat >>"$etc/boothd.conf"
	cat >"$etc/syncd.conf" <<-EOF
		[files]
		trust = $etc/trust.json
		state = $keys/sync
		token = $keys/sync/token
		records = $state/records.db
		manifests = $state/manifests.db
		booth_keys = $state/booth.pub
		[identity]
		${identity:-key = file}
		[sync]
		poll_s = 1
		heartbeat_s = 5
		queue_s = 0.5
		[net]
		backoff_min_s = 0.2
		backoff_max_s = 1
		[varlink]
		socket = $run/sync
		booth = $run/booth
	EOF
}

provision() {
	ctl token new "$booth_id" --url "https://${centre_name:-localhost}:$relay_port" --out "$work/booth.provision" \
		>>"$work/log/centralctl" 2>&1 || die "no token; see $work/log/centralctl"
	boothctl provision "$work/booth.provision" --etc "$etc" --state "$keys/sync" \
		>>"$work/log/boothctl" 2>&1 || die "provisioning failed; see $work/log/boothctl"
	rm -f "$work/booth.provision"
	"$bin/boothd" --config "$etc/boothd.conf" --make-keys 2>>"$work/log/boothd" ||
		die "boothd could not make its keys; see $work/log/boothd"
}

start_syncd() {
	rm -f "$run/sync"
	${aboard:-} "$bin/syncd" --config "$etc/syncd.conf" 2>>"$work/log/syncd" &
	syncd_pid=$!
	remember "$syncd_pid"
}

keys_are_there() { boothctl --json status 2>/dev/null | jq -e '.sync.state.keysSent' ; }
manifest_is_there() { boothctl --json status 2>/dev/null | jq -e '.sync.state.manifests | length > 0'; }

# The virtual camera of libcamera plays the frames of a folder; its own folder, with the frames in
# it, is bound into place for this one process. There boothd's sandbox lets it read. boothd keeps its
# own pid in $run/boothd.pid, since bwrap stands above.
start_boothd() { # FRAMES_DIR FRAME_RATE
	virtual=/usr/share/libcamera/pipeline/virtual
	mkdir -p "$etc/virtual"
	cat >"$etc/virtual/virtual.yaml" <<-EOF
		"Virtual0":
		  supported_formats:
		  - width: 1280
		    height: 720
		    frame_rates:
		    - $2
		  frames:
		    path: "$virtual/frames"
		  location: "CameraLocationFront"
		  model: "Virtual Video Device"
	EOF
	rm -f "$run/booth" "$run/boothd.pid"
	bwrap --dev-bind / / --bind "$etc/virtual" $virtual --ro-bind "$1" $virtual/frames \
		--die-with-parent sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$run/boothd.pid" \
		"$bin/boothd" --config "$etc/boothd.conf" 2>>"$work/log/boothd" &
	boothd_wrap=$!
	remember "$boothd_wrap"
	wait_for 240 "the start of boothd" test -S "$run/booth"
	boothd_pid=$(cat "$run/boothd.pid")
	remember "$boothd_pid"
}

# A travel document of a traveller in cast.tsv, as a reader would send it: a TD3 MRZ with ICAO 9303's
# check digits (weights 7, 3, 1).
mrz_of() { # TRAVELLER_ID
	awk -F'\t' -v id="$1" '
	function digit(s,    i, c, v, sum) {
		sum = 0
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			v = c == "<" ? 0 : index("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", c) - 1
			sum += v * (i % 3 == 1 ? 7 : i % 3 == 2 ? 3 : 1)
		}
		return sum % 10
	}
	function pad(s, n) { while (length(s) < n) s = s "<"; return substr(s, 1, n) }
	$1 == id {
		number = pad($7, 9); number = number digit(number)
		birth = substr($5, 3, 2) substr($5, 6, 2) substr($5, 9, 2); birth = birth digit(birth)
		expiry = "310101"; expiry = expiry digit(expiry)
		personal = pad("", 14); personal = personal digit(personal)
		print pad("P<UTO" $3 "<<" $4, 44)
		print number "UTO" birth "F" expiry personal digit(number birth expiry personal)
	}' "$here/cast.tsv"
}

# People who may sign in at the officer's page, in the policy that the centre signs: badge, PIN, name,
# role. The PINs are the demo's own and open nothing else; no traveller of cast.tsv has such a name, since
# test_stolen_disk looks for theirs, and policies name the people of the booth.
demo_people='4711 274639 officer Ana Lopes
4712 860315 officer Bo Ekdahl
4720 593047 supervisor Chidi Nwosu
4730 718264 technician Dana Weiss'
sign_policy() {
	: >"$work/people.csv"
	printf '%s\n' "$demo_people" | while read -r badge pin role name; do
		printf '%s\n' "$pin" | ctl account hash "$badge" --display "$name" --role "$role" \
			>>"$work/people.csv" 2>>"$work/log/centralctl" || exit 1
	done || die "an account could not be made; see $work/log/centralctl"
	ctl policy template >"$work/policy.conf"
	ctl policy sign "$work/policy.conf" --accounts "$work/people.csv" >>"$work/log/centralctl" 2>&1 ||
		die "the policy could not be signed; see $work/log/centralctl"
}

# The two screens. Ports of 0 are any that are free.
start_consoled() { # TRAVELLER_PORT OFFICER_PORT
	mkdir -p "$keys/console"
	cat >"$etc/consoled.conf" <<-EOF
		[files]
		trust = $etc/trust.json
		state = $keys/console
		port_file = $run/console.ports
		[varlink]
		booth = $run/booth
		sync = $run/sync
		[traveller]
		port = $1
		[officer]
		port = $2
	EOF
	rm -f "$run/console.ports"
	"$bin/consoled" --config "$etc/consoled.conf" 2>>"$work/log/consoled" &
	consoled_pid=$!
	remember "$consoled_pid"
	wait_for 20 "the start of consoled" test -s "$run/console.ports"
	read -r traveller_port officer_port <"$run/console.ports"
}

still_running() {
	cat <<-EOF

	The two screens; open them in a browser on this machine:
	  traveller  http://localhost:$traveller_port/
	  officer    https://localhost:$officer_port/   (its certificate is its own; sign in as below)
	EOF
	printf '%s\n' "$demo_people" | while read -r badge pin role name; do
		printf '             badge %s, PIN %s: %s, %s\n' "$badge" "$pin" "$name" "$role"
	done
	cat <<-EOF

	Still running; end with Ctrl-C:
	  centre    https://localhost:$centre_port   (client certificate needed)
	  events    $bin/boothctl --booth-socket $run/booth watch
	  status    $bin/boothctl --booth-socket $run/booth --sync-socket $run/sync status
	  records   $bin/centralctl --dir $centre encounters list --open
	EOF
}
