// SPDX-License-Identifier: Apache-2.0
//
// See server.h. libmicrohttpd is driven from outside: its epoll descriptor is a source of the
// event loop, and its next time-out a timer.

#include "net/central/centrald/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "net/central/centrald/gates.h"

#define PEM_MAX	   16384
#define BACKLOG	   1024
#define TURNS_MAX  64
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static int load(struct server *server, struct eg_err *err)
{
	const char *folder = server->config->folder;
	char path[EG_CENTRE_PATH_MAX];
	int r = eg_centre_load_public(folder, &server->public, err);
	if (r == 0) {
		eg_kid(server->public.seal, server->seal_kid);
		r = eg_centre_load_ca(folder, &server->ca, err);
	}
	if (r == 0)
		r = eg_centre_path(folder, "sign.key", path, err);
	if (r == 0)
		r = eg_key_load(path, &server->sign, err);
	if (r == 0 &&
	    memcmp(eg_key_public(server->sign), server->public.sign, EG_P256_PUB_SIZE) != 0)
		r = eg_err_set(err, EG_ECORRUPT, "%s: does not belong to sign.pub", path);
	if (r == 0)
		r = eg_centre_read_secret(folder, "server.key", &server->server_key, err);
	if (r == 0)
		r = eg_centre_path(folder, "server.crt", path, err);
	if (r == 0)
		r = eg_file_read(path, &server->server_cert, err);
	if (r == 0)
		r = eg_centre_open_ledger(folder, &server->ledger, err);
	return r;
}

static int parse_address(const struct config *config, struct sockaddr_storage *address,
			 socklen_t *size, struct eg_err *err)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, config->address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)config->port);
		*size = sizeof(*four);
		return 0;
	}
	if (inet_pton(AF_INET6, config->address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)config->port);
		*size = sizeof(*six);
		return 0;
	}
	return eg_err_set(err, EG_EINVAL, "[listen] address '%s': must be a numeric address",
			  config->address);
}

// A socket that listens; its port goes into server->port.
static int open_socket(struct server *server, int *ret_fd, struct eg_err *err)
{
	struct sockaddr_storage address;
	socklen_t size = 0;
	const int on = 1, off = 0;
	int r = parse_address(server->config, &address, &size, err);
	if (r != 0)
		return r;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return eg_err_errno(err, errno, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		r = eg_err_errno(err, errno, "listen on %s port %lld", server->config->address,
				 server->config->port);
		(void)close(fd);
		return r;
	}
	server->port =
		ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						   : ((struct sockaddr_in6 *)&address)->sin6_port);
	*ret_fd = fd;
	return 0;
}

__attribute__((format(printf, 2, 0))) static void log_library(void *user, const char *format,
							      va_list arguments)
{
	char text[256];
	(void)user;
	(void)vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	eg_debug("libmicrohttpd: %s", text);
}

static int start_daemon(struct server *server, int fd, struct eg_err *err)
{
	const struct config *config = server->config;
	const char *key = eg_buf_text(&server->server_key);
	const char *cert = eg_buf_text(&server->server_cert);
	if (key == NULL || cert == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	server->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_USE_NO_THREAD_SAFETY, 0, NULL,
		NULL, gates_access, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_KEY, key,
		MHD_OPTION_HTTPS_MEM_CERT, cert, MHD_OPTION_HTTPS_MEM_TRUST, server->public.ca_pem,
		MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)config->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned int)config->per_address, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)config->timeout_s, MHD_OPTION_ARRAY, gates_options, MHD_OPTION_END);
	if (server->daemon == NULL)
		return eg_err_set(
			err, EG_EFOREIGN,
			"the HTTPS server does not start: are server.key and server.crt in "
			"'%s' whole? Log level debug says more",
			config->folder);
	return 0;
}

// A body comes in pieces of a connection's memory, and between two of them the library wants to be
// called at once: a turn of the event loop and its timer for each would be most of a request's
// time. Bounded, so that one busy connection does not hold up the loop.
static void run_library(struct server *server)
{
	int turns = 0;
	do
		(void)MHD_run(server->daemon);
	while (MHD_get_timeout64s(server->daemon) == 0 && ++turns < TURNS_MAX);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *user)
{
	(void)source;
	(void)fd;
	(void)events;
	run_library(user);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user)
{
	(void)source;
	(void)usec;
	run_library(user);
	return 0;
}

// Before the loop sleeps: when does the library want to be called at the latest?
static int on_prepare(sd_event_source *source, void *user)
{
	struct server *server = user;
	int64_t wait_ms = MHD_get_timeout64s(server->daemon);
	(void)source;
	if (wait_ms < 0)
		return sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(server->timer, (uint64_t)wait_ms * 1000);
	return sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
}

static int join_loop(struct server *server, sd_event *event, struct eg_err *err)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return eg_err_set(err, EG_EFOREIGN, "libmicrohttpd has no epoll");
	int r = sd_event_add_time_relative(event, &server->timer, CLOCK_BOOTTIME, 0, 1000, on_timer,
					   server);
	if (r >= 0)
		r = sd_event_add_io(event, &server->io, info->epoll_fd, EPOLLIN, on_io, server);
	if (r >= 0)
		r = sd_event_source_set_prepare(server->io, on_prepare);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

static int tell_port(const struct server *server, struct eg_err *err)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", server->port);
	if (server->config->port_file[0] == '\0')
		return 0;
	return eg_file_write(server->config->port_file, EG_BYTES(text, (size_t)n), 0644, err);
}

int server_start(struct server *server, sd_event *event, const struct config *config,
		 struct eg_err *err)
{
	int fd = -1;
	server->config = config;
	server->clock = eg_clock_system();
	eg_buf_init_secret(&server->server_key, PEM_MAX);
	eg_buf_init(&server->server_cert, PEM_MAX);
	int r = load(server, err);
	if (r == 0)
		r = open_socket(server, &fd, err);
	if (r != 0)
		return r;
	r = start_daemon(server, fd, err);
	if (r != 0) {
		(void)close(fd);
		return r;
	}
	r = join_loop(server, event, err);
	if (r == 0)
		r = tell_port(server, err);
	return r;
}

void server_done(struct server *server)
{
	sd_event_source_disable_unref(server->io);
	sd_event_source_disable_unref(server->timer);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon); // closes the socket, too
	eg_ledger_close(server->ledger);
	eg_ca_free(server->ca);
	eg_key_free(server->sign);
	eg_buf_done(&server->server_key);
	eg_buf_done(&server->server_cert);
}
