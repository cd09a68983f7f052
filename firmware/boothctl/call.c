// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "firmware/boothctl/ctl.h"

#define CALL_TIMEOUT_US (20u * 1000u * 1000u)

int eg_ctl_fail(const struct eg_err *err)
{
	(void)fprintf(stderr, "boothctl: %s\n", err->text);
	return 1;
}

int eg_ctl_connect(const char *socket, const char *program, sd_varlink **ret_link,
		   struct eg_err *err)
{
	int r = sd_varlink_connect_address(ret_link, socket);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return eg_err_set(err, EG_ENET,
				  "%s is not running (nobody listens on %s); see journalctl -u %s",
				  program, socket, program);
	if (r == -EACCES || r == -EPERM)
		return eg_err_set(err, EG_EAUTH, "%s: you may not talk to %s; try again as root",
				  socket, program);
	if (r < 0)
		return eg_err_errno(err, -r, "%s", socket);
	(void)sd_varlink_set_relative_timeout(*ret_link, CALL_TIMEOUT_US);
	return 0;
}

static const struct {
	const char *id, *text;
} method_errors[] = {
	{"io.egress.Booth.TooManyWatchers", "16 watch already; end another `boothctl watch` first"},
	{"io.egress.Sync.TooManyWatchers", "16 watch already; end another `boothctl watch` first"},
	{"io.egress.Booth.Busy", "other self-tests run right now; try again in a moment"},
	{EG_CTL_SERVING, "a traveller is being served, or another measurement runs; end it, or "
			 "close the lane first"},
	{"org.varlink.service.PermissionDenied", "only root may do this; use sudo"},
	{"org.varlink.service.InterfaceNotFound", "it is another version; update all of Egress"},
	{"org.varlink.service.MethodNotFound", "it is another version; update all of Egress"},
	{NULL, NULL},
};

int eg_ctl_method_error(const char *method, const char *id, sd_json_variant *reply,
			struct eg_err *err)
{
	const char *reason = reply == NULL ? "" : eg_ctl_text(reply, "reason");
	size_t i;

	for (i = 0; method_errors[i].id != NULL; i++)
		if (strcmp(id, method_errors[i].id) == 0)
			return eg_err_set(err, EG_EFOREIGN, "refused: %s", method_errors[i].text);
	return eg_err_set(err, EG_EFOREIGN, "%s: %s", reason[0] != '\0' ? "refused" : method,
			  reason[0] != '\0' ? reason : id);
}

int eg_ctl_call(const char *socket, const char *program, const char *method,
		sd_json_variant *parameters, sd_json_variant **ret_reply, struct eg_err *err)
{
	sd_json_variant *reply = NULL;
	const char *error_id = NULL;
	sd_varlink *link = NULL;
	int r;

	r = eg_ctl_connect(socket, program, &link, err);
	if (r != 0)
		return r;
	r = sd_varlink_call(link, method, parameters, &reply, &error_id);
	if (r < 0)
		r = eg_err_errno(err, -r, "%s did not answer", program);
	else if (error_id != NULL)
		r = eg_ctl_method_error(method, error_id, reply, err);
	else
		r = 0;
	if (r == 0)
		*ret_reply = sd_json_variant_ref(reply);
	sd_varlink_close_unref(link); // the reply was borrowed from it
	return r;
}

struct observer {
	int (*on)(void *user, sd_json_variant *reply);
	void *user;
	int result;
	const char *method;
	struct eg_err *err;
};

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *user)
{
	struct observer *o = user;

	(void)link;
	(void)flags;
	if (error_id == NULL)
		o->result = o->on(o->user, parameters);
	else if (strcmp(error_id, SD_VARLINK_ERROR_DISCONNECTED) == 0)
		o->result = EG_ENET;
	else
		o->result = eg_ctl_method_error(o->method, error_id, parameters, o->err);
	return 0;
}

int eg_ctl_observe(const char *socket, const char *program, const char *method,
		   int (*on)(void *user, sd_json_variant *reply), void *user, struct eg_err *err)
{
	struct observer observer = {.on = on, .user = user, .method = method, .err = err};
	sd_varlink *link = NULL;
	int r;

	r = eg_ctl_connect(socket, program, &link, err);
	if (r != 0)
		return r;
	(void)sd_varlink_set_relative_timeout(link, UINT64_MAX);
	(void)sd_varlink_set_userdata(link, &observer);
	r = sd_varlink_bind_reply(link, on_reply);
	if (r >= 0)
		r = sd_varlink_observe(link, method, NULL);
	while (r >= 0 && observer.result == 0) {
		r = sd_varlink_process(link);
		if (r == 0)
			r = sd_varlink_wait(link, UINT64_MAX);
	}
	sd_varlink_close_unref(link);
	if (observer.result > 0 || (observer.result < 0 && observer.result != EG_ENET))
		return observer.result;
	return eg_err_set(err, EG_ENET, "%s ended the connection", program);
}

const char *eg_ctl_text(sd_json_variant *v, const char *field)
{
	sd_json_variant *f = sd_json_variant_by_key(v, field);

	return f != NULL && sd_json_variant_is_string(f) ? sd_json_variant_string(f) : "";
}

int64_t eg_ctl_int(sd_json_variant *v, const char *field)
{
	sd_json_variant *f = sd_json_variant_by_key(v, field);

	return f != NULL && sd_json_variant_is_integer(f) ? sd_json_variant_integer(f) : 0;
}

double eg_ctl_real(sd_json_variant *v, const char *field)
{
	sd_json_variant *f = sd_json_variant_by_key(v, field);

	return f != NULL && sd_json_variant_is_number(f) ? sd_json_variant_real(f) : 0;
}

bool eg_ctl_bool(sd_json_variant *v, const char *field)
{
	sd_json_variant *f = sd_json_variant_by_key(v, field);

	return f != NULL && sd_json_variant_is_boolean(f) && sd_json_variant_boolean(f) != 0;
}

bool eg_ctl_has(sd_json_variant *v, const char *field)
{
	sd_json_variant *f = sd_json_variant_by_key(v, field);

	return f != NULL && !sd_json_variant_is_null(f);
}

const char *eg_ctl_span(int64_t ms, char text[EG_SPAN_TEXT_MAX])
{
	int64_t s = ms / 1000;

	if (ms < 0)
		(void)snprintf(text, EG_SPAN_TEXT_MAX, "-");
	else if (s < 60)
		(void)snprintf(text, EG_SPAN_TEXT_MAX, "%" PRId64 " s", s);
	else if (s < 3600)
		(void)snprintf(text, EG_SPAN_TEXT_MAX, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600)
		(void)snprintf(text, EG_SPAN_TEXT_MAX, "%" PRId64 " h %02" PRId64 " min", s / 3600,
			       s / 60 % 60);
	else
		(void)snprintf(text, EG_SPAN_TEXT_MAX, "%" PRId64 " d", s / 86400);
	return text;
}
