#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The real syncd against the real centrald over a bad network: the booth and the centre are in network
# namespaces of their own, with a veth pair between them; over there stands tests/demo/relay.c in
# front of the centre, beside a name server and captive portals (badnet.py). After each trouble every
# encounter is at the centre exactly once, none is a dead letter, and while it lasts syncd says in
# its status, in words, what is wrong.
here_script=$(readlink -f "$0")
if [ -z "${EGRESS_NAMESPACES:-}" ]; then
	export EGRESS_NAMESPACES=yes
	for how in "--net --mount" "--user --map-root-user --net --mount"; do
		# shellcheck disable=SC2086
		unshare $how ip link add name probe0 type veth peer name probe1 2>/dev/null && exec unshare $how "$here_script"
	done
	echo "SKIPPED: this machine gives the test no network namespaces with a veth pair (as root it does)" >&2
	exit 77
fi
. "$(dirname "$here_script")/lib.sh"

booth_at=10.77.0.1 centre_at=10.77.0.2 portal_at=10.77.0.3
mkdir -p "$work/log"
unshare --net sleep infinity &
holder=$!
remember "$holder"
other_namespace() { [ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$holder/ns/net")" ]; }
wait_for 10 "the centre's namespace" other_namespace
there="nsenter -t $holder -n"
ip link set lo up
$there ip link set lo up
ip link add name booth0 type veth peer name centre0
ip link set centre0 netns "$holder"
ip addr add $booth_at/24 dev booth0
ip link set booth0 up
$there ip addr add $centre_at/24 dev centre0
$there ip addr add $portal_at/32 dev centre0
$there ip link set centre0 up

# Names are looked up over there.
printf 'nameserver %s\noptions timeout:1 attempts:2\n' $centre_at >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf || { say "SKIPPED: /etc/resolv.conf cannot be bound"; exit 77; }
names() { printf '%s\n' "$1" >"$work/names.new"; mv "$work/names.new" "$work/names"; }
names $centre_at
$there python3 "$(dirname "$here_script")/badnet.py" dns $centre_at "$work/names" 2>>"$work/log/dns" &
remember "$!"

centre_name=centre.test link_address=$centre_at
start_world
sed -i 's/^backoff_max_s.*/&\nconnect_s = 5\nstall_s = 5\ncall_s = 60/; s/^heartbeat_s.*/heartbeat_s = 3/' "$etc/syncd.conf"
ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=8" start_syncd
put 3
wait_for 60 "the first delivery" none_queued
wait_for 30 "the booth's keys at the centre" keys_are_there
exactly_once "$work/put"

problem() { boothctl --json status 2>/dev/null | jq -r '.sync.state.problem'; }
says() { # WORDS: syncd's status has them, and the link is not up
	problem | grep -qi -- "$1" && status_has '.sync.state.link == "down"'
}
no_dead_letter() { is "dead letters ($1)" 0 "$(records_db 'SELECT dead FROM tally')"; }
# troubled WHAT COUNT WORDS: with COUNT more encounters nothing gets through, and syncd says so. They
# are small, so that syncd does not take the time for a slow link's.
troubled() {
	put "$2" 0 "${4:-500}"
	wait_for 40 "$1: the words '$3'" says "$3"
	is "waiting ($1)" "$2" "$(queued)"
	no_dead_letter "$1"
}
healed() { # WHAT [SECONDS]
	wait_for "${2:-60}" "$1: the delivery afterwards" none_queued
	wait_for 30 "$1: the end of the problem" status_has '.sync.state.link == "up" and .sync.state.problem == ""'
	no_dead_letter "$1"
	exactly_once "$work/put"
	say "$1: done after $SECONDS s"
}

# ---- 800 ms there and back
set_link slow 400 0
put 3
healed "delay"

# ---- 1 kB/s: an encounter of 20 kB takes 20 s, most of which it lies in the link's buffers
set_link cut
set_link slow 50 1000
put 1
healed "1 kB/s" 120
is "broken off at 1 kB/s" 0 "$(grep -c 'encounter: .*too slow' "$work/log/syncd")"

# ---- cut in the middle of a request's body, again and again
set_link cut-up 12000
troubled "cut in a request" 2 "cannot be reached" 20000
set_link whole
healed "cut in a request"

