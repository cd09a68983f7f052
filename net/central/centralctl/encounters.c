// SPDX-License-Identifier: Apache-2.0
//
// encounters list: what came in, and with the opening key what is inside, officers' decisions under
// the encounters they are about. Faces are not shown.
// encounters import: what a technician carried here by hand.

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <systemd/sd-json.h>
#include <stdlib.h>

#include "firmware/base/file.h"
#include "net/central/centralctl/ctl.h"
#include "net/central/centralctl/decisions.h"
#include "store/encounter.h"

struct listing {
	struct ctl *ctl;
	struct eg_ledger *ledger;
	struct eg_key *open; // NULL: closed
	bool json;
	size_t unopened;
	struct decisions decisions; // only when open
	struct eg_err *err;
};

// A booth that was replaced signed its older encounters with an older key.
static int open_with_keys(struct listing *listing, const struct eg_encounter_row *row,
			  struct eg_bytes envelope, struct eg_buf *plain,
			  struct eg_encounter *ret_encounter, struct eg_err *err)
{
	struct eg_trusted_key keys[CTL_KEYS_MAX];
	size_t count = 0;
	int r = eg_ledger_signing_keys(listing->ledger, row->booth, keys, CTL_KEYS_MAX, &count,
				       err);
	if (r != 0)
		return r;
	r = EG_EAUTH;
	for (size_t n = 0; n < count && r == EG_EAUTH; n++) {
		eg_buf_reset(plain);
		r = eg_encounter_open(envelope, listing->open, row->booth, keys[n].pub, plain,
				      ret_encounter, err);
	}
	return r;
}

static int put_score(sd_json_variant **json, const char *name, double value)
{
	sd_json_variant *number = NULL;
	int r = isfinite(value) ? sd_json_variant_new_real(&number, value)
				: sd_json_variant_new_null(&number);
	if (r >= 0)
		r = sd_json_variant_set_field(json, name, number);
	sd_json_variant_unref(number);
	return r;
}

static int put_inside(sd_json_variant **json, const struct eg_encounter *inside)
{
	int r = sd_json_variant_set_field_string(json, "manifest", inside->manifest);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(json, "manifest_version",
						       inside->manifest_version);
	if (r >= 0)
		r = sd_json_variant_set_field_string(json, "mode", eg_mode_name(inside->mode));
	if (r >= 0)
		r = sd_json_variant_set_field_string(json, "verdict",
						     eg_verdict_name(inside->verdict));
	if (r >= 0)
		r = sd_json_variant_set_field_string(json, "cause", eg_cause_name(inside->cause));
	if (r >= 0)
		r = sd_json_variant_set_field_string(json, "traveller", inside->traveller);
	if (r >= 0)
		r = put_score(json, "score", inside->score);
	if (r >= 0)
		r = put_score(json, "threshold", inside->threshold);
	if (r >= 0)
		r = sd_json_variant_set_field_integer(json, "verdict_took_ms",
						      inside->verdict_took_ms);
	if (r >= 0)
		r = sd_json_variant_set_field_string(json, "face",
						     eg_face_part_name(inside->image));
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(json, "face_bytes", inside->face.size);
	return r;
}

static int print_json(struct listing *listing, const struct eg_encounter_row *row,
		      const struct eg_encounter *inside, const char *failure)
{
	char id[EG_ID_TEXT_MAX], received[EG_TIME_TEXT_MAX], digest[2 * EG_SHA256_SIZE + 1];
	sd_json_variant *json = NULL;
	eg_id_text(&row->id, id);
	eg_time_text(row->received_ms, received);
	eg_hex(row->digest, EG_SHA256_SIZE, digest);
	int r = sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("id", id),
			       SD_JSON_BUILD_PAIR_STRING("kind", eg_envelope_kind_name(row->kind)),
			       SD_JSON_BUILD_PAIR_STRING("booth", row->booth),
			       SD_JSON_BUILD_PAIR_STRING("received", received),
			       SD_JSON_BUILD_PAIR_UNSIGNED("size", row->size),
			       SD_JSON_BUILD_PAIR_STRING("sha256", digest));
	if (r >= 0 && inside != NULL)
		r = put_inside(&json, inside);
	if (r >= 0 && listing->open != NULL && row->kind == EG_ENVELOPE_ENCOUNTER)
		r = decisions_put_json(&listing->decisions, row, &json);
	if (r >= 0 && failure != NULL)
		r = sd_json_variant_set_field_string(&json, "failure", failure);
	if (r >= 0)
		r = sd_json_variant_dump(json, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(json);
	return r >= 0 ? 0 : eg_err_set(listing->err, EG_ENOMEM, "out of memory");
}

