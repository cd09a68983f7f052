// SPDX-License-Identifier: Apache-2.0
//
// See wire.h.

#include "net/wire.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/clock.h"
#include "net/tally.h"

static bool plain_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strlen(id);

	return n > 0 && n < EG_NAME_MAX && strspn(id, allowed) == n && id[0] != '.';
}

// A quoted string of visible ASCII (RFC 9110 §8.8.3): it goes back into a header.
static bool plain_etag(const char *etag)
{
	size_t n = strlen(etag);

	if (n < 2 || n >= EG_HTTP_ETAG_MAX || etag[0] != '"' || etag[n - 1] != '"')
		return false;
	for (size_t i = 1; i < n - 1; i++)
		if (etag[i] <= ' ' || etag[i] > '~' || etag[i] == '"')
			return false;
	return true;
}

static int parse_json(struct eg_bytes json, sd_json_variant **ret_variant)
{
	struct eg_buf text;
	int r;

	if (memchr(json.data ? json.data : (const uint8_t *)"", 0, json.size))
		return EG_EINVAL;
	eg_buf_init(&text, json.size + 1);
	r = eg_buf_put(&text, json.data, json.size);
	if (r == 0)
		r = eg_buf_put_u8(&text, 0);
	if (r == 0 && sd_json_parse((char *)text.data, 0, ret_variant, NULL, NULL) < 0)
		r = EG_EINVAL;
	eg_buf_done(&text);
	return r;
}

static int read_listed(sd_json_variant *item, struct eg_listed *listed)
{
	sd_json_variant *id, *version, *length, *etag;

	if (!sd_json_variant_is_object(item))
		return EG_EINVAL;
	id = sd_json_variant_by_key(item, "id");
	version = sd_json_variant_by_key(item, "version");
	length = sd_json_variant_by_key(item, "length");
	etag = sd_json_variant_by_key(item, "etag");
	if (!id || !sd_json_variant_is_string(id) || !plain_id(sd_json_variant_string(id)) ||
	    !version || !sd_json_variant_is_unsigned(version) || !length ||
	    !sd_json_variant_is_unsigned(length) || !etag || !sd_json_variant_is_string(etag) ||
	    !plain_etag(sd_json_variant_string(etag)))
		return EG_EINVAL;
	memcpy(listed->id, sd_json_variant_string(id), strlen(sd_json_variant_string(id)) + 1);
	memcpy(listed->etag, sd_json_variant_string(etag),
	       strlen(sd_json_variant_string(etag)) + 1);
	listed->version = sd_json_variant_unsigned(version);
	listed->length = sd_json_variant_unsigned(length);
	return 0;
}

int eg_wire_parse_list(struct eg_bytes json, struct eg_listed ret_listed[EG_WIRE_LISTED_MAX],
		       size_t *ret_count, struct eg_err *err)
{
	sd_json_variant *list = NULL;
	size_t count;
	int r;

	r = json.size > EG_WIRE_LIST_MAX ? EG_EINVAL : parse_json(json, &list);
	if (r == 0 && !sd_json_variant_is_array(list))
		r = EG_EINVAL;
	if (r != 0) {
		eg_err_set(err, r, "list of manifests: not a JSON array");
		goto out;
	}
	count = sd_json_variant_elements(list);
	if (count > EG_WIRE_LISTED_MAX) {
		r = eg_err_set(err, EG_ETOOBIG, "list of manifests: %zu, but a booth takes %d",
			       count, EG_WIRE_LISTED_MAX);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		r = read_listed(sd_json_variant_by_index(list, i), &ret_listed[i]);
		if (r != 0) {
			eg_err_set(err, r,
				   "list of manifests: item %zu lacks a proper id, version, length "
				   "or etag",
				   i + 1);
			goto out;
		}
	}
	*ret_count = count;
out:
	sd_json_variant_unref(list);
	return r;
}

static int64_t age_s(int64_t now_ms, int64_t then_ms)
{
	return then_ms > 0 && now_ms > then_ms ? (now_ms - then_ms) / EG_MS_PER_S : 0;
}

static int put_held(sd_json_variant **list, const struct eg_heartbeat *heartbeat)
{
	char expires[EG_TIME_TEXT_MAX];

	for (size_t i = 0; i < heartbeat->held_count; i++) {
		const struct eg_manifest_held *held = &heartbeat->held[i];

		eg_time_text(held->expires_ms, expires);
		if (sd_json_variant_append_arraybo(
			    list, SD_JSON_BUILD_PAIR_STRING("id", held->id),
			    SD_JSON_BUILD_PAIR_UNSIGNED("version", held->version),
			    SD_JSON_BUILD_PAIR_INTEGER("age_s",
						       age_s(heartbeat->wall_ms, held->put_ms)),
			    SD_JSON_BUILD_PAIR_STRING("expires", expires)) < 0)
			return EG_ENOMEM;
	}
	return 0;
}

