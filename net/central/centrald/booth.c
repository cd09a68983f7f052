// SPDX-License-Identifier: Apache-2.0
//
// What booths bring: their keys, heartbeats and encounters. An encounter is acknowledged only after
// the ledger's commit; asking again with the same bytes gives the same acknowledgement, to the bit.

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/log.h"
#include "net/central/centrald/request.h"
#include "net/tally.h"
#include "store/encounter.h"
#include "store/trust.h"

void alarm_about(struct request *request, enum eg_alarm alarm, const char *subject)
{
	struct server *server = request->server;
	struct eg_err err = EG_ERR_INIT;
	eg_warning("alarm %s: booth '%s', '%s'", eg_alarm_name(alarm), request->peer.booth,
		   subject);
	if (eg_ledger_put_alarm(server->ledger, alarm, request->peer.booth, subject,
				eg_wall_ms(server->clock), &err) != 0)
		eg_error("%s", err.text);
}

enum MHD_Result booth_keys(struct request *request)
{
	struct server *server = request->server;
	struct eg_err err = EG_ERR_INIT;
	struct eg_booth_keys keys;
	struct eg_bytes body = eg_buf_bytes(&request->body);
	int r = eg_booth_keys_decode(body, &keys, &err);
	if (r == 0)
		r = eg_ledger_put_keys(server->ledger, request->peer.booth, body,
				       eg_wall_ms(server->clock), &err);
	if (r == 0)
		return reply_empty(request, MHD_HTTP_NO_CONTENT);
	if (r != EG_ECONFLICT)
		return reply_failure(request, &err);
	alarm_about(request, EG_ALARM_KEYS_CONFLICT, request->peer.booth);
	return reply_problem(request, MHD_HTTP_CONFLICT, err.text);
}

// NULL: it is none. The caller unrefs.
static sd_json_variant *parse_object(struct eg_buf *body)
{
	sd_json_variant *json = NULL;
	const char *text = eg_buf_text(body);
	if (text == NULL || memchr(text, '\0', body->size) != NULL ||
	    sd_json_parse(text, 0, &json, NULL, NULL) < 0 || sd_json_variant_is_object(json))
		return json;
	sd_json_variant_unref(json);
	return NULL;
}

static int put_week(struct request *request, sd_json_variant *week, struct eg_err *err)
{
	struct server *server = request->server;
	struct eg_counts counts;
	char *text = NULL;
	int r = eg_tally_read(week, &counts, err);
	if (r == 0 && sd_json_variant_format(week, 0, &text) < 0)
		r = eg_err_set(err, EG_ENOMEM, "counts: out of memory");
	if (r == 0)
		r = eg_ledger_put_counts(server->ledger, request->peer.booth, counts.from_ms,
					 EG_BYTES_STR(text), eg_wall_ms(server->clock), err);
	free(text);
	return r;
}

// All of it is checked before any of it is kept.
static int put_counts(struct request *request, sd_json_variant *json, struct eg_err *err)
{
	sd_json_variant *weeks = sd_json_variant_by_key(json, "counts");
	struct eg_counts counts;
	size_t n = 0;
	int r = 0;
	if (weeks == NULL)
		return 0;
	if (!sd_json_variant_is_array(weeks) ||
	    (n = sd_json_variant_elements(weeks)) > EG_COUNT_WEEKS)
		return eg_err_set(err, EG_EINVAL, "counts: must be a list of at most %d weeks",
				  EG_COUNT_WEEKS);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = eg_tally_read(sd_json_variant_by_index(weeks, i), &counts, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_week(request, sd_json_variant_by_index(weeks, i), err);
	return r;
}

enum MHD_Result booth_heartbeat(struct request *request)
{
	struct server *server = request->server;
	struct eg_err err = EG_ERR_INIT;
	sd_json_variant *json = parse_object(&request->body);
	if (json == NULL)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST,
				     "The heartbeat must be one JSON object.");
	int r = put_counts(request, json, &err);
	sd_json_variant_unref(json);
	if (r == EG_EINVAL)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, err.text);
	if (r == 0)
		r = eg_ledger_put_heartbeat(server->ledger, request->peer.booth,
					    eg_buf_bytes(&request->body), eg_wall_ms(server->clock),
					    &err);
	if (r != 0)
		return reply_failure(request, &err);
	return reply_empty(request, MHD_HTTP_NO_CONTENT);
}

static enum MHD_Result reply_ack(struct request *request, unsigned int status,
				 const struct eg_buf *ack)
{
	return reply_bytes(request, status, "application/vnd.egress.ack", eg_buf_bytes(ack), NULL);
}

