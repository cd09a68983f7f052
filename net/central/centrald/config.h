// SPDX-License-Identifier: Apache-2.0
//
// centrald's configuration. Every key is in config.c's table, and in ../centrald.conf for people.

#ifndef CENTRALD_CONFIG_H
#define CENTRALD_CONFIG_H

#include "firmware/base/conf.h"

#define CONFIG_PATH_MAX 1024

struct config {
	char folder[CONFIG_PATH_MAX];
	char port_file[CONFIG_PATH_MAX];
	char address[64];
	long long port;
	long long certificate_days;
	long long connections, per_address;
	long long timeout_s, request_s;
	long long body_mb;
	int log_level; // index into config_levels
};

extern const char *const config_levels[];
extern const struct eg_conf_key config_keys[];

#endif
