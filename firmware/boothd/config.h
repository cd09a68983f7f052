// SPDX-License-Identifier: Apache-2.0
//
// boothd's configuration: boothd.conf, one keyword table (config.c).

#ifndef EG_BOOTHD_CONFIG_H
#define EG_BOOTHD_CONFIG_H

#include "firmware/base/conf.h"

#define EG_CONFIG_PATH_MAX 512

struct eg_boothd_config {
	// [booth]
	char trust[EG_CONFIG_PATH_MAX], state[EG_CONFIG_PATH_MAX], socket[EG_CONFIG_PATH_MAX];
	char sync_socket[EG_CONFIG_PATH_MAX];
	char site[EG_CONFIG_PATH_MAX];
	char records[EG_CONFIG_PATH_MAX], manifests[EG_CONFIG_PATH_MAX], pub[EG_CONFIG_PATH_MAX];
	int mode, serve;
	char notice[64];
	int log;
	// [console]
	char console_user[64];
	long long faces_s;
	// [models]
	char pack[EG_CONFIG_PATH_MAX];
	char pack_digest[65];
	// [camera]
	int camera_backend;
	char camera_source[EG_CONFIG_PATH_MAX];
	long long width, height, frame_rate;
	bool loop;
	double zone_left, zone_top, zone_right, zone_bottom;
	// [document], [signal]
	int document_backend, signal_backend;
	char document_source[EG_CONFIG_PATH_MAX], signal_source[EG_CONFIG_PATH_MAX];
	// [policy]
	double fmr, fpir, liveness_min;
	bool needs_liveness;
	long long try_ms, patience_ms, show_ms, opt_out_ms, confirm_shots;
	long long inter_eye_min_px, quality_min;
};

enum eg_boothd_mode {
	EG_BOOTHD_IDENTIFY,
	EG_BOOTHD_VERIFY
};
enum eg_boothd_serve {
	EG_BOOTHD_ONE,
	EG_BOOTHD_EVERY
};

extern const struct eg_conf_key eg_boothd_keys[];

// What no single line can tell: values that must fit each other. `path` is for the sentence.
int eg_boothd_config_check(const struct eg_boothd_config *config, const char *path,
			   struct eg_err *err) EG_CHECKED;

extern const char *const eg_boothd_cameras[], *const eg_boothd_documents[],
						      *const eg_boothd_signals[];

#endif
