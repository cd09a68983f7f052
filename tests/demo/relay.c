// SPDX-License-Identifier: Apache-2.0
//
// A bad TCP link between syncd and centrald, for the demo and tests. It sees only TLS. Lines
// written to the FIFO CONTROL say what it does from then on:
//
//	whole		everything passes at once
//	cut		every connection is closed, and new ones are closed at once
//	reset		the same by RST
//	hang		nothing is read any more, from old and new connections
//	deaf		the answers to requests with a body are lost (what the centre says once the
//			client has sent BODY_BYTES encrypted ones)
//	slow MS RATE	each byte comes MS later, in both directions; RATE bytes a second in each
//			direction of a connection (0: as many as there are)
//	cut-up BYTES	whole, but each connection is closed once the client has sent so many
//			encrypted bytes; cut-down BYTES: the same for the centre
//
// One thread, poll(2); ends with its parent.
//
// usage: eg-relay PORT_FILE TARGET_PORT CONTROL [ADDRESS]

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX   64
#define CHUNK	    65536
#define BODY_BYTES  512 // more than a TLS 1.3 client without certificate needs to ask for something
#define AHEAD_MS    250 // so much of a slow link is read ahead, so that the sender feels it
#define SLOW_RATE   100000 // bytes a second; below it
#define SOCKET_ROOM 4096   // ... the kernel holds so many bytes of a connection

enum mode {
	WHOLE,
	CUT,
	RESET,
	HANG,
	DEAF,
	SLOW,
	CUT_UP,
	CUT_DOWN,
	MODES
};

static const struct {
	const char *name;
	int numbers;
} modes[MODES] = {
	[WHOLE] = {"whole", 0},	  [CUT] = {"cut", 0},		[RESET] = {"reset", 0},
	[HANG] = {"hang", 0},	  [DEAF] = {"deaf", 0},		[SLOW] = {"slow", 2},
	[CUT_UP] = {"cut-up", 1}, [CUT_DOWN] = {"cut-down", 1},
};

struct chunk {
	struct chunk *next;
	int64_t due_ms;
	size_t size, sent;
	uint8_t data[];
};

// One direction of a connection: [0] from the client, [1] from the centre.
struct flow {
	struct chunk *first, **end;
	int64_t free_ms; // when the link has carried all that was read
	size_t sealed;	 // encrypted bytes that were read
	bool ended;
};

struct pair {
	int fd[2]; // client, centre; −1: free
	struct flow flow[2];
};

struct relay {
	struct pair pair[PAIRS_MAX];
	int listener, control;
	unsigned int target;
	enum mode mode;
	long number[2];
	char line[128]; // of CONTROL, so far
	size_t length;
};

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drop(struct pair *pair, bool reset)
{
	for (int k = 0; k < 2; k++) {
		struct chunk *next;

		for (struct chunk *c = pair->flow[k].first; c != NULL; c = next) {
			next = c->next;
			free(c);
		}
		pair->flow[k].first = NULL;
		if (pair->fd[k] < 0)
			continue;
		if (reset)
			(void)setsockopt(pair->fd[k], SOL_SOCKET, SO_LINGER,
					 &(struct linger){.l_onoff = 1}, sizeof(struct linger));
		(void)close(pair->fd[k]);
		pair->fd[k] = -1;
	}
}

static void open_pair(struct pair *pair, int client, int centre)
{
	*pair = (struct pair){.fd = {client, centre}};
	for (int k = 0; k < 2; k++)
		pair->flow[k].end = &pair->flow[k].first;
}

static struct sockaddr_in address_of(const char *text, unsigned int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &at.sin_addr) != 1)
		at.sin_port = 0;
	return at;
}

