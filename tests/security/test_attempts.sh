#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What each program must not do (design.md, 2), tried from inside its own sandbox, as root and with
# every file readable: what stops an attempt here is the sandbox alone. Each attempt that must fail
# is first made without the sandbox, where it must work, so that no row passes by accident.
#
# Seen to fail: Landlock left out, for all or for files or for ports; seccomp left out; its list of
# calls that kill; AF_INET, netlink, fork, chown allowed; new calls as EPERM; no MDWE; a limit on
# core files left, dumpable, vsock allowed; the program not executed anew. Not seen: "signal", which Landlock and seccomp
# stop each alone.
set -eu
bin=$EGRESS_BUILD/bin
find . -mindepth 1 -delete
here=$PWD
failed=0
mkdir -p lib/console etc lib/booth lib/sync lib/shared run pack centre elsewhere frames/loop
for file in lib/booth/seal.key lib/booth/record.key lib/sync/tls.pem lib/shared/records.db \
	lib/shared/manifests.db lib/console/tls.key etc/trust.json pack/pack.json centre/central.db elsewhere/file; do
	echo secret >"$file"
done
cat >etc/boothd.conf <<END
[booth]
trust = $here/etc/trust.json
site = $here/etc/site.conf
state = $here/lib/booth
records = $here/lib/shared/records.db
manifests = $here/lib/shared/manifests.db
public_keys = $here/lib/shared/booth.pub
socket = $here/run/booth
sync_socket = $here/run/sync
[models]
pack = $here/pack
[camera]
backend = folder
source = $here/frames/loop
END
cat >etc/syncd.conf <<END
[files]
trust = $here/etc/trust.json
state = $here/lib/sync
token = $here/lib/sync/token
records = $here/lib/shared/records.db
manifests = $here/lib/shared/manifests.db
booth_keys = $here/lib/shared/booth.pub
[varlink]
socket = $here/run/sync
booth = $here/run/booth
END
cat >etc/consoled.conf <<END
[files]
trust = $here/etc/trust.json
state = $here/lib/console
[varlink]
booth = $here/run/booth
sync = $here/run/sync
[traveller]
port = 8080
[officer]
port = 8444
END
cat >etc/centrald.conf <<END
[centre]
folder = $here/centre
[listen]
address = 127.0.0.1
port = 8443
END

# KILLED when SIGSYS ended it
attempt() { # PROGRAM CONFIG|- ATTEMPT [ARGUMENT]
	status=0
	said=$({ "$bin/security_$1" "$2" "$3" ${4+"$4"}; } 2>>said) || status=$?
	[ "$status" != 159 ] || said=KILLED
	echo "${said:-status $status}"
}
check() { # PROGRAM WANTED ATTEMPT [ARGUMENT]
	program=$1 wanted=$2
	shift 2
	case $wanted in
	done | KILLED | ENOSYS) ;;
	*)
		got=$(attempt "$program" - "$@")
		[ "$1" != remove ] || echo secret >"$2" # it was there
		[ "$got" = done ] || { echo "FAILED: without a sandbox: $*: $got"; failed=1; }
		;;
	esac
	got=$(attempt "$program" "$here/etc/$program.conf" "$@")
	[ "$got" = "$wanted" ] || { echo "FAILED: $program: $*: wanted $wanted, got $got"; failed=1; }
}

# ---- all three ----------------------------------------------------------------------------------
for program in boothd syncd consoled centrald; do
	for call in ptrace peek mount unshare bpf io_uring keyring; do
		check "$program" KILLED "$call" $$
	done
	check "$program" KILLED exec /bin/sh
	check "$program" KILLED fork # the C library blocks signals meanwhile, SIGSYS too
	check "$program" EPERM signal $$
	check "$program" EPERM chown "$here/elsewhere/file"
	check "$program" EPERM vsock
	check "$program" EPERM core
	check "$program" EACCES write_and_run
	check "$program" EACCES make_runnable
	check "$program" ENOSYS new_call
	check "$program" done unix
	check "$program" done read /usr/lib/os-release
	check "$program" EACCES read /etc/shadow
	check "$program" EACCES read "$here/elsewhere/file"
	check "$program" EACCES write "$here/elsewhere/new"
	check "$program" EACCES write "$here/elsewhere/file"
	check "$program" EACCES write "${TMPDIR:-/tmp}/egress-attempt.$$"
	rm -f "$here/elsewhere/new" "${TMPDIR:-/tmp}/egress-attempt.$$"
done

# ---- boothd: no network, none of syncd's files, no device that is not configured ------------------
for family in inet inet6 routes; do check boothd EPERM "$family"; done
check boothd done uevents
check boothd EACCES bind 0
check boothd EACCES connect 9
check boothd EACCES read "$here/lib/sync/tls.pem"
check boothd EACCES read "$here/etc/../centre/central.db"
check boothd EACCES write "$here/etc/trust.json"
check boothd EACCES write "$here/pack/pack.json"
check boothd EACCES read /dev/zero
check boothd done read "$here/lib/booth/seal.key"
check boothd done write "$here/lib/shared/records.db-wal"
check boothd done read "$here/pack/pack.json"
# A thread that a library started before main is held as well.
export EARLY_THREAD=yes
check boothd EACCES early_thread "$here/lib/sync/tls.pem"
check boothd done early_thread "$here/lib/booth/seal.key"
unset EARLY_THREAD

# ---- syncd: no camera, none of boothd's keys, nobody comes in -------------------------------------
for family in inet inet6 routes; do check syncd done "$family"; done
check syncd done connect 9
check syncd EACCES bind 0
check syncd EPERM uevents
check syncd EACCES read "$here/lib/booth/seal.key"
check syncd EACCES read "$here/lib/booth/record.key"
check syncd EACCES remove "$here/lib/booth/record.key"
check syncd EACCES read /dev/zero
check syncd EACCES write "$here/etc/trust.json"
check syncd done read "$here/lib/sync/tls.pem"
check syncd done write "$here/lib/shared/manifests.db-wal"
check syncd done read /etc/hosts

# ---- consoled: its two ports, no way out, no camera, no database, its own folder --------------------
check consoled done bind 8080
check consoled done bind 8444
check consoled EACCES bind 8443
check consoled EACCES connect 9
check consoled EPERM uevents
check consoled EACCES read /dev/zero
check consoled EACCES read "$here/lib/shared/records.db"
check consoled EACCES write "$here/lib/shared/records.db"
check consoled EACCES read "$here/lib/booth/seal.key"
check consoled EACCES read "$here/lib/sync/tls.pem"
check consoled EACCES write "$here/etc/trust.json"
check consoled done read "$here/etc/trust.json"
check consoled done write "$here/lib/console/tls.crt"

# ---- centrald: its port, and no way out -----------------------------------------------------------
check centrald done bind 8443
check centrald EACCES bind 8444
check centrald EACCES connect 9
check centrald EACCES read "$here/lib/booth/seal.key"
check centrald EACCES read "$here/etc/trust.json"
check centrald done write "$here/centre/central.db-wal"

# Every refusal that is not an error of a file says so once.
grep -q 'sandbox: refused system call socket (' said || { echo "FAILED: no line in the log"; failed=1; }
exit "$failed"