static int print_row(struct listing *listing, const struct eg_encounter_row *row,
		     const struct eg_encounter *inside, const char *failure)
{
	char id[EG_ID_TEXT_MAX], received[EG_TIME_TEXT_MAX], digest[17];
	if (listing->json)
		return print_json(listing, row, inside, failure);
	eg_id_text(&row->id, id);
	eg_time_text(row->received_ms, received);
	eg_hex(row->digest, 8, digest);
	(void)printf("%s  %-9s  %-20s %s %8" PRIu64 "  %s", id, eg_envelope_kind_name(row->kind),
		     row->booth, received, row->size, digest);
	if (inside != NULL)
		(void)printf("  %-9s %-20s %-16s %.4f %.4f", eg_verdict_name(inside->verdict),
			     eg_cause_name(inside->cause),
			     inside->traveller[0] != '\0' ? inside->traveller : "-", inside->score,
			     inside->threshold);
	if (failure != NULL)
		(void)printf("  (%s)", failure);
	(void)putchar('\n');
	if (listing->open != NULL && row->kind == EG_ENVELOPE_ENCOUNTER)
		decisions_print(&listing->decisions, row);
	return 0;
}

static int on_row(void *user, const struct eg_encounter_row *row, struct eg_bytes envelope)
{
	struct listing *listing = user;
	struct eg_encounter inside = {0};
	struct eg_err why = EG_ERR_INIT;
	struct eg_buf plain;
	if (listing->open == NULL)
		return print_row(listing, row, NULL, NULL);
	eg_buf_init_secret(&plain, EG_ENVELOPE_MAX);
	int r = open_with_keys(listing, row, envelope, &plain, &inside, &why);
	listing->unopened += r == 0 ? 0 : 1;
	r = r == 0 ? print_row(listing, row, &inside, NULL)
		   : print_row(listing, row, NULL, why.text);
	eg_buf_done(&plain);
	return r;
}

// Decisions are opened first: they are shown under the encounters they are about.
static int on_decision(void *user, const struct eg_encounter_row *row, struct eg_bytes envelope)
{
	struct listing *listing = user;
	struct eg_err why = EG_ERR_INIT;
	int r = decisions_add(&listing->decisions, listing->ledger, listing->open, row, envelope,
			      &why);
	if (r == 0)
		return 0;
	if (r == EG_ENOMEM || r == EG_ETOOBIG)
		return eg_err_set(listing->err, r, "%s", why.text);
	listing->unopened++;
	return print_row(listing, row, NULL, why.text);
}

static int print_open(struct listing *listing, struct eg_err *err)
{
	decisions_init(&listing->decisions);
	int r = eg_ledger_list_encounters(listing->ledger, EG_ENVELOPE_DECISION, true, on_decision,
					  listing, err);
	if (r == 0) {
		decisions_sort(&listing->decisions);
		r = eg_ledger_list_encounters(listing->ledger, EG_ENVELOPE_ENCOUNTER, true, on_row,
					      listing, err);
	}
	if (r == 0)
		r = decisions_print_rest(&listing->decisions, listing->json, err);
	decisions_done(&listing->decisions);
	return r;
}

static int load_open_key(struct listing *listing, const char *file, struct eg_err *err)
{
	char path[EG_CENTRE_PATH_MAX];
	int r = 0;
	if (file == NULL) {
		r = eg_centre_path(listing->ctl->folder, "open.key", path, err);
		file = path;
	}
	return r == 0 ? eg_key_load(file, &listing->open, err) : r;
}

static void print_head(const struct listing *listing)
{
	if (listing->json)
		return;
	(void)printf("%-36s  %-9s  %-20s %-24s %8s  %-16s", "ID", "KIND", "BOOTH", "RECEIVED",
		     "BYTES", "SHA-256");
	if (listing->open != NULL)
		(void)printf("  %-9s %-20s %-16s %s", "VERDICT", "CAUSE", "TRAVELLER",
			     "SCORE THRESHOLD");
	(void)putchar('\n');
}

