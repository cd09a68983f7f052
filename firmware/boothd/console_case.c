// SPDX-License-Identifier: Apache-2.0
//
// io.egress.Console's methods about one case.

#include "firmware/boothd/booth.h"

#include <stddef.h>
#include <string.h>

#include "firmware/base/mem.h"

struct asked {
	const char *encounter, *account, *decision, *reason, *second;
	bool named;
};

#define TEXT(name, member, flags)                                     \
	{name, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, \
	 offsetof(struct asked, member), flags}

// The case that was asked about; NULL: *ret_replied is what the method returns.
static struct eg_case *case_of(struct eg_booth *b, sd_varlink *link, sd_json_variant *parameters,
			       const sd_json_dispatch_field *fields, struct asked *asked,
			       int *ret_replied)
{
	struct eg_case *c = NULL;
	struct eg_id id;

	*ret_replied = sd_varlink_dispatch(link, parameters, fields, asked);
	if (*ret_replied != 0)
		return NULL;
	if (!eg_console_allows(b, link)) {
		*ret_replied = sd_varlink_error(link, "io.egress.Console.NotAllowed", NULL);
		return NULL;
	}
	if (eg_id_parse(asked->encounter, &id) == 0)
		c = eg_cases_find(b->cases, &id);
	if (c == NULL)
		*ret_replied = sd_varlink_error(link, "io.egress.Console.NoSuchCase", NULL);
	return c;
}

// What casework says in a code, as the interface says it.
static int reply_error(sd_varlink *link, const struct eg_case *c, const struct eg_err *err)
{
	switch (err->code) {
	case EG_ECONFLICT:
		return sd_varlink_errorbo(link, "io.egress.Console.AlreadyDecided",
					  SD_JSON_BUILD_PAIR_STRING("by", c->by),
					  SD_JSON_BUILD_PAIR_STRING("decision",
								    eg_decision_name(c->decision)));
	case EG_EAUTH:
		return sd_varlink_error(link, "io.egress.Console.SecondNeeded", NULL);
	case EG_EINVAL:
		return sd_varlink_errorbo(link, "io.egress.Console.NotFitting",
					  SD_JSON_BUILD_PAIR_STRING("reason", err->text));
	case EG_ENOENT:
		return sd_varlink_error(link, "io.egress.Console.NotInView", NULL);
	default:
		return sd_varlink_errorbo(link, "io.egress.Console.NotWritten",
					  SD_JSON_BUILD_PAIR_STRING("reason", err->text));
	}
}

static int decide_so(struct eg_booth *b, sd_varlink *link, struct eg_case *c, int decision,
		     int reason, const char *by, const char *second)
{
	struct eg_err err = EG_ERR_INIT;

	if (decision < 0 || reason < 0)
		eg_ignore(eg_err_set(&err, EG_EINVAL, "no %s of that name",
				     decision < 0 ? "decision" : "reason")); // told below
	else
		eg_ignore(eg_casework_decide(b, c, (enum eg_decision)decision,
					     (enum eg_decision_reason)reason, by,
					     second == NULL ? "" : second, &err)); // likewise
	return err.code != 0 ? reply_error(link, c, &err) : sd_varlink_reply(link, NULL);
}

static int decide(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		  void *user)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT("encounter", encounter, SD_JSON_MANDATORY),
		TEXT("decision", decision, SD_JSON_MANDATORY),
		TEXT("reason", reason, SD_JSON_MANDATORY),
		TEXT("account", account, SD_JSON_MANDATORY),
		TEXT("second", second, SD_JSON_NULLABLE),
		{0},
	};
	struct asked asked = {0};
	struct eg_booth *b = user;
	struct eg_case *c;
	int r;

	(void)flags;
	c = case_of(b, link, parameters, fields, &asked, &r);
	return c == NULL ? r
			 : decide_so(b, link, c, eg_decision_find(asked.decision),
				     eg_decision_reason_find(asked.reason), asked.account,
				     asked.second);
}

static int recapture(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		     void *user)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT("encounter", encounter, SD_JSON_MANDATORY),
		TEXT("account", account, SD_JSON_MANDATORY),
		TEXT("reason", reason, SD_JSON_NULLABLE),
		{0},
	};
	struct asked asked = {0};
	struct eg_booth *b = user;
	struct eg_case *c;
	int r;

	(void)flags;
	c = case_of(b, link, parameters, fields, &asked, &r);
	return c == NULL ? r
			 : decide_so(b, link, c, EG_DECISION_RECAPTURE,
				     asked.reason == NULL ? EG_REASON_POOR_CAPTURE
							  : eg_decision_reason_find(asked.reason),
				     asked.account, NULL);
}