static int put_counts(sd_json_variant **list, const struct eg_heartbeat *heartbeat)
{
	int r = 0;

	for (size_t i = 0; i < heartbeat->counts_count && r == 0; i++) {
		sd_json_variant *week = NULL;

		r = eg_tally_write(&heartbeat->counts[i], &week);
		if (r == 0 && sd_json_variant_append_array(list, week) < 0)
			r = EG_ENOMEM;
		sd_json_variant_unref(week);
	}
	return r;
}

int eg_wire_put_heartbeat(const struct eg_heartbeat *heartbeat, struct eg_buf *out)
{
	const struct eg_records_facts *queue = &heartbeat->queue;
	char now[EG_TIME_TEXT_MAX], end[EG_TIME_TEXT_MAX];
	sd_json_variant *list = NULL, *counts = NULL, *whole = NULL;
	char *text = NULL;
	int r;

	eg_time_text(heartbeat->wall_ms, now);
	eg_time_text(heartbeat->certificate_end_ms, end);
	r = put_held(&list, heartbeat);
	if (r == 0)
		r = put_counts(&counts, heartbeat);
	if (r == 0 && !list && sd_json_variant_new_array(&list, NULL, 0) < 0)
		r = EG_ENOMEM;
	if (r == 0 &&
	    sd_json_buildo(&whole, SD_JSON_BUILD_PAIR_STRING("time", now),
			   SD_JSON_BUILD_PAIR_STRING("version", EG_VERSION),
			   SD_JSON_BUILD_PAIR_OBJECT(
				   "queue", SD_JSON_BUILD_PAIR_UNSIGNED("queued", queue->queued),
				   SD_JSON_BUILD_PAIR_UNSIGNED("dead", queue->dead),
				   SD_JSON_BUILD_PAIR_UNSIGNED("acknowledged", queue->acknowledged),
				   SD_JSON_BUILD_PAIR_UNSIGNED("bytes", queue->bytes),
				   SD_JSON_BUILD_PAIR_INTEGER("oldest_s", age_s(heartbeat->wall_ms,
										queue->oldest_ms))),
			   SD_JSON_BUILD_PAIR_VARIANT("manifests", list),
			   SD_JSON_BUILD_PAIR_STRING("certificate_end", end),
			   SD_JSON_BUILD_PAIR_STRING("key_kept", heartbeat->key_kept),
			   SD_JSON_BUILD_PAIR_STRING("problem", heartbeat->problem),
			   SD_JSON_BUILD_PAIR_CONDITION(counts != NULL, "counts",
							SD_JSON_BUILD_VARIANT(counts))) < 0)
		r = EG_ENOMEM;
	if (r == 0 && sd_json_variant_format(whole, 0, &text) < 0)
		r = EG_ENOMEM;
	if (r == 0)
		r = eg_buf_put(out, text, strlen(text));
	free(text);
	sd_json_variant_unref(whole);
	sd_json_variant_unref(counts);
	sd_json_variant_unref(list);
	return r;
}

// Copies what can be shown: control characters become spaces, and a cut never splits UTF-8.
static void copy_shown(char *ret_text, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < size; n++)
		ret_text[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? ' ' : text[n];
	while (text[n] && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	ret_text[n] = '\0';
}

void eg_wire_problem(const struct eg_http_answer *answer, struct eg_bytes body, char *ret_text,
		     size_t size)
{
	sd_json_variant *json = NULL, *detail = NULL;
	char shown[160] = "";

	if (strcmp(answer->content_type, "application/problem+json") == 0 &&
	    body.size <= EG_WIRE_SMALL_MAX && parse_json(body, &json) == 0 &&
	    sd_json_variant_is_object(json)) {
		detail = sd_json_variant_by_key(json, "detail");
		if (!detail)
			detail = sd_json_variant_by_key(json, "title");
		if (detail && sd_json_variant_is_string(detail))
			copy_shown(shown, sizeof(shown), sd_json_variant_string(detail));
	}
	(void)snprintf(ret_text, size, "HTTP %d%s%s", answer->status, shown[0] ? ": " : "", shown);
	sd_json_variant_unref(json);
}
