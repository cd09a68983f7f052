// SPDX-License-Identifier: Apache-2.0
//
// The sockets of boothd and syncd need no rule: Landlock does not judge connections to AF_UNIX
// paths, their modes do.

#include "firmware/consoled/confine.h"

#include "firmware/base/file.h"
#include "firmware/base/sandbox.h"

int consoled_confine(const struct config *config, const char *path, struct eg_err *err)
{
	const struct config *c = config;
	const struct eg_sandbox_path paths[] = {
		{path, EG_SANDBOX_READ, false},	     {c->trust, EG_SANDBOX_READ, true},
		{c->state, EG_SANDBOX_WRITE, false}, {c->tls_cert, EG_SANDBOX_READ, true},
		{c->tls_key, EG_SANDBOX_READ, true}, {c->port_file, EG_SANDBOX_WRITE, true},
	};
	const uint16_t ports[] = {(uint16_t)c->traveller_port, (uint16_t)c->officer_port};
	const struct eg_sandbox sandbox = {
		.may = EG_SANDBOX_INET | EG_SANDBOX_LISTEN,
		.listen_ports = ports,
		.listen_port_count = 2,
		.paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
	};
	int r = eg_dir_make(c->state, 0700, err);

	return r == 0 ? eg_sandbox_enter(&sandbox, err) : r;
}
