// SPDX-License-Identifier: Apache-2.0
//
// consoled's configuration. Every key is in config.c's table, and in consoled.conf for people.

#ifndef CONSOLED_CONFIG_H
#define CONSOLED_CONFIG_H

#include "firmware/base/conf.h"

#define CONFIG_PATH_MAX 1024

struct config {
	char trust[CONFIG_PATH_MAX];
	char state[CONFIG_PATH_MAX];
	char booth_socket[CONFIG_PATH_MAX];
	char sync_socket[CONFIG_PATH_MAX];
	long long traveller_port;
	char officer_address[64];
	long long officer_port;
	char tls_cert[CONFIG_PATH_MAX], tls_key[CONFIG_PATH_MAX];
	char port_file[CONFIG_PATH_MAX];
	long long view_rate;
	int log_level; // index into config_levels
};

extern const char *const config_levels[];
extern const struct eg_conf_key config_keys[];

// What the table cannot say. EG_EINVAL names the file, `path`.
int config_check(const struct config *config, const char *path, struct eg_err *err) EG_CHECKED;

#endif
