// SPDX-License-Identifier: Apache-2.0
//
// Requests that wait for a PIN or for boothd. See request.h.

#include <stdio.h>
#include <string.h>

#include "firmware/consoled/request.h"

static void suspend(struct request *request, handler then)
{
	request->then = then;
	request->suspended = true;
	request->next = request->site->waiting;
	request->site->waiting = request;
	MHD_suspend_connection(request->connection);
}

static void unlist(struct request *request)
{
	struct request **at = &request->site->waiting;

	while (*at != NULL && *at != request)
		at = &(*at)->next;
	if (*at != NULL)
		*at = request->next;
}

void request_resume(struct request *request)
{
	if (!request->suspended)
		return;
	request->suspended = false;
	unlist(request);
	MHD_resume_connection(request->connection);
}

void request_drop(struct request *request)
{
	unlist(request);
	pins_forget(request->console->pins, request);
	link_forget(&request->console->booth.boothd, request);
}

void requests_end(struct site *site)
{
	while (site->waiting != NULL) {
		struct request *request = site->waiting;

		request_drop(request);
		(void)snprintf(request->error, sizeof(request->error), "%s", LINK_GONE);
		request_resume(request);
	}
}

// ---- boothd -------------------------------------------------------------------------------------

static void on_answered(void *user, const char *error, sd_json_variant *reply)
{
	struct request *request = user;

	sd_json_variant_unref(request->reply);
	request->reply = sd_json_variant_ref(reply);
	(void)snprintf(request->error, sizeof(request->error), "%s", error != NULL ? error : "");
	request_resume(request);
}

enum MHD_Result request_call(struct request *request, const char *method,
			     sd_json_variant *parameters, handler then)
{
	struct booth *booth = &request->console->booth;
	int r = booth->up ? link_call(&booth->boothd, method, parameters, on_answered, request)
			  : EG_ENET;

	sd_json_variant_unref(parameters);
	if (r != 0)
		return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				     r == EG_ENET ? "The booth's camera program is not running."
						  : "Too much is asked at once.",
				     "It starts again by itself. Try again in a few seconds.");
	suspend(request, then);
	return MHD_YES;
}

// ---- PINs ---------------------------------------------------------------------------------------

static void on_looked(void *user, bool right)
{
	struct request *request = user;

	request->right = right;
	request_resume(request);
}

static enum MHD_Result reply_locked(struct request *request, int64_t left_ms)
{
	char next[96];

	(void)snprintf(next, sizeof(next), "Try again in %lld minutes, or ask a supervisor.",
		       (long long)(left_ms + 59999) / 60000);
	return reply_problem(request, MHD_HTTP_TOO_MANY_REQUESTS,
			     "This badge is locked after too many wrong PINs.", next);
}

enum MHD_Result request_check_pin(struct request *request, const struct body_sign_in *sign_in,
				  handler then)
{
	struct console *c = request->console;
	int64_t left_ms = lockout_left_ms(&c->lockout, sign_in->badge, eg_boot_ms(c->clock));
	int r;

	if (left_ms > 0)
		return reply_locked(request, left_ms);
	if (!eg_pin_is_form(sign_in->pin))
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, "A PIN has 6 to 12 digits.",
				     "Type it again.");
	r = pins_check(c->pins, sign_in->pin, accounts_by_badge(&c->accounts, sign_in->badge),
		       on_looked, request);
	if (r != 0)
		return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "Too many people sign in at once.",
				     "Try again in a few seconds.");
	suspend(request, then);
	return MHD_YES;
}

const struct eg_account *request_pin_result(struct request *request,
					    const struct body_sign_in *sign_in,
					    enum MHD_Result *ret_result)
{
	struct console *c = request->console;
	const struct eg_account *account = accounts_by_badge(&c->accounts, sign_in->badge);
	int64_t now_ms = eg_boot_ms(c->clock);
	int64_t left_ms = lockout_left_ms(&c->lockout, sign_in->badge, now_ms);

	// Others may have been looked at meanwhile, so that it is locked by now, and an account may
	// have left the policy.
	if (left_ms > 0) {
		*ret_result = reply_locked(request, left_ms);
		return NULL;
	}
	if (request->right && account != NULL) {
		lockout_right(&c->lockout, sign_in->badge);
		return account;
	}
	if (lockout_wrong(&c->lockout, sign_in->badge, now_ms)) {
		console_note(c, "locked_out", account != NULL ? account->name : "");
		*ret_result = reply_locked(request, LOCKOUT_MS);
	} else {
		*ret_result =
			reply_problem(request, MHD_HTTP_UNAUTHORIZED,
				      "Badge and PIN do not belong together.", "Type both again.");
	}
	return NULL;
}
