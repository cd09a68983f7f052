// SPDX-License-Identifier: Apache-2.0
//
// See config.h. A test compares this table with ../centrald.conf.

#include "net/central/centrald/config.h"

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
	TEXT(EG_CONF_PATH, "centre", "folder", folder, "/var/lib/egress-central",
	     "Folder made by 'centralctl init'"),

	TEXT(EG_CONF_TEXT, "listen", "address", address, "0.0.0.0",
	     "Numeric address to listen on; '::' for IPv6 and IPv4"),
	WHOLE("listen", "port", port, 0, 65535, "8443", "Port; 0: any that is free"),
	TEXT(EG_CONF_PATH, "listen", "port_file", port_file, "",
	     "File that gets the port once we listen; empty: none"),

	WHOLE("est", "certificate_days", certificate_days, 1, 825, "90",
	      "How long a booth's certificate is good; it renews at two thirds"),

	WHOLE("limits", "connections", connections, 1, 100000, "1024", "Connections at once"),
	WHOLE("limits", "per_address", per_address, 1, 100000, "256",
	      "... from one address; booths of a port may share one"),
	WHOLE("limits", "timeout_s", timeout_s, 1, 3600, "30",
	      "A connection that does nothing for so many seconds is closed"),
	WHOLE("limits", "request_s", request_s, 1, 3600, "120",
	      "A request whose body takes longer to arrive, beside 2 s a kilobyte, is dropped"),
	WHOLE("limits", "body_mb", body_mb, 2, 65536, "64",
	      "Megabytes for the bodies of all requests under way; then 503"),

	{"log", "level", EG_CONF_ENUM, offsetof(struct config, log_level), 0, 0, 0, config_levels,
	 "info", "error, warning, notice, info or debug"},
	{0},
};