int ctl_encounters_list(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"open", optional_argument, NULL, 'o'},
		{0},
	};
	struct eg_err err = EG_ERR_INIT;
	struct listing listing = {.ctl = ctl, .err = &err};
	const char *key = NULL;
	bool open = false, good = true;
	int option, r = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		listing.json |= option == 'j';
		open |= option == 'o';
		good &= option == 'j' || option == 'o';
		if (option == 'o')
			key = optarg;
	}
	if (!good || optind != argc)
		return ctl_usage("encounters list [--json] [--open[=KEY]]");
	if (open)
		r = load_open_key(&listing, key, &err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &listing.ledger, &err);
	if (r == 0) {
		print_head(&listing);
		r = open ? print_open(&listing, &err)
			 : eg_ledger_list_encounters(listing.ledger, 0, false, on_row, &listing,
						     &err);
	}
	if (r == 0 && listing.unopened > 0)
		r = eg_err_set(&err, EG_EAUTH, "%zu envelopes cannot be opened", listing.unopened);
	eg_ledger_close(listing.ledger);
	eg_key_free(listing.open);
	return r == 0 ? 0 : ctl_fail(&err);
}

// As centrald takes it, so that the booth gets the very same acknowledgement when it sends the same
// bytes itself.
static int import(struct eg_ledger *ledger, const struct eg_key *key, const char *booth,
		  struct eg_bytes envelope, int64_t now_ms, struct eg_err *err)
{
	struct eg_encounter_row row = {.size = envelope.size, .received_ms = now_ms};
	struct eg_ack content = {.received_ms = now_ms};
	struct eg_envelope_facts facts;
	struct eg_buf ack;
	(void)snprintf(row.booth, sizeof(row.booth), "%s", booth);
	eg_buf_init(&ack, EG_ACK_MAX);
	int r = eg_envelope_inspect(envelope, &facts, err);
	if (r == 0 && eg_sha256(envelope, row.digest) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "digest of %zu bytes", envelope.size);
	if (r == 0) {
		row.id = content.id = facts.id;
		row.kind = facts.kind;
		memcpy(content.booth, row.booth, sizeof(content.booth));
		memcpy(content.digest, row.digest, sizeof(content.digest));
		r = eg_ack_sign(&content, key, &ack, err);
	}
	if (r == 0)
		r = eg_ledger_put_encounter(ledger, &row, envelope, eg_buf_bytes(&ack), err);
	eg_buf_done(&ack);
	return r;
}

static int import_file(struct ctl *ctl, struct eg_ledger *ledger, const struct eg_key *key,
		       const char *booth, const char *path)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope;
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	int r = eg_file_read(path, &envelope, &err);
	if (r == 0)
		r = import(ledger, key, booth, eg_buf_bytes(&envelope), eg_wall_ms(ctl->clock),
			   &err);
	eg_buf_done(&envelope);
	if (r == 0)
		(void)printf("%s: taken\n", path);
	else if (r == EG_ECONFLICT)
		(void)printf("%s: something is here under this id already; nothing was changed\n",
			     path);
	else
		(void)fprintf(stderr, "centralctl: %s: %s\n", path, err.text);
	return r == 0 || r == EG_ECONFLICT ? 0 : 1;
}

int ctl_encounters_import(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"booth", required_argument, NULL, 'b'},
		{0},
	};
	char path[EG_CENTRE_PATH_MAX];
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_key *key = NULL;
	const char *booth = NULL;
	int option, failed = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'b')
		booth = optarg;
	if (option != -1 || booth == NULL || optind == argc)
		return ctl_usage("encounters import --booth BOOTH FILE …");
	int r = ctl_check_booth(booth, &err);
	if (r == 0)
		r = eg_centre_path(ctl->folder, "sign.key", path, &err);
	if (r == 0)
		r = eg_key_load(path, &key, &err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	for (; r == 0 && optind < argc; optind++)
		failed |= import_file(ctl, ledger, key, booth, argv[optind]);
	eg_ledger_close(ledger);
	eg_key_free(key);
	return r == 0 ? failed : ctl_fail(&err);
}