# ---- connections are reset
set_link reset
troubled "reset" 2 "reset by peer\|handshake failed"
set_link whole
healed "reset"

# ---- a peer that takes the connection and says nothing
set_link hang
troubled "hanging peer" 2 "too slow\|cannot be reached"
set_link whole
healed "hanging peer"

# ---- half-open: the peer is gone without a word, the connection stands
$there ip addr del $centre_at/24 dev centre0
troubled "peer silently gone" 2 "too slow\|cannot be reached"
$there ip addr add $centre_at/24 dev centre0
healed "peer silently gone"
$there ip link set centre0 down
troubled "cable out" 1 "too slow\|cannot be reached"
$there ip link set centre0 up
healed "cable out"

# ---- names
names nxdomain
set_link cut; set_link whole
troubled "no such name" 2 "resolve host"
names silent
put 1
sleep 3
is "waiting (silent name server)" 3 "$(queued)"
wait_for 30 "the words of a silent name server" says "resol"
names $centre_at
healed "names"

# ---- captive portals: name service leads every booth to them
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=centre.test \
	-addext subjectAltName=DNS:centre.test -keyout "$work/portal.key" -out "$work/portal.crt" 2>>"$work/log/openssl"
for kind in "200" "204" "302" "200 $work/portal.crt $work/portal.key" "302 $work/portal.crt $work/portal.key"; do
	# shellcheck disable=SC2086
	$there python3 "$(dirname "$here_script")/badnet.py" portal $portal_at "$relay_port" $kind 2>>"$work/log/portal" &
	portal_pid=$!
	remember "$portal_pid"
	names $portal_at
	set_link cut; set_link whole
	case $kind in *crt*) words="not the centre we trust" ;; *) words="does not speak TLS" ;; esac
	troubled "portal ${kind%% *}" 1 "$words"
	names $centre_at
	end "$portal_pid"
	healed "portal ${kind%% *} ${kind#* }"
done

# ---- a manifest of 420 people, 20 MB, over a link that drops every 3 s; syncd killed in the middle
for n in $(seq 420); do echo "P$n,MARLOWE,IVY,1991-04-12,visitor,X$((1000000 + n)),UTO,EG1"; done |
	sed '1i id,surname,given,birth,citizenship,document,issuer,flight' >"$work/list.csv"
ctl travellers import "$work/list.csv" >>"$work/log/centralctl" 2>&1 || bad "import"
sqlite3 "$centre/central.db" ".timeout 5000" "INSERT INTO photo SELECT id, 1, 2022, randomblob(48000) FROM person"
set_link slow 20 2500000
flap() { while sleep 3; do set_link cut; sleep 0.3; set_link slow 20 2500000; done; }
flap &
flap_pid=$!
remember "$flap_pid"
ctl manifest build --flight EG1 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
	>>"$work/log/centralctl" 2>&1 || bad "manifest build"
bytes=$(central_db "SELECT length FROM manifest")
[ "${bytes:-0}" -gt 20000000 ] || bad "the manifest is only ${bytes:-0} bytes long"
put 2
partial_is_over() { [ "$(stat -c %s "$keys/sync"/manifest.*.part 2>/dev/null || echo 0)" -gt "$1" ]; }
wait_for 120 "a part of the manifest" partial_is_over 8000000
most=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$syncd_pid/status")
kill_9 "$syncd_pid"
had=$(stat -c %s "$keys/sync"/manifest.*.part)
start_syncd
wait_for 120 "the manifest's arrival" manifest_is_there
has "resumed" "going on behind the $had of $bytes bytes" "$(cat "$work/log/syncd")"
kill "$flap_pid"; forget "$flap_pid"
wait "$flap_pid" 2>/dev/null
set_link whole
is "left of the download" "" "$(ls "$keys/sync" | grep part)"
is "its bytes" "$bytes" "$(sqlite3 -readonly "$state/manifests.db" "SELECT length(wire) FROM manifest" 2>/dev/null || echo "$bytes")"
healed "flapping link"
peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$syncd_pid/status")
say "syncd: at most $most kB and $peak kB of memory"

end "$syncd_pid"
end "$centre_pid"
exit "$failed"
