// SPDX-License-Identifier: Apache-2.0
//
// See config.h. syncd.conf beside this file shows every key; a test compares the two.

#include "firmware/syncd/config.h"

#include <stddef.h>

#include "net/tlskey.h"

const char *const config_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
const char *const config_wants[] = {
	[EG_KEY_AUTO] = "auto",
	[EG_KEY_WANT_TPM] = "tpm",
	[EG_KEY_WANT_FILE] = "file",
	NULL,
};

#define PATH(section, key, field, def, help)                                                \
	{section, key, EG_CONF_PATH, offsetof(struct config, field), CONFIG_PATH_MAX, 0, 0, \
	 NULL,	  def, help}
#define WHOLE(section, key, field, min, max, def, help) \
	{section, key, EG_CONF_INT, offsetof(struct config, field), 0, min, max, NULL, def, help}
#define REAL(section, key, field, min, max, def, help) \
	{section, key, EG_CONF_DOUBLE, offsetof(struct config, field), 0, min, max, NULL, def, help}

const struct eg_conf_key config_keys[] = {
	PATH("files", "trust", trust, "/etc/egress/trust.json",
	     "Who we are and whom we trust; written by 'boothctl provision'"),
	PATH("files", "state", state, "/var/lib/egress/sync",
	     "Folder of syncd's own: TLS key and certificate, lock"),
	PATH("files", "token", token, "/var/lib/egress/sync/token",
	     "One-time enrolment token; removed once it was used"),
	PATH("files", "records", records, "/var/lib/egress/shared/records.db",
	     "Encounters, put there by boothd"),
	PATH("files", "manifests", manifests, "/var/lib/egress/shared/manifests.db",
	     "Manifests, read by boothd"),
	PATH("files", "booth_keys", booth_keys, "/var/lib/egress/shared/booth.pub",
	     "Public keys of boothd, sent to the centre once"),

	{"identity", "key", EG_CONF_ENUM, offsetof(struct config, key), 0, 0, 0, config_wants,
	 "auto", "Where a new TLS key is kept: tpm, file, or auto: in the TPM where there is one"},
	{"identity", "tpm", EG_CONF_TEXT, offsetof(struct config, tpm), CONFIG_PATH_MAX, 0, 0, NULL,
	 "device:/dev/tpmrm0", "How the TPM is reached (a TCTI of tpm2-tss)"},
	PATH("identity", "device_key", device_key, "/run/credentials/syncd.service/device-key",
	     "Its first line seals a TLS key kept in a file; not there: the file is not sealed"),

	WHOLE("sync", "poll_s", poll_s, 1, 86400, "60", "Seconds between looks for manifests"),
	WHOLE("sync", "heartbeat_s", heartbeat_s, 1, 86400, "60", "Seconds between heartbeats"),
	REAL("sync", "queue_s", queue_s, 0.05, 3600, "2",
	     "Seconds between looks into an empty queue; boothd also calls"),
	WHOLE("sync", "live_s", live_s, 0, 86400, "300",
	      "Encounters younger than this go before the backlog"),
	WHOLE("sync", "keep_expired_h", keep_expired_h, 0, 720, "6",
	      "Hours an expired manifest is kept (as stale) before it is erased"),

	REAL("net", "backoff_min_s", backoff_min_s, 0.01, 3600, "1",
	     "First wait after a failure; doubles from there"),
	REAL("net", "backoff_max_s", backoff_max_s, 0.01, 86400, "60",
	     "Longest wait after a failure"),
	REAL("net", "again_s", again_s, 0.1, 86400, "600",
	     "After a refusal: before a token or a renewal is tried again"),
	WHOLE("net", "connect_s", connect_s, 1, 600, "10", "Time-out for TCP and TLS together"),
	WHOLE("net", "stall_s", stall_s, 1, 600, "30", "Time-out for a transfer that stands still"),
	WHOLE("net", "call_s", call_s, 1, 3600, "300", "Time-out for one whole call"),

	PATH("varlink", "socket", socket, "/run/egress/sync.socket", "Where syncd listens"),
	PATH("varlink", "booth", booth_socket, "/run/egress/booth.socket", "Where boothd listens"),

	{"log", "level", EG_CONF_ENUM, offsetof(struct config, log_level), 0, 0, 0, config_levels,
	 "info", "error, warning, notice, info or debug"},
	{0},
};
