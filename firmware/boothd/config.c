// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/config.h"

#include <stddef.h>
#include <string.h>

#include "firmware/base/log.h"

static const char *const modes[] = {"identify", "verify", NULL};
static const char *const serves[] = {"one", "every", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
const char *const eg_boothd_cameras[] = {"libcamera", "folder", NULL};
const char *const eg_boothd_documents[] = {"none", "serial", "script", NULL};
const char *const eg_boothd_signals[] = {"record", "gpio", NULL};

int eg_boothd_config_check(const struct eg_boothd_config *config, const char *path,
			   struct eg_err *err)
{
	const struct eg_boothd_config *c = config;
	uint8_t digest[32];

	if (c->zone_left >= c->zone_right || c->zone_top >= c->zone_bottom)
		return eg_err_set(err, EG_EINVAL,
				  "%s: [camera] the zone is empty: zone_left must be below "
				  "zone_right, zone_top below zone_bottom",
				  path);
	if (c->pack_digest[0] != '\0' && eg_unhex(c->pack_digest, digest, sizeof(digest)) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "%s: [models] digest is not 64 hexadecimal digits", path);
	if (c->width % 2 != 0 || c->height % 2 != 0)
		return eg_err_set(err, EG_EINVAL, "%s: [camera] width and height must be even",
				  path);
	if (strcmp(eg_boothd_cameras[c->camera_backend], "folder") == 0 &&
	    c->camera_source[0] == '\0')
		return eg_err_set(err, EG_EINVAL,
				  "%s: [camera] source is empty; the folder camera wants its path",
				  path);
	if (strcmp(eg_boothd_documents[c->document_backend], "serial") == 0 &&
	    c->document_source[0] == '\0')
		return eg_err_set(err, EG_EINVAL,
				  "%s: [document] source is empty; a serial reader wants its "
				  "device, as in /dev/ttyACM0",
				  path);
	if (strcmp(eg_boothd_signals[c->signal_backend], "gpio") == 0 &&
	    c->signal_source[0] == '\0')
		return eg_err_set(err, EG_EINVAL,
				  "%s: [signal] source is empty; gpio wants chip:green:blue, as in "
				  "gpiochip0:17:27",
				  path);
	return 0;
}

#define AT(member) offsetof(struct eg_boothd_config, member)
#define TEXT(member)                                \
	.type = EG_CONF_TEXT, .offset = AT(member), \
	.size = sizeof(((struct eg_boothd_config *)0)->member)
#define PATH(member)                                \
	.type = EG_CONF_PATH, .offset = AT(member), \
	.size = sizeof(((struct eg_boothd_config *)0)->member)
#define INT(member, a, b)  .type = EG_CONF_INT, .offset = AT(member), .min = (a), .max = (b)
#define REAL(member, a, b) .type = EG_CONF_DOUBLE, .offset = AT(member), .min = (a), .max = (b)
#define BOOL(member)	   .type = EG_CONF_BOOL, .offset = AT(member)
#define ENUM(member, list) .type = EG_CONF_ENUM, .offset = AT(member), .words = (list)

// clang-format off
const struct eg_conf_key eg_boothd_keys[] = {
	{"booth", "trust", PATH(trust), .def = "/etc/egress/trust.json",
	 .help = "who this booth is and which keys of the centre it trusts (boothctl provision)"},
	{"booth", "site", PATH(site), .def = "/etc/egress/site.conf",
	 .help = "what was measured at this booth (boothctl calibrate); need not be there"},
	{"booth", "state", PATH(state), .def = "/var/lib/egress/booth",
	 .help = "folder of boothd's own keys; nobody else may read it"},
	{"booth", "records", PATH(records), .def = "/var/lib/egress/shared/records.db",
	 .help = "encounters and their outbox, shared with syncd"},
	{"booth", "manifests", PATH(manifests), .def = "/var/lib/egress/shared/manifests.db",
	 .help = "sealed manifests, put there by syncd"},
	{"booth", "public_keys", PATH(pub), .def = "/var/lib/egress/shared/booth.pub",
	 .help = "this booth's public keys, for syncd to send"},
	{"booth", "socket", PATH(socket), .def = "/run/egress/booth.socket",
	 .help = "Varlink socket of io.egress.Booth"},
	{"booth", "sync_socket", PATH(sync_socket), .def = "/run/egress/sync.socket",
	 .help = "Varlink socket of syncd, told when an encounter was queued"},
	{"booth", "mode", ENUM(mode, modes), .def = "identify",
	 .help = "identify: compare with everybody on the manifest; verify: a document comes first"},
	{"booth", "serve", ENUM(serve, serves), .def = "one",
	 .help = "one: one traveller at a time in the zone; every: jet bridge, whoever walks past"},
	{"booth", "notice", TEXT(notice), .def = "2026-01",
	 .help = "version of the privacy notice shown beside the camera; kept in each record"},
	{"booth", "log", ENUM(log, levels), .def = "info", .help = "error, warning, notice, info or debug"},
	{"console", "user", TEXT(console_user), .def = "consoled",
	 .help = "whose programs are shown faces and may decide, beside root's and boothd's own"},
	{"console", "faces_s", INT(faces_s, 1, 600), .def = "120",
	 .help = "how long a traveller's face and name can be shown after the verdict, in seconds"},
	{"models", "pack", PATH(pack), .def = "/usr/share/egress/models", .help = "folder of the model pack"},
	{"models", "digest", TEXT(pack_digest), .def = "",
	 .help = "SHA-256 of the pack's pack.json, to pin it; empty: any pack"},
	{"camera", "backend", ENUM(camera_backend, eg_boothd_cameras), .def = "libcamera",
	 .help = "libcamera, or folder (numbered JPEG files, for tests)"},
	{"camera", "source", TEXT(camera_source), .def = "",
	 .help = "libcamera: id of the camera, empty for the first; folder: its path"},
	{"camera", "width", INT(width, 320, 4096), .def = "1280", .help = "pixels"},
	{"camera", "height", INT(height, 240, 4096), .def = "720", .help = "pixels"},
	{"camera", "frame_rate", INT(frame_rate, 1, 120), .def = "30", .help = "pictures per second"},
	{"camera", "loop", BOOL(loop), .def = "yes", .help = "folder: begin again after the last picture"},
	{"camera", "zone_left", REAL(zone_left, 0, 1), .def = "0", .help = "booth zone, parts of the picture: faces whose centre lies outside are bystanders"},
	{"camera", "zone_top", REAL(zone_top, 0, 1), .def = "0", .help = "upper edge of the zone"},
	{"camera", "zone_right", REAL(zone_right, 0, 1), .def = "1", .help = "right edge of the zone"},
	{"camera", "zone_bottom", REAL(zone_bottom, 0, 1), .def = "1", .help = "lower edge of the zone"},
	{"document", "backend", ENUM(document_backend, eg_boothd_documents), .def = "none",
	 .help = "none, serial (a reader on a tty) or script (a file, for tests)"},
	{"document", "source", TEXT(document_source), .def = "", .help = "serial: /dev/ttyACM0 or /dev/ttyACM0:9600"},
	{"signal", "backend", ENUM(signal_backend, eg_boothd_signals), .def = "record",
	 .help = "gpio, or record (remembers only)"},
	{"signal", "source", TEXT(signal_source), .def = "", .help = "gpio: chip:green line:blue line, as in gpiochip0:17:27; record: a log file"},
	{"policy", "fmr", REAL(fmr, 1e-9, 0.1), .def = "0.0001", .help = "verify: false match rate aimed at"},
	{"policy", "fpir", REAL(fpir, 1e-9, 0.1), .def = "0.003", .help = "identify: false positive identification rate aimed at, for the whole manifest"},
	{"policy", "needs_liveness", BOOL(needs_liveness), .def = "yes", .help = "refer a match that does not look alive"},
	{"policy", "liveness_min", REAL(liveness_min, 0, 1), .def = "0.5", .help = "score from which a face counts as alive"},
	{"policy", "confirm_shots", INT(confirm_shots, 1, 5), .def = "2", .help = "pictures that a confirmation rests on at least"},
	{"policy", "inter_eye_min_px", INT(inter_eye_min_px, 10, 400), .def = "40", .help = "smallest distance between the eyes of a usable shot"},
	{"policy", "quality_min", INT(quality_min, 0, 100), .def = "30", .help = "lowest quality of a usable shot"},
	{"policy", "try_ms", INT(try_ms, 500, 20000), .def = "6000", .help = "longest time from the first usable face to a verdict"},
	{"policy", "patience_ms", INT(patience_ms, 1000, 60000), .def = "20000", .help = "longest time until the officer is asked"},
	{"policy", "show_ms", INT(show_ms, 100, 30000), .def = "3000", .help = "how long the light shows a verdict"},
	{"policy", "opt_out_ms", INT(opt_out_ms, 1000, 600000), .def = "20000", .help = "how long the camera rests after \"no camera, please\""},
	{0},
};
// clang-format on
