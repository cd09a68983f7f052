#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A booth as it is installed: users, groups and folders by board/units (systemd-sysusers,
# systemd-tmpfiles), boothd and syncd each as its own user with the groups and the umask of its unit.
# Everything works together (enrolment, keys, manifest, encounters, purge of what was acknowledged,
# both sockets, the shared databases), and neither reaches what is the other's. What is tried here is
# tried without a sandbox: users and modes alone must stop it. Needs root.
#
# What it asserts was not yet broken on purpose, one by one.
[ "$(id -u)" = 0 ] && setpriv --reuid=1 --clear-groups true 2>/dev/null ||
	{ echo "skipped: needs root, to become other users"; exit 77; }
. "$EGRESS_SOURCE/tests/system/lib.sh"
fail() { bad "$@"; }
. "$EGRESS_SOURCE/tests/security/lib.sh"
units=$EGRESS_SOURCE/board/units
root=$work/r
egress=$root/var/lib/egress

# ---- the machine: users and folders as the installer makes them
mkdir -p "$root/etc" "$root/run" "$root/var/lib" "$work/log"
chmod 755 "$work" "$root" "$root"/*
systemd-sysusers --root="$root" "$units/egress.sysusers" >>"$work/log/sysusers" 2>&1 || bad "systemd-sysusers"
systemd-tmpfiles --root="$root" --create "$units/egress.tmpfiles" >>"$work/log/tmpfiles" 2>&1 || bad "systemd-tmpfiles"
uid_of() { awk -F: -v name="$1" '$1 == name { print $3 }' "$root/etc/passwd"; }
gid_of() { awk -F: -v name="$1" '$1 == name { print $3 }' "$root/etc/group"; }
unit() { sed -n "s/^$2=//p" "$units/$1.service"; } # UNIT KEY
groups_of() { # the unit's groups that this machine has
	gid_of egress
	for name in $(unit "$1" SupplementaryGroups); do gid_of "$name"; done
}
become() { # USER COMMAND...: this process, with the groups and the umask of the unit of that name
	local user=$1
	shift
	umask "$(unit "$user" UMask)"
	exec setpriv --reuid="$(uid_of "$user")" --regid="$(gid_of "$(unit "$user" Group)")" \
		--groups="$(groups_of "$user" | paste -sd,)" --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
}
as() { (become "$@"); }
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
[ -n "$(uid_of boothd)" ] && [ -n "$(uid_of syncd)" ] && [ "$(uid_of boothd)" != "$(uid_of syncd)" ] || bad "no users"
# A checkout, and the exceptions of the leak checker in it, may lie where other users cannot look.
unset LSAN_OPTIONS
# Nor can other users write into the folder of tests/watched: what a sanitizer finds goes to the logs,
# which are searched at the end.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path=stderr" TSAN_OPTIONS="${TSAN_OPTIONS:-}:log_path=stderr"
mkdir "$work/bin"
for program in boothd syncd boothctl system_put; do install -m 755 "$bin/$program" "$work/bin"; done
own=$work/bin

state=$egress/shared
run=$root/run/egress
keys=$work/keys
mkdir "$keys"
ln -s "$egress/booth" "$keys/booth"
ln -s "$egress/sync" "$keys/sync"
start_centre
start_link
picture=$EGRESS_BUILD/run/test_booth_material/made/loop
mkdir "$work/frames" "$work/pack"
cp "$picture"/80000[0-9].jpg "$work/frames" 2>/dev/null || { echo "skipped: no model pack (./booth gets it)"; exit 77; }
cp -r "$EGRESS_PACK"/. "$work/pack"
chmod -R a+rX "$work/frames" "$work/pack" "$etc"
EGRESS_PACK=$work/pack
camera_lines="backend = folder
source = $work/frames"
write_config 5 </dev/null
sed -i "s#^source = $work/log/light#source = $egress/booth/light#" "$etc/boothd.conf"

# ---- provisioned by root, as a technician does it; keys made by boothd's user
ctl token new "$booth_id" --url "https://localhost:$relay_port" --out "$work/booth.provision" >>"$work/log/centralctl" 2>&1
boothctl provision "$work/booth.provision" --etc "$etc" --state "$egress/sync" >>"$work/log/boothctl" 2>&1 || bad "provision"
chmod a+r "$etc/trust.json"
as boothd "$own/boothd" --config "$etc/boothd.conf" --make-keys 2>>"$work/log/boothd" || bad "boothd --make-keys"
become boothd "$own/boothd" --config "$etc/boothd.conf" 2>>"$work/log/boothd" &
boothd_pid=$!
remember "$boothd_pid"
become syncd "$own/syncd" --config "$etc/syncd.conf" 2>>"$work/log/syncd" &
syncd_pid=$!
remember "$syncd_pid"

# ---- they work together
wait_for 240 "the start of boothd" test -S "$run/booth"
wait_for 60 "the enrolment, and boothd's keys at the centre" keys_are_there
is "boothd's user" "$(uid_of boothd)" "$(field "/proc/$boothd_pid/status" Uid)"
is "syncd's user" "$(uid_of syncd)" "$(field "/proc/$syncd_pid/status" Uid)"
is "boothd's capabilities" 0000000000000000 "$(field "/proc/$boothd_pid/status" CapEff)"
as boothd "$own/system_put" "$etc/trust.json" "$keys/booth/record.key" "$state/records.db" 3 >"$work/put" 2>>"$work/log/put" || bad "puts as boothd"
wait_for 60 "the delivery" none_queued
exactly_once "$work/put"
printf 'id,surname,given,birth,citizenship,document,issuer,flight,pnr,sequence\nP1,ROE,JO,1990-01-01,visitor,X1,UTO,EG1,,\n' >"$work/list.csv"
ctl travellers import "$work/list.csv" >>"$work/log/centralctl" 2>&1 || bad "import"
ctl manifest build --flight EG1 --booth "$booth_id" --port UTX --departs "$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)" \
	>>"$work/log/centralctl" 2>&1 || bad "manifest build"
# syncd writes it into the shared database and tells boothd, which opens it with its own key
wait_for 60 "the manifest in boothd's hands" status_has '.booth.manifest.travellers == 1'
boothctl --json self-test >"$work/selftest"
is "self-test" "" "$(jq -r '.checks[] | select(.ok | not) | .name' "$work/selftest" | grep -v '^manifest$')"
# An officer, who is in the group, asks; a stranger does not.
as boothd "$own/boothctl" --booth-socket "$run/booth" --sync-socket "$run/sync" status >"$work/asked" 2>&1 || bad "status as a member of the group: $(cat "$work/asked")"
in_sandbox "$boothd_pid"
in_sandbox "$syncd_pid"
is "memory locked" "true true" "$(boothctl --json status | jq -r '"\(.booth.memoryLocked) \(.sync.state.memoryLocked)"')"

# ---- neither reaches what is the other's
may() { as "$@" >/dev/null 2>>"$work/log/tried" || bad "$* failed, so the next lines would prove nothing"; }
may_not() { ! as "$@" >/dev/null 2>>"$work/log/tried" || bad "done: $*"; }
may boothd cat "$egress/booth/seal.key"
may syncd cat "$egress/sync/tls.pem"
for key in seal.key record.key; do may_not syncd cat "$egress/booth/$key"; done
may_not boothd cat "$egress/sync/tls.pem"
for pair in "boothd sync" "syncd booth"; do
	user=${pair% *} other=$egress/${pair#* }
	may_not "$user" ls "$other"
	may_not "$user" touch "$other/planted"
	may_not "$user" mv "$other" "$egress/taken"
	may_not "$user" touch "$egress/planted"
	may_not "$user" touch "$etc/planted"
	may_not "$user" sh -c "echo x >>'$etc/trust.json'"
done
may_not syncd kill -0 "$boothd_pid"
may_not boothd kill -0 "$syncd_pid"
may_not syncd cat "/proc/$boothd_pid/environ"
may_not boothd cat "/proc/$syncd_pid/maps"
may_not syncd rm -f "$run/booth"
may_not boothd mv "$run/sync" "$run/taken"
# Not even another process of the same user looks into memory: PR_SET_DUMPABLE.
may_not boothd cat "/proc/$boothd_pid/maps"
may_not syncd cat "/proc/$syncd_pid/environ"
for path in shared/records.db shared/manifests.db booth/seal.key sync/tls.pem; do
	! nobody cat "$egress/$path" >/dev/null 2>&1 || bad "nobody reads $path"
done
! nobody "$own/boothctl" --booth-socket "$run/booth" --sync-socket "$run/sync" status >/dev/null 2>&1 || bad "nobody asks boothd"
! nobody ls "$run" >/dev/null 2>&1 || bad "nobody looks into $run"

# ---- and each starts again over what the other left
end "$boothd_pid"
end "$syncd_pid"
become syncd "$own/syncd" --config "$etc/syncd.conf" 2>>"$work/log/syncd" &
syncd_pid=$!
remember "$syncd_pid"
as boothd "$own/system_put" "$etc/trust.json" "$keys/booth/record.key" "$state/records.db" 2 >>"$work/put" 2>>"$work/log/put" || bad "puts as boothd"
wait_for 60 "the delivery after a restart" none_queued
exactly_once "$work/put"
is "reports of sanitizers" "" "$(grep -hE 'ERROR: [A-Za-z]*Sanitizer|runtime error' "$work"/log/*)"
is "refused calls" "" "$(grep -h 'sandbox: ' "$work"/log/*)"
end "$syncd_pid"
exit "$failed"