// The booth drops an image when its time is over. When that came after an envelope whose
// acknowledgement was lost, the centre has the encounter with its image: that is acknowledged.
static bool is_same_without_image(struct request *request, const struct eg_encounter_row *known)
{
	struct eg_envelope_facts facts;
	struct eg_bytes body = eg_buf_bytes(&request->body);
	struct eg_buf stored;
	if (eg_envelope_inspect(body, &facts, NULL) != 0 || facts.image == EG_FACE_PRESENT)
		return false;
	eg_buf_init(&stored, EG_ENVELOPE_MAX);
	bool same =
		eg_ledger_get_envelope(request->server->ledger, &known->id, &stored, NULL) == 0 &&
		eg_envelope_same_record(body, eg_buf_bytes(&stored));
	eg_buf_done(&stored);
	return same;
}

// The id is there already: the same bytes, or something is wrong.
static enum MHD_Result reply_known(struct request *request, const struct eg_encounter_row *known,
				   const uint8_t digest[EG_SHA256_SIZE], const struct eg_buf *ack)
{
	if (strcmp(known->booth, request->peer.booth) == 0 &&
	    (memcmp(known->digest, digest, EG_SHA256_SIZE) == 0 ||
	     is_same_without_image(request, known)))
		return reply_ack(request, MHD_HTTP_OK, ack);
	alarm_about(request, EG_ALARM_ENCOUNTER_CONFLICT, request->name);
	return reply_problem(request, MHD_HTTP_CONFLICT,
			     "Another encounter is here under this id; it stays as it is.");
}

static int sign_ack(struct server *server, const struct eg_encounter_row *row, struct eg_buf *ack,
		    struct eg_err *err)
{
	struct eg_ack content = {.id = row->id, .received_ms = row->received_ms};
	memcpy(content.booth, row->booth, sizeof(content.booth));
	memcpy(content.digest, row->digest, sizeof(content.digest));
	return eg_ack_sign(&content, server->sign, ack, err);
}

static enum MHD_Result take(struct request *request, struct eg_encounter_row *row)
{
	struct server *server = request->server;
	struct eg_encounter_row known;
	struct eg_err err = EG_ERR_INIT;
	enum MHD_Result result;
	struct eg_buf ack;
	eg_buf_init(&ack, EG_ACK_MAX);
	int r = eg_ledger_find_encounter(server->ledger, &row->id, &known, &ack, &err);
	if (r == 0) {
		result = reply_known(request, &known, row->digest, &ack);
		goto out;
	}
	if (r == EG_ENOENT)
		r = sign_ack(server, row, &ack, &err);
	if (r == 0)
		r = eg_ledger_put_encounter(server->ledger, row, eg_buf_bytes(&request->body),
					    eg_buf_bytes(&ack), &err);
	if (r == 0) {
		result = reply_ack(request, MHD_HTTP_CREATED, &ack);
		goto out;
	}
	if (r == EG_ECONFLICT) { // another centrald on the same ledger was faster
		eg_buf_reset(&ack);
		r = eg_ledger_find_encounter(server->ledger, &row->id, &known, &ack, &err);
	}
	result = r == 0 ? reply_known(request, &known, row->digest, &ack)
			: reply_failure(request, &err);
out:
	eg_buf_done(&ack);
	return result;
}

enum MHD_Result booth_encounter(struct request *request)
{
	struct server *server = request->server;
	struct eg_bytes body = eg_buf_bytes(&request->body);
	struct eg_encounter_row row = {.size = body.size, .received_ms = eg_wall_ms(server->clock)};
	struct eg_envelope_facts facts;
	struct eg_err err = EG_ERR_INIT;
	if (eg_id_parse(request->name, &row.id) != 0)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST,
				     "The id in the path must be a UUID of version 7.");
	if (eg_envelope_inspect(body, &facts, &err) != 0)
		return reply_failure(request, &err);
	if (eg_id_compare(&facts.id, &row.id) != 0)
		return reply_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT,
				     "The envelope is of another id than the path says.");
	if (memcmp(facts.kid, server->seal_kid, sizeof(facts.kid)) != 0)
		return reply_problem(
			request, MHD_HTTP_UNPROCESSABLE_CONTENT,
			"The envelope is not sealed to this centre: provision the booth "
			"again.");
	row.kind = facts.kind;
	memcpy(row.booth, request->peer.booth, sizeof(row.booth));
	if (eg_sha256(body, row.digest) != 0)
		return reply_problem(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "The centre failed.");
	return take(request, &row);
}
