// SPDX-License-Identifier: Apache-2.0
//
// Devices come and go, and each time as another file, so a real camera, reader or light opens /dev
// as a whole: there, groups and the unit's DeviceAllow= decide.

#include "firmware/boothd/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/sandbox.h"

// A rule is for a file that is there.
static int make_log(const char *path, struct eg_err *err)
{
	int fd;

	if (path[0] == '\0')
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return eg_err_errno(err, errno, "signal record %s", path);
	(void)close(fd);
	return 0;
}

int eg_boothd_confine(const struct eg_boothd_config *config, const char *path, struct eg_err *err)
{
	const struct eg_boothd_config *c = config;
	const char *camera = eg_boothd_cameras[c->camera_backend];
	const char *document = eg_boothd_documents[c->document_backend];
	bool gpio = strcmp(eg_boothd_signals[c->signal_backend], "gpio") == 0;
	bool libcamera = strcmp(camera, "libcamera") == 0;
	bool script = strcmp(document, "script") == 0;
	bool devices = libcamera || gpio || strcmp(document, "serial") == 0;
	const struct eg_sandbox_path paths[] = {
		{path, EG_SANDBOX_READ, false},
		{"/etc/passwd", EG_SANDBOX_READ,
		 false}, // executed anew, it asks for [console] user
		{"/etc/nsswitch.conf", EG_SANDBOX_READ, false},
		{c->trust, EG_SANDBOX_READ, true},
		{c->site, EG_SANDBOX_READ, true},
		{c->state, EG_SANDBOX_WRITE, false},
		{c->records, EG_SANDBOX_WRITE, true},
		{c->manifests, EG_SANDBOX_WRITE, true},
		{c->pub, EG_SANDBOX_WRITE, true},
		{c->socket, EG_SANDBOX_WRITE, true},
		{c->pack, EG_SANDBOX_READ, false},
		{libcamera ? "" : c->camera_source, EG_SANDBOX_READ, true}, // pictures come and go
		{script ? c->document_source : "", EG_SANDBOX_READ, false},
		{gpio ? "" : c->signal_source, EG_SANDBOX_WRITE, false},
		{devices ? "/dev" : "", EG_SANDBOX_DEVICE, false},
		{devices ? "/sys" : "", EG_SANDBOX_READ, false},
		{libcamera ? "/run/udev" : "", EG_SANDBOX_READ, false},
		{libcamera ? "/etc/libcamera" : "", EG_SANDBOX_READ, false},
	};
	const struct eg_sandbox sandbox = {
		.may = EG_SANDBOX_CAMERA,
		.paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
	};
	int r = eg_dir_make(c->state, 0700, err);

	if (r == 0 && !gpio)
		r = make_log(c->signal_source, err);
	return r == 0 ? eg_sandbox_enter(&sandbox, err) : r;
}
