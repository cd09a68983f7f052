// SPDX-License-Identifier: Apache-2.0
//
// Signing in and out. A session begins only when the audit chain has it.

#include <stdio.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "firmware/consoled/feed.h"
#include "firmware/consoled/request.h"

#define COOKIE_MAX 192
#define ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"

static sd_json_variant *session_json(const struct console *console, const struct session *session)
{
	sd_json_variant *json = NULL;
	int64_t left_ms = session_left_ms(session, eg_boot_ms(console->clock));
	int r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("account", session->account),
			       SD_JSON_BUILD_PAIR_STRING("display", session->display),
			       SD_JSON_BUILD_PAIR_STRING("role", eg_role_name(session->role)),
			       SD_JSON_BUILD_PAIR_STRING("csrf", session->csrf),
			       SD_JSON_BUILD_PAIR_INTEGER("idle_s", left_ms / EG_MS_PER_S));

	return r >= 0 ? json : NULL;
}

// Whose client certificate the connection shows; NULL: nobody's here.
static const struct eg_account *certificate_account(const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	uint8_t digest[EG_SHA256_SIZE];

	if (info == NULL || !tls_peer(info->tls_session, digest))
		return NULL;
	return accounts_by_certificate(&request->console->accounts, digest);
}

static enum MHD_Result reply_nobody(struct request *request)
{
	const struct accounts *accounts = &request->console->accounts;
	bool any = accounts->there && accounts->policy.account_count > 0;
	bool certificate = certificate_account(request) != NULL;
	sd_json_variant *json = NULL;
	enum MHD_Result result;
	int r = sd_json_buildo(
		&json,
		SD_JSON_BUILD_PAIR_STRING("problem", any ? "Nobody is signed in here."
							 : "This booth knows no accounts yet."),
		SD_JSON_BUILD_PAIR_STRING(
			"next", any ? "Sign in with badge and PIN."
				    : "They come from the centre with its policy. Is the link up?"),
		SD_JSON_BUILD_PAIR_STRING("booth", request->console->trust.booth),
		SD_JSON_BUILD_PAIR_BOOLEAN("certificate", certificate));

	result = reply_json(request, MHD_HTTP_UNAUTHORIZED, r >= 0 ? json : NULL);
	sd_json_variant_unref(json);
	return result;
}

static enum MHD_Result reply_session(struct request *request, const struct session *session)
{
	sd_json_variant *json = session_json(request->console, session);
	enum MHD_Result result = reply_json(request, MHD_HTTP_OK, json);

	sd_json_variant_unref(json);
	return result;
}

// GET tells; POST is a sign of the person besides, and moves the end.
enum MHD_Result session_get(struct request *request)
{
	struct session *session = request_session(request);

	return session == NULL ? reply_nobody(request) : reply_session(request, session);
}

static enum MHD_Result begin_session(struct request *request)
{
	struct console *c = request->console;
	const struct eg_account *account = accounts_by_badge(&c->accounts, request->wanted);
	struct session *session = request_session(request), *replaced;
	char token[SESSION_TOKEN_MAX], cookie[COOKIE_MAX];
	sd_json_variant *json;
	enum MHD_Result result;
	int r;

	if (request->error[0] != '\0')
		return reply_booth_error(request);
	if (account == NULL)
		return reply_problem(request, MHD_HTTP_UNAUTHORIZED,
				     "The account was withdrawn just now.", NULL);
	if (session != NULL)
		console_end_session(c, session, "signed_out"); // whoever used this browser before
	replaced = sessions_oldest(&c->sessions, account->name, eg_boot_ms(c->clock));
	if (replaced != NULL)
		console_end_session(c, replaced, "elsewhere");
	r = sessions_begin(&c->sessions, account->name, account->display, account->role,
			   eg_boot_ms(c->clock), token, &session);
	if (r != 0)
		return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "Too many people are signed in.",
				     "Somebody has to sign out first.");
	(void)snprintf(cookie, sizeof(cookie), "__Host-egress=%s" ATTRIBUTES, token);
	json = session_json(c, session);
	result = json != NULL ? reply_cookie(request, cookie, json) : MHD_NO;
	sd_json_variant_unref(json);
	eg_wipe(token, sizeof(token));
	eg_wipe(cookie, sizeof(cookie));
	feed_officers(c);
	return result;
}

static enum MHD_Result note_sign_in(struct request *request, const struct eg_account *account)
{
	sd_json_variant *parameters = NULL;

	(void)snprintf(request->wanted, sizeof(request->wanted), "%s", account->name);
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("event", "signed_in"),
			   SD_JSON_BUILD_PAIR_STRING("account", account->name)) < 0)
		return MHD_NO;
	return request_call(request, "io.egress.Console.Note", parameters, begin_session);
}

static enum MHD_Result pin_looked(struct request *request)
{
	enum MHD_Result result;
	const struct eg_account *account = request_pin_result(request, &request->sign_in, &result);

	return account != NULL ? note_sign_in(request, account) : result;
}

enum MHD_Result sign_in(struct request *request)
{
	struct eg_err err = EG_ERR_INIT;
	const struct eg_account *account;

	if (body_read_sign_in(eg_buf_bytes(&request->body), &request->sign_in, &err) != 0)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, err.text, NULL);
	if (!request->sign_in.certificate)
		return request_check_pin(request, &request->sign_in, pin_looked);
	account = certificate_account(request);
	return account != NULL
		       ? note_sign_in(request, account)
		       : reply_problem(request, MHD_HTTP_UNAUTHORIZED,
				       "This browser shows no certificate of an account here.",
				       "Insert your card, or use badge and PIN.");
}

enum MHD_Result sign_out(struct request *request)
{
	struct session *session = request_session(request);

	if (session != NULL)
		console_end_session(request->console, session, "signed_out");
	return reply_cookie(request, "__Host-egress=; Max-Age=0" ATTRIBUTES, NULL);
}
