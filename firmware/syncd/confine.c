// SPDX-License-Identifier: Apache-2.0
//
// Name service is the C library's: it reads what is named below. A /etc/resolv.conf that is a file
// of its own is read as it was at the start; where a network manager replaces it, it should be the
// link into /run that systemd-resolved and NetworkManager make.

#include "firmware/syncd/confine.h"

#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/sandbox.h"

int syncd_confine(const struct config *config, const char *path, struct eg_err *err)
{
	const struct config *c = config;
	static const char device[] = "device:";
	const bool is_device = strncmp(c->tpm, device, strlen(device)) == 0;
	const struct eg_sandbox_path paths[] = {
		{path, EG_SANDBOX_READ, false},
		{c->trust, EG_SANDBOX_READ, true},
		{c->state, EG_SANDBOX_WRITE, false},
		{c->token, EG_SANDBOX_WRITE, true},
		{c->records, EG_SANDBOX_WRITE, true},
		{c->manifests, EG_SANDBOX_WRITE, true},
		{c->booth_keys, EG_SANDBOX_READ, true},
		{c->socket, EG_SANDBOX_WRITE, true},
		{is_device ? c->tpm + strlen(device) : "", EG_SANDBOX_DEVICE, false},
		{c->device_key, EG_SANDBOX_READ, true},
		{"/etc/resolv.conf", EG_SANDBOX_READ, false},
		{"/run/systemd/resolve", EG_SANDBOX_READ, false},
		{"/run/NetworkManager", EG_SANDBOX_READ, false},
		{"/etc/hosts", EG_SANDBOX_READ, false},
		{"/etc/host.conf", EG_SANDBOX_READ, false},
		{"/etc/nsswitch.conf", EG_SANDBOX_READ, false},
		{"/etc/gai.conf", EG_SANDBOX_READ, false},
		{"/etc/services", EG_SANDBOX_READ, false},
		{"/etc/protocols", EG_SANDBOX_READ, false},
	};
	const struct eg_sandbox sandbox = {
		.may = EG_SANDBOX_INET | EG_SANDBOX_CONNECT,
		.paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
	};
	int r = eg_dir_make(c->state, 0700, err);

	return r == 0 ? eg_sandbox_enter(&sandbox, err) : r;
}