static void take(struct relay *relay)
{
	int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct sockaddr_in to = address_of("127.0.0.1", relay->target);
	struct pair *pair = NULL, none = {.fd = {client, -1}};
	const int room = SOCKET_ROOM;
	int centre;

	if (client < 0)
		return;
	for (size_t i = 0; pair == NULL && i < PAIRS_MAX; i++)
		if (relay->pair[i].fd[0] < 0)
			pair = &relay->pair[i];
	centre = pair == NULL || relay->mode == CUT || relay->mode == RESET
			 ? -1
			 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (centre < 0 || connect(centre, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    fcntl(centre, F_SETFL, O_NONBLOCK) != 0) {
		if (centre >= 0)
			(void)close(centre);
		drop(&none, relay->mode == RESET);
		return;
	}
	if (relay->mode == SLOW && relay->number[1] > 0 && relay->number[1] < SLOW_RATE) {
		(void)setsockopt(client, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		(void)setsockopt(centre, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	}
	open_pair(pair, client, centre);
}

static bool may_read(const struct relay *relay, const struct flow *flow, int64_t now)
{
	if (flow->ended || relay->mode == HANG)
		return false;
	if (relay->mode == SLOW)
		return flow->free_ms < now + AHEAD_MS;
	return flow->first == NULL;
}

// When what was just read is through.
static int64_t arrives(const struct relay *relay, struct flow *flow, size_t size)
{
	const int64_t now = now_ms();

	if (relay->mode != SLOW)
		return now;
	if (flow->free_ms < now)
		flow->free_ms = now;
	if (relay->number[1] > 0)
		flow->free_ms += (int64_t)size * 1000 / relay->number[1];
	return flow->free_ms + relay->number[0];
}

// Whether the connection was meant to end with what this flow has carried.
static bool is_enough(const struct relay *relay, const struct pair *pair, int k)
{
	return relay->mode == (k == 0 ? CUT_UP : CUT_DOWN) &&
	       pair->flow[k].sealed >= (size_t)relay->number[0];
}

// Reads what is there; false when the connection is over.
// `sealed` counts from the first encrypted record (type 23) on, also behind a ChangeCipherSpec of 6
// bytes.
static bool read_flow(const struct relay *relay, struct pair *pair, int k)
{
	const long rate = relay->mode == SLOW ? relay->number[1] : 0;
	size_t most = rate == 0 ? CHUNK : rate < 800 ? 100 : (size_t)rate / 8;
	struct flow *flow = &pair->flow[k];
	struct chunk *chunk = malloc(sizeof(*chunk) + (most < CHUNK ? most : CHUNK));
	ssize_t n;

	if (chunk == NULL)
		return false;
	n = read(pair->fd[k], chunk->data, most < CHUNK ? most : CHUNK);
	if (n <= 0) {
		const bool again = n < 0 && errno == EAGAIN;

		free(chunk);
		flow->ended = !again;
		return again || n == 0;
	}
	if (n > 6 && (flow->sealed > 0 || chunk->data[chunk->data[0] == 20 ? 6 : 0] == 23))
		flow->sealed += (size_t)n;
	if (relay->mode == DEAF && k == 1 && pair->flow[0].sealed > BODY_BYTES) {
		free(chunk);
		return true;
	}
	chunk->next = NULL;
	chunk->size = (size_t)n;
	chunk->sent = 0;
	chunk->due_ms = arrives(relay, flow, chunk->size);
	*flow->end = chunk;
	flow->end = &chunk->next;
	return true;
}

static bool write_flow(struct pair *pair, int k)
{
	struct flow *flow = &pair->flow[k];
	struct chunk *chunk = flow->first;
	ssize_t n = send(pair->fd[1 - k], chunk->data + chunk->sent, chunk->size - chunk->sent,
			 MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN;
	chunk->sent += (size_t)n;
	if (chunk->sent < chunk->size)
		return true;
	flow->first = chunk->next;
	if (flow->first == NULL)
		flow->end = &flow->first;
	free(chunk);
	return true;
}

static void obey(struct relay *relay)
{
	const size_t length = strcspn(relay->line, " ");
	long number[2] = {0, 0};
	char *at = relay->line + length;
	int mode = 0, numbers = 0;

	while (mode < MODES && (strlen(modes[mode].name) != length ||
				memcmp(modes[mode].name, relay->line, length) != 0))
		mode++;
	while (*at == ' ' && numbers < 2)
		number[numbers++] = strtol(at, &at, 10);
	if (mode == MODES || *at != '\0' || numbers != modes[mode].numbers) {
		(void)fprintf(stderr, "eg-relay: '%s' is no command\n", relay->line);
		return;
	}
	relay->mode = (enum mode)mode;
	memcpy(relay->number, number, sizeof(number));
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (mode == CUT || mode == RESET || mode == DEAF)
			drop(&relay->pair[i], mode == RESET);
}

static void read_control(struct relay *relay)
{
	char c;

	while (read(relay->control, &c, 1) == 1) {
		if (c != '\n') {
			if (relay->length + 1 < sizeof(relay->line))
				relay->line[relay->length++] = c;
			continue;
		}
		relay->line[relay->length] = '\0';
		relay->length = 0;
		obey(relay);
	}
}

// What is waited for at the two ends of a pair; *wait_ms becomes shorter when something is due.
static void want(const struct relay *relay, const struct pair *pair, struct pollfd fds[2],
		 int64_t *wait_ms)
{
	const int64_t now = now_ms();

	for (int k = 0; k < 2; k++)
		fds[k] = (struct pollfd){.fd = pair->fd[k]};
	for (int k = 0; k < 2 && pair->fd[0] >= 0; k++) {
		const struct flow *flow = &pair->flow[k];
		int64_t left = AHEAD_MS;

		if (may_read(relay, flow, now))
			fds[k].events |= POLLIN;
		if (flow->first != NULL && flow->first->due_ms <= now)
			fds[1 - k].events |= POLLOUT;
		else if (flow->first != NULL)
			left = flow->first->due_ms - now;
		if (relay->mode == SLOW && left < *wait_ms)
			*wait_ms = left;
	}
	for (int k = 0; k < 2; k++)
		if (fds[k].events == 0)
			fds[k].fd = -1; // POLLHUP would come again and again
}

static void serve(struct relay *relay, struct pair *pair, const struct pollfd fds[2])
{
	for (int k = 0; k < 2 && pair->fd[0] >= 0; k++) {
		struct flow *flow = &pair->flow[k];
		bool fine = true;

		if ((fds[k].events & POLLIN) != 0 && fds[k].revents != 0)
			fine = read_flow(relay, pair, k);
		if (fine && flow->first != NULL && flow->first->due_ms <= now_ms())
			fine = write_flow(pair, k);
		if (!fine || (flow->first == NULL && (flow->ended || is_enough(relay, pair, k))))
			drop(pair, !fine);
	}
}

static int run(struct relay *relay)
{
	for (;;) {
		struct pollfd fds[2 + 2 * PAIRS_MAX];
		int64_t wait_ms = 60000;
		size_t i;

		fds[0] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = relay->control, .events = POLLIN};
		for (i = 0; i < PAIRS_MAX; i++)
			want(relay, &relay->pair[i], &fds[2 + 2 * i], &wait_ms);
		if (poll(fds, 2 + 2 * PAIRS_MAX, (int)wait_ms) < 0 && errno != EINTR)
			return 1;
		for (i = 0; i < PAIRS_MAX; i++)
			serve(relay, &relay->pair[i], &fds[2 + 2 * i]);
		if (fds[1].revents != 0)
			read_control(relay);
		if (fds[0].revents != 0)
			take(relay);
	}
}

static int listen_on(const char *address, const char *port_file)
{
	struct sockaddr_in at = address_of(address, 0);
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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

static int open_control(const char *path)
{
	(void)unlink(path);
	if (mkfifo(path, 0600) != 0)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK); // itself a writer: it never ends
}

int main(int argc, char **argv)
{
	static struct relay relay;
	long target = argc == 4 || argc == 5 ? strtol(argv[2], NULL, 10) : 0;

	if (target <= 0 || target > 65535) {
		(void)fputs("usage: eg-relay PORT_FILE TARGET_PORT CONTROL [ADDRESS]\n", stderr);
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	relay.target = (unsigned int)target;
	for (size_t i = 0; i < PAIRS_MAX; i++)
		relay.pair[i].fd[0] = relay.pair[i].fd[1] = -1;
	relay.control = open_control(argv[3]);
	relay.listener = listen_on(argc == 5 ? argv[4] : "127.0.0.1", argv[1]);
	if (relay.control < 0 || relay.listener < 0) {
		(void)fprintf(stderr, "eg-relay: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return run(&relay);
}