static int hold(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		void *user)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT("encounter", encounter, SD_JSON_MANDATORY),
		TEXT("account", account, SD_JSON_MANDATORY),
		{0},
	};
	struct asked asked = {0};
	struct eg_booth *b = user;
	struct eg_err err = EG_ERR_INIT;
	struct eg_case *c;
	int r;

	(void)flags;
	c = case_of(b, link, parameters, fields, &asked, &r);
	if (c == NULL)
		return r;
	return eg_casework_hold(b, c, asked.account, &err) != 0 ? reply_error(link, c, &err)
								: sd_varlink_reply(link, NULL);
}

// ---- faces --------------------------------------------------------------------------------------

static int append_reference(sd_json_variant **array, const struct eg_portrait *portrait)
{
	sd_json_variant *one = NULL;
	int r = sd_json_buildo(
		&one, SD_JSON_BUILD_PAIR_BASE64("jpeg", portrait->jpeg.data, portrait->jpeg.size),
		SD_JSON_BUILD_PAIR_STRING("source", eg_photo_source_name(portrait->source)),
		SD_JSON_BUILD_PAIR_UNSIGNED("year", portrait->year));

	if (r >= 0) {
		sd_json_variant_sensitive(one);
		r = sd_json_variant_append_array(array, one);
	}
	sd_json_variant_unref(one);
	return r;
}

static int faces_json(const struct eg_case *c, sd_json_variant **ret)
{
	sd_json_variant *references = NULL, *probe = NULL;
	int r = sd_json_variant_new_array(&references, NULL, 0);

	for (size_t i = 0; r >= 0 && i < c->reference_count; i++)
		r = append_reference(&references, &c->reference[i]);
	if (r >= 0)
		r = c->probe.size == 0
			    ? sd_json_variant_new_null(&probe)
			    : sd_json_variant_new_base64(&probe, c->probe.data, c->probe.size);
	if (r >= 0) {
		sd_json_variant_sensitive(probe);
		r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("probe", probe),
				   SD_JSON_BUILD_PAIR_VARIANT("references", references));
	}
	if (r >= 0)
		sd_json_variant_sensitive(*ret);
	sd_json_variant_unref(probe);
	sd_json_variant_unref(references);
	return r;
}

static int faces(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *user)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT("encounter", encounter, SD_JSON_MANDATORY),
		TEXT("actor", account, SD_JSON_MANDATORY),
		{0},
	};
	struct asked asked = {0};
	struct eg_booth *b = user;
	struct eg_err err = EG_ERR_INIT;
	sd_json_variant *reply = NULL;
	struct eg_case *c;
	int r;

	(void)flags;
	c = case_of(b, link, parameters, fields, &asked, &r);
	if (c == NULL)
		return r;
	if (c->faces_until_ms == 0 || eg_boot_ms(b->clock) >= c->faces_until_ms)
		return sd_varlink_error(link, "io.egress.Console.NoFaces", NULL);
	if (eg_casework_shown(b, c, asked.account, &err) != 0)
		return reply_error(link, c, &err);
	r = faces_json(c, &reply);
	if (r >= 0)
		r = sd_varlink_reply(link, reply);
	eg_console_owes(b, link);
	sd_json_variant_unref(reply);
	return r;
}

static int receipt(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *user)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT("encounter", encounter, SD_JSON_MANDATORY),
		{"named", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
		 offsetof(struct asked, named), SD_JSON_NULLABLE},
		{0},
	};
	char text[EG_EXIT_TEXT_MAX];
	struct asked asked = {0};
	struct eg_booth *b = user;
	struct eg_err err = EG_ERR_INIT;
	struct eg_case *c;
	int r;

	(void)flags;
	c = case_of(b, link, parameters, fields, &asked, &r);
	if (c == NULL)
		return r;
	r = eg_casework_receipt(b, c, asked.named, text, &err);
	if (r == EG_ENOENT)
		return sd_varlink_error(link, "io.egress.Console.NotConfirmed", NULL);
	if (r != 0)
		return reply_error(link, c, &err);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_STRING("text", text));
}

int eg_console_bind_cases(sd_varlink_server *server)
{
	return sd_varlink_server_bind_method_many(server, "io.egress.Console.Faces", faces,
						  "io.egress.Console.Hold", hold,
						  "io.egress.Console.Decide", decide,
						  "io.egress.Console.Recapture", recapture,
						  "io.egress.Console.Receipt", receipt);
}
