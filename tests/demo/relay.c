// SPDX-License-Identifier: Apache-2.0
//
// relay PORT_FILE TARGET_PORT: a TCP relay on loopback between syncd and centrald, so that the
// demo and tests can cut the link: SIGUSR1 drops every connection and refuses new ones, SIGHUP
// loses the answers to requests with a body (what the centre says once the client has sent
// BODY_BYTES encrypted ones), SIGUSR2 lets everything through again. It sees only TLS. One thread,
// poll(2); ends with its parent.
//
// usage: eg-relay PORT_FILE TARGET_PORT

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX  64
#define CHUNK	   65536
#define BODY_BYTES 512 // more than a TLS 1.3 client without certificate needs to ask for something

enum mode {
	WHOLE,
	CUT,
	DEAF
};

struct pair {
	int fd[2];     // client, centre; −1: free
	size_t sealed; // encrypted bytes from the client
};

static struct pair pairs[PAIRS_MAX];

static void close_pair(struct pair *pair)
{
	for (int k = 0; k < 2; k++) {
		if (pair->fd[k] >= 0)
			(void)close(pair->fd[k]);
		pair->fd[k] = -1;
	}
}

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void take(int listener, unsigned int target, enum mode mode)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct sockaddr_in to = loopback(target);
	struct pair *pair = NULL;
	int centre;

	if (client < 0)
		return;
	for (size_t i = 0; pair == NULL && i < PAIRS_MAX; i++)
		if (pairs[i].fd[0] < 0)
			pair = &pairs[i];
	centre = mode == CUT || pair == NULL ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (centre < 0 || connect(centre, (struct sockaddr *)&to, sizeof(to)) != 0) {
		if (centre >= 0)
			(void)close(centre);
		(void)close(client);
		return;
	}
	*pair = (struct pair){.fd = {client, centre}};
}

// Moves what is there, or reads it only; false when the connection is over.
// *sealed counts from the first encrypted record (type 23) on, also behind a ChangeCipherSpec of
// 6 bytes.
static bool move(int from, int to, bool lose, size_t *sealed)
{
	static char chunk[CHUNK];
	ssize_t n = read(from, chunk, sizeof(chunk)), done = 0;

	if (sealed != NULL && n > 6 && (*sealed > 0 || chunk[chunk[0] == 20 ? 6 : 0] == 23))
		*sealed += (size_t)n;
	while (!lose && n > 0 && done < n) {
		ssize_t w = send(to, chunk + done, (size_t)(n - done), MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		done += w;
	}
	return n > 0;
}

static int listen_on(const char *port_file)
{
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *file;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return -1;
	file = fopen(port_file, "we");
	if (file == NULL)
		return -1;
	(void)fprintf(file, "%u\n", (unsigned int)ntohs(at.sin_port));
	return fclose(file) == 0 ? fd : -1;
}

static int run(int listener, int signals, unsigned int target)
{
	enum mode mode = WHOLE;

	for (;;) {
		struct pollfd fds[2 + 2 * PAIRS_MAX];
		size_t i;

		fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
		for (i = 0; i < 2 * PAIRS_MAX; i++)
			fds[2 + i] =
				(struct pollfd){.fd = pairs[i / 2].fd[i % 2], .events = POLLIN};
		if (poll(fds, 2 + 2 * PAIRS_MAX, -1) < 0 && errno != EINTR)
			return 1;
		if (fds[1].revents != 0) {
			struct signalfd_siginfo info;

			if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
				continue;
			if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
				return 0;
			mode = info.ssi_signo == SIGUSR1  ? CUT
			       : info.ssi_signo == SIGHUP ? DEAF
							  : WHOLE;
			for (i = 0; mode != WHOLE && i < PAIRS_MAX; i++)
				close_pair(&pairs[i]);
			continue;
		}
		for (i = 0; i < 2 * PAIRS_MAX; i++) {
			struct pair *pair = &pairs[i / 2];

			if (fds[2 + i].revents == 0 || pair->fd[i % 2] < 0)
				continue;
			if (!move(pair->fd[i % 2], pair->fd[1 - i % 2],
				  mode == DEAF && i % 2 == 1 && pair->sealed > BODY_BYTES,
				  i % 2 == 0 ? &pair->sealed : NULL))
				close_pair(pair);
		}
		if (fds[0].revents != 0)
			take(listener, target, mode);
	}
}

int main(int argc, char **argv)
{
	int listener, signals;
	long target;
	sigset_t set;

	target = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	if (target <= 0 || target > 65535) {
		(void)fputs("usage: eg-relay PORT_FILE TARGET_PORT\n", stderr);
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (size_t i = 0; i < PAIRS_MAX; i++)
		pairs[i].fd[0] = pairs[i].fd[1] = -1;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	listener = listen_on(argv[1]);
	if (signals < 0 || listener < 0) {
		(void)fprintf(stderr, "eg-relay: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return run(listener, signals, (unsigned int)target);
}
