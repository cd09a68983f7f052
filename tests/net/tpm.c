// SPDX-License-Identifier: Apache-2.0

#include "tpm.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki.h"

void tpm_on(struct tpm *tpm)
{
	char state[96], server[128], control[128], socket[96];

	(void)snprintf(state, sizeof(state), "dir=%s/state", tpm->dir);
	(void)snprintf(socket, sizeof(socket), "%s/s.ctrl", tpm->dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/s", tpm->dir);
	(void)snprintf(control, sizeof(control), "type=unixio,path=%s", socket);
	tpm->pid = fork();
	if (tpm->pid < 0)
		abort();
	if (tpm->pid == 0) {
		const int null = open("/dev/null", O_WRONLY); // it tells of every disconnection

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); // not to outlive a test that failed
		(void)dup2(null, 2);
		(void)execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
			     server, "--ctrl", control, "--flags", "not-need-init,startup-clear",
			     (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && access(socket, F_OK) != 0; i++)
		(void)usleep(10000);
	if (access(socket, F_OK) != 0)
		abort();
}

void tpm_new(struct tpm *tpm)
{
	char state[96];
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(tpm->dir, sizeof(tpm->dir), "%s/egress-tpm.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(tpm->dir))
		abort();
	(void)snprintf(state, sizeof(state), "%s/state", tpm->dir);
	if (mkdir(state, 0700) != 0)
		abort();
	(void)snprintf(tpm->tcti, sizeof(tpm->tcti), "swtpm:path=%s/s", tpm->dir);
	tpm_on(tpm);
}

void tpm_off(struct tpm *tpm)
{
	char path[96];

	if (tpm->pid == 0)
		return;
	(void)kill(tpm->pid, SIGTERM);
	(void)waitpid(tpm->pid, NULL, 0);
	tpm->pid = 0;
	(void)snprintf(path, sizeof(path), "%s/s", tpm->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/s.ctrl", tpm->dir);
	(void)unlink(path);
}

void tpm_free(struct tpm *tpm)
{
	tpm_off(tpm);
	(void)pki_run(NULL, (const char *const[]){"rm", "-rf", tpm->dir, NULL});
}

void tpm_replace(struct tpm *tpm)
{
	char state[96];

	tpm_off(tpm);
	(void)snprintf(state, sizeof(state), "%s/state/tpm2-00.permall", tpm->dir);
	if (unlink(state) != 0)
		abort();
	tpm_on(tpm);
}

int tpm_tool(const struct tpm *tpm, const char *out, const char *const *words)
{
	if (setenv("TPM2TOOLS_TCTI", tpm->tcti, 1) != 0)
		abort();
	return pki_run(out, words);
}

void tpm_flush(struct tpm *tpm)
{
	if (tpm_tool(tpm, NULL, (const char *const[]){"tpm2_flushcontext", "-t", NULL}) != 0)
		abort();
}
