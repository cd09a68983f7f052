// SPDX-License-Identifier: Apache-2.0
//
// What syncd.conf says. Thread: constant after loading.

#ifndef EG_SYNCD_CONFIG_H
#define EG_SYNCD_CONFIG_H

#include "firmware/base/conf.h"

#define CONFIG_PATH_MAX 256

struct config {
	char trust[CONFIG_PATH_MAX];
	char state[CONFIG_PATH_MAX];
	char token[CONFIG_PATH_MAX];
	char records[CONFIG_PATH_MAX];
	char manifests[CONFIG_PATH_MAX];
	char booth_keys[CONFIG_PATH_MAX];
	int key; // enum eg_key_want
	char tpm[CONFIG_PATH_MAX];
	char device_key[CONFIG_PATH_MAX];
	char socket[CONFIG_PATH_MAX];
	char booth_socket[CONFIG_PATH_MAX];
	long long poll_s, heartbeat_s, live_s, keep_expired_h;
	double queue_s, backoff_min_s, backoff_max_s, again_s;
	long long connect_s, stall_s, call_s;
	int log_level; // index into config_levels
};

extern const struct eg_conf_key config_keys[];
extern const char *const config_levels[]; // "error" … "debug"
extern const char *const config_wants[];  // by enum eg_key_want

#endif
