// SPDX-License-Identifier: Apache-2.0
//
// See server.h. Each libmicrohttpd has an epoll descriptor, which is a source of the event loop,
// and a next time-out, which is a timer.

#include "firmware/consoled/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"
#include "firmware/consoled/request.h"

#define BACKLOG	    64
#define MEMORY_MAX  (32u << 10) // bytes a connection: its headers, and a piece of its answer
#define CONNECTIONS 128u
#define PER_ADDRESS 64u
#define TIMEOUT_S   30u
#define SEND_BYTES  (128 << 10) // what waits in the kernel is old by the time it is read
#define PRIORITIES  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static socklen_t address_of(const char *text, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return sizeof(*four);
	}
	(void)inet_pton(AF_INET6, text, &six->sin6_addr); // config_check looked at it
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	return sizeof(*six);
}

// A socket that listens; its port goes into site->port.
static int open_socket(struct site *site, const char *text, int port, int *ret_fd,
		       struct eg_err *err)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(text, port, &address);
	const int on = 1, off = 0, bytes = SEND_BYTES;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return eg_err_errno(err, errno, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); // accepted ones, too
	if (address.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		r = eg_err_errno(err, errno, "listen on %s port %d", text, port);
		(void)close(fd);
		return r;
	}
	site->port =
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

// The path stays as it was sent: an escaped character is in no name of ours.
static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
	(void)user;
	(void)connection;
	return strlen(text);
}

// A client certificate is asked for, not required, and only where an account has one: a browser
// with certificates would bother everybody with a choice.
static void on_connection(void *user, struct MHD_Connection *connection, void **state,
			  enum MHD_ConnectionNotificationCode code)
{
	struct site *site = user;
	const union MHD_ConnectionInfo *info;

	(void)state;
	if (code != MHD_CONNECTION_NOTIFY_STARTED || !site->officer ||
	    !accounts_want_certificates(&site->console->accounts))
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info != NULL)
		gnutls_certificate_server_set_request(info->tls_session, GNUTLS_CERT_REQUEST);
}

static int start_daemon(struct site *site, int fd, struct eg_err *err)
{
	struct tls *tls = &site->console->tls;
	const char *key = site->officer ? eg_buf_text(&tls->key) : "";
	const char *cert = site->officer ? eg_buf_text(&tls->cert) : "";
	const struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)cert},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_NO_THREAD_SAFETY | (site->officer ? MHD_USE_TLS : 0u);

	if (key == NULL || cert == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	site->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, gates_access, site, MHD_OPTION_EXTERNAL_LOGGER, log_library,
		NULL, MHD_OPTION_ARRAY, site->officer ? secure : plain, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX, MHD_OPTION_NOTIFY_COMPLETED,
		gates_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, site,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
	if (site->daemon != NULL)
		return 0;
	return eg_err_set(err, EG_EFOREIGN,
			  "the %s server does not start: do the certificate and its key belong "
			  "together? Log level debug says more",
			  site->scheme);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *user)
{
	struct site *site = user;

	(void)source;
	(void)fd;
	(void)events;
	(void)MHD_run(site->daemon);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user)
{
	struct site *site = user;

	(void)source;
	(void)usec;
	(void)MHD_run(site->daemon);
	return 0;
}

// Before the loop sleeps: when does the library want to be called at the latest?
static int on_prepare(sd_event_source *source, void *user)
{
	struct site *site = user;
	int64_t wait_ms = MHD_get_timeout64s(site->daemon);

	(void)source;
	if (wait_ms < 0)
		return sd_event_source_set_enabled(site->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(site->timer, (uint64_t)wait_ms * 1000);
	return sd_event_source_set_enabled(site->timer, SD_EVENT_ONESHOT);
}

static int join_loop(struct site *site, struct eg_err *err)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(site->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	sd_event *event = site->console->event;
	int r;

	if (info == NULL)
		return eg_err_set(err, EG_EFOREIGN, "libmicrohttpd has no epoll");
	r = sd_event_add_time_relative(event, &site->timer, CLOCK_BOOTTIME, 0, 1, on_timer, site);
	if (r >= 0)
		r = sd_event_add_io(event, &site->io, info->epoll_fd, EPOLLIN, on_io, site);
	if (r >= 0)
		r = sd_event_source_set_prepare(site->io, on_prepare);
	return r >= 0 ? 0 : eg_err_errno(err, -r, "event loop");
}

static int start_site(struct site *site, const char *address, long long port, struct eg_err *err)
{
	int fd = -1;
	int r = open_socket(site, address, (int)port, &fd, err);

	if (r != 0)
		return r;
	r = start_daemon(site, fd, err);
	if (r != 0)
		(void)close(fd);
	return r == 0 ? join_loop(site, err) : r;
}

static int tell_ports(const struct console *console, struct eg_err *err)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d %d\n", console->traveller_site.port,
			 console->officer_site.port);

	if (console->config->port_file[0] == '\0')
		return 0;
	return eg_file_write(console->config->port_file, EG_BYTES(text, (size_t)n), 0644, err);
}

int server_start(struct console *console, struct eg_err *err)
{
	const struct config *config = console->config;
	int r;

	console->traveller_site = (struct site){.console = console,
						.scheme = "http",
						.page = "/assets/traveller.html",
						.routes = traveller_routes,
						.route_count = traveller_route_count};
	console->officer_site = (struct site){.console = console,
					      .scheme = "https",
					      .page = "/assets/officer.html",
					      .routes = officer_routes,
					      .route_count = officer_route_count,
					      .officer = true};
	r = start_site(&console->traveller_site, "127.0.0.1", config->traveller_port, err);
	if (r == 0)
		r = start_site(&console->officer_site, config->officer_address,
			       config->officer_port, err);
	return r == 0 ? tell_ports(console, err) : r;
}

static void stop_site(struct site *site)
{
	sd_event_source_disable_unref(site->io);
	sd_event_source_disable_unref(site->timer);
	site->io = site->timer = NULL;
	if (site->daemon == NULL)
		return;
	requests_end(site);
	// Nobody may be suspended when it stops.
	for (int i = 0; i < 4; i++)
		(void)MHD_run(site->daemon);
	MHD_stop_daemon(site->daemon); // closes the socket, too
	site->daemon = NULL;
}

void server_stop(struct console *console)
{
	hub_end_all(&console->travellers);
	hub_end_all(&console->officers);
	view_end_all(&console->view);
	stop_site(&console->traveller_site);
	stop_site(&console->officer_site);
}
