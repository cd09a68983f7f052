// SPDX-License-Identifier: Apache-2.0

#include "net/central/centrald/confine.h"

#include "firmware/base/sandbox.h"

int centrald_confine(const struct config *config, const char *path, struct eg_err *err)
{
	const struct eg_sandbox_path paths[] = {
		{path, EG_SANDBOX_READ, false},
		{config->folder, EG_SANDBOX_WRITE, false},
		{config->port_file, EG_SANDBOX_WRITE, true},
	};
	const uint16_t port = (uint16_t)config->port;
	const struct eg_sandbox sandbox = {
		.may = EG_SANDBOX_INET | EG_SANDBOX_LISTEN,
		.listen_ports = &port,
		.listen_port_count = 1,
		.paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
	};

	return eg_sandbox_enter(&sandbox, err);
}
