// SPDX-License-Identifier: Apache-2.0
//
// See config.h. consoled.conf beside this file shows every key; a test compares the two.

#include "firmware/consoled/config.h"

#include <arpa/inet.h>
#include <stddef.h>

const char *const config_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

#define TEXT(type, section, key, field, def, help) \
	{section,                                  \
	 key,                                      \
	 type,                                     \
	 offsetof(struct config, field),           \
	 sizeof(((struct config *)NULL)->field),   \
	 0,                                        \
	 0,                                        \
	 NULL,                                     \
	 def,                                      \
	 help}
#define WHOLE(section, key, field, min, max, def, help) \
	{section, key, EG_CONF_INT, offsetof(struct config, field), 0, min, max, NULL, def, help}

const struct eg_conf_key config_keys[] = {
	TEXT(EG_CONF_PATH, "files", "trust", trust, "/etc/egress/trust.json",
	     "Who may sign the policy with the accounts; written by 'boothctl provision'"),
	TEXT(EG_CONF_PATH, "files", "state", state, "/var/lib/egress/console",
	     "Folder of consoled's own: its TLS key and certificate"),
	TEXT(EG_CONF_PATH, "files", "port_file", port_file, "",
	     "File that gets both ports, traveller's first, once we listen; empty: none"),

	TEXT(EG_CONF_PATH, "varlink", "booth", booth_socket, "/run/egress/booth.socket",
	     "Socket of boothd"),
	TEXT(EG_CONF_PATH, "varlink", "sync", sync_socket, "/run/egress/sync.socket",
	     "Socket of syncd"),

	WHOLE("traveller", "port", traveller_port, 0, 65535, "8080",
	      "Port of the traveller's page, on 127.0.0.1 only; 0: any that is free"),
	WHOLE("traveller", "view_rate", view_rate, 1, 30, "15",
	      "Pictures a second of the live view, officers' too"),

	TEXT(EG_CONF_TEXT, "officer", "address", officer_address, "127.0.0.1",
	     "Numeric address of the officer's page; '::' for IPv6 and IPv4 from everywhere"),
	WHOLE("officer", "port", officer_port, 0, 65535, "8443",
	      "Port of the officer's page (HTTPS); 0: any that is free"),
	TEXT(EG_CONF_PATH, "officer", "tls_cert", tls_cert, "",
	     "Certificate (PEM, chain after it) instead of the self-signed one"),
	TEXT(EG_CONF_PATH, "officer", "tls_key", tls_key, "",
	     "... and its private key, mode 0600 or 0400"),

	{"log", "level", EG_CONF_ENUM, offsetof(struct config, log_level), 0, 0, 0, config_levels,
	 "info", "error, warning, notice, info or debug"},
	{0},
};

int config_check(const struct config *config, const char *path, struct eg_err *err)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, config->officer_address, &address) != 1 &&
	    inet_pton(AF_INET6, config->officer_address, &address) != 1)
		return eg_err_set(err, EG_EINVAL,
				  "%s: [officer] address '%s' is no numeric address, as in 0.0.0.0",
				  path, config->officer_address);
	if ((config->tls_cert[0] == '\0') != (config->tls_key[0] == '\0'))
		return eg_err_set(
			err, EG_EINVAL,
			"%s: [officer] tls_cert and tls_key go together: set both, or none", path);
	if (config->traveller_port != 0 && config->traveller_port == config->officer_port)
		return eg_err_set(err, EG_EINVAL,
				  "%s: both pages have port %lld; each needs its own", path,
				  config->officer_port);
	return 0;
}
