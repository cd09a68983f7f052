// SPDX-License-Identifier: Apache-2.0
//
// See bodies.h.

#include "firmware/consoled/bodies.h"

#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/mem.h"

// A string that fits with its NUL; keys beyond those of the caller are refused by counting.
struct reader {
	sd_json_variant *object;
	size_t known; // keys that were asked for and are there
	struct eg_err *err;
	int result;
};

static void fail(struct reader *reader, const char *key, const char *what)
{
	if (reader->result == 0)
		reader->result = eg_err_set(reader->err, EG_EINVAL, "'%s' %s.", key, what);
}

static sd_json_variant *field(struct reader *reader, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(reader->object, key);

	if (value != NULL)
		reader->known++;
	return value;
}

static void text(struct reader *reader, const char *key, bool must, char *ret, size_t size)
{
	sd_json_variant *value = field(reader, key);

	ret[0] = '\0';
	if (value == NULL) {
		if (must)
			fail(reader, key, "is missing");
		return;
	}
	if (!sd_json_variant_is_string(value))
		fail(reader, key, "must be a text");
	else if (strlen(sd_json_variant_string(value)) >= size)
		fail(reader, key, "is too long");
	else if (must && *sd_json_variant_string(value) == '\0')
		fail(reader, key, "is empty");
	else
		memcpy(ret, sd_json_variant_string(value),
		       strlen(sd_json_variant_string(value)) + 1);
}

// Parses into reader->object; the caller ends it with finish().
static void begin(struct reader *reader, struct eg_bytes body, struct eg_err *err)
{
	struct eg_buf copy;
	const char *json;

	*reader = (struct reader){.err = err};
	eg_buf_init_secret(&copy, BODY_MAX);
	if (body.size > 0 && memchr(body.data, '\0', body.size) != NULL)
		reader->result = eg_err_set(err, EG_EINVAL, "The body holds a NUL.");
	else if (eg_buf_put(&copy, body.data, body.size) != 0 ||
		 (json = eg_buf_text(&copy)) == NULL)
		reader->result = eg_err_set(err, EG_EINVAL, "The body is too long.");
	else if (sd_json_parse(json, SD_JSON_PARSE_SENSITIVE, &reader->object, NULL, NULL) < 0 ||
		 !sd_json_variant_is_object(reader->object))
		reader->result = eg_err_set(err, EG_EINVAL, "The body must be a JSON object.");
	eg_buf_done(&copy);
}

static int finish(struct reader *reader)
{
	// Also what stands there twice is one too many.
	if (reader->result == 0 && sd_json_variant_elements(reader->object) != 2 * reader->known)
		reader->result =
			eg_err_set(reader->err, EG_EINVAL,
				   "The body has a key that is unknown here, or one twice.");
	sd_json_variant_unref(reader->object);
	return reader->result;
}

static void read_badge(struct reader *reader, struct body_sign_in *ret)
{
	text(reader, "badge", true, ret->badge, sizeof(ret->badge));
	text(reader, "pin", true, ret->pin, sizeof(ret->pin));
}

int body_read_sign_in(struct eg_bytes body, struct body_sign_in *ret, struct eg_err *err)
{
	struct reader reader;
	sd_json_variant *certificate;

	memset(ret, 0, sizeof(*ret));
	begin(&reader, body, err);
	if (reader.result == 0) {
		certificate = field(&reader, "certificate");
		if (certificate == NULL)
			read_badge(&reader, ret);
		else if (!sd_json_variant_is_boolean(certificate) ||
			 !sd_json_variant_boolean(certificate))
			fail(&reader, "certificate", "must be true");
		else
			ret->certificate = true;
	}
	return finish(&reader);
}

int body_read_decision(struct eg_bytes body, struct body_decision *ret, struct eg_err *err)
{
	struct reader reader, second = {.err = err};

	memset(ret, 0, sizeof(*ret));
	begin(&reader, body, err);
	if (reader.result != 0)
		return finish(&reader);
	text(&reader, "decision", true, ret->decision, sizeof(ret->decision));
	text(&reader, "reason", false, ret->reason, sizeof(ret->reason));
	second.object = sd_json_variant_ref(field(&reader, "second"));
	ret->has_second = second.object != NULL && !sd_json_variant_is_null(second.object);
	if (ret->has_second && !sd_json_variant_is_object(second.object))
		fail(&reader, "second", "must be an object");
	if (reader.result == 0 && ret->has_second) {
		read_badge(&second, &ret->second);
		reader.result = finish(&second);
	} else {
		sd_json_variant_unref(second.object);
	}
	return finish(&reader);
}

int body_read_document(struct eg_bytes body, struct body_document *ret, struct eg_err *err)
{
	struct reader reader;

	memset(ret, 0, sizeof(*ret));
	begin(&reader, body, err);
	if (reader.result == 0)
		text(&reader, "text", true, ret->text, sizeof(ret->text));
	return finish(&reader);
}

int body_read_empty(struct eg_bytes body, struct eg_err *err)
{
	struct reader reader;

	if (body.size == 0)
		return 0;
	begin(&reader, body, err);
	return finish(&reader);
}
