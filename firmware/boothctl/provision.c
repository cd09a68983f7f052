// SPDX-License-Identifier: Apache-2.0
//
// provision: splits the file that `centralctl token new` wrote into trust.json, which everybody may
// read and only root may change, and syncd's one-time token, which belongs to its folder's owner.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "firmware/boothctl/ctl.h"
#include "store/trust.h"

static const char usage[] =
	"usage: boothctl provision FILE [--etc DIR] [--state DIR]\n"
	"\n"
	"FILE comes from `centralctl token new BOOTH` at the centre. Writes DIR/trust.json "
	"(default\n"
	"/etc/egress) and syncd's token (default /var/lib/egress/sync). FILE holds a secret that\n"
	"works once: remove it afterwards.\n";

// As root: the file belongs to whom its folder belongs to, which is the program that uses it. What
// is given away is the file that was written just now, not what may stand at its path by then.
static int give_away(const char *path, const char *folder, struct eg_err *err)
{
	struct stat dir, file;
	int fd, r = 0;

	if (geteuid() != 0)
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return eg_err_errno(err, errno, "%s", path);
	if (stat(folder, &dir) != 0 || fstat(fd, &file) != 0)
		r = eg_err_errno(err, errno, "%s", folder);
	else if (!S_ISREG(file.st_mode) || file.st_nlink != 1)
		r = eg_err_set(err, EG_EAUTH, "%s was exchanged meanwhile; see who writes there",
			       path);
	else if (fchown(fd, dir.st_uid, dir.st_gid) != 0)
		r = eg_err_errno(err, errno, "%s could not be given to the owner of %s", path,
				 folder);
	close(fd);
	return r;
}

static int save(const struct eg_trust *trust, const char *etc, const char *state,
		struct eg_err *err)
{
	char path[1024];
	int r;

	r = eg_dir_make(etc, 0755, err);
	if (r != 0)
		return r;
	r = eg_dir_make(state, 0700, err);
	if (r != 0)
		return r;
	// The token first: a booth with trust and without a token would wait for a technician.
	(void)snprintf(path, sizeof(path), "%s/token", state);
	r = eg_file_write(path, EG_BYTES_STR(trust->token), 0600, err);
	if (r == 0)
		r = give_away(path, state, err);
	if (r != 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/trust.json", etc);
	return eg_trust_save(trust, false, path, err);
}

int eg_ctl_provision(const struct eg_ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {{"etc", required_argument, NULL, 'e'},
					      {"state", required_argument, NULL, 's'},
					      {0}};
	const char *etc = "/etc/egress", *state = "/var/lib/egress/sync";
	struct eg_err err = EG_ERR_INIT;
	struct eg_trust trust;
	int c, r;

	(void)ctl;
	optind = 0; // glibc: begin anew, with this option string
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'e')
			etc = optarg;
		else if (c == 's')
			state = optarg;
		else
			return (void)fputs(usage, stderr), 2;
	}
	if (optind != argc - 1)
		return (void)fputs(usage, stderr), 2;
	r = eg_trust_load(argv[optind], &trust, &err);
	if (r == 0 && trust.token[0] == '\0')
		r = eg_err_set(&err, EG_EINVAL,
			       "%s holds no token; make a new one at the centre with "
			       "`centralctl token new BOOTH`",
			       argv[optind]);
	if (r == 0)
		r = save(&trust, etc, state, &err);
	if (r == 0)
		(void)printf("booth %s trusts %s; start boothd and syncd now, then look at "
			     "`boothctl status`\n",
			     trust.booth, trust.url);
	eg_wipe(&trust, sizeof(trust));
	return r == 0 ? 0 : eg_ctl_fail(&err);
}
