// SPDX-License-Identifier: Apache-2.0
//
// manifest build, manifest list.

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "net/central/centralctl/ctl.h"
#include "net/central/region.h"
#include "net/central/roster.h"
#include "store/trust.h"

#define HOUR_MS	       (3600 * 1000LL)
#define CLOCK_SLACK_MS HOUR_MS // booths' clocks may be behind ours

static const char usage[] =
	"manifest build --flight F --booth B --port P --departs TIME [--valid-hours 1…720] "
	"[--id ID]\n\n"
	"TIME is UTC like 2026-11-24T10:15:00Z; the manifest expires N hours (24) after it.";

struct build {
	struct ctl *ctl;
	struct eg_ledger *ledger;
	struct eg_manifest_header header;
	struct eg_statement statement;
	struct eg_booth_keys keys;
	struct eg_buf content, wire;
	size_t faceless;
	struct eg_err *err;
};

struct arguments {
	const char *flight, *booth, *port, *departs, *id;
	long long hours;
};

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"flight", required_argument, NULL, 'f'},
		{"booth", required_argument, NULL, 'b'},
		{"port", required_argument, NULL, 'p'},
		{"departs", required_argument, NULL, 'd'},
		{"valid-hours", required_argument, NULL, 'v'},
		{"id", required_argument, NULL, 'i'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			arguments->flight = optarg;
			break;
		case 'b':
			arguments->booth = optarg;
			break;
		case 'p':
			arguments->port = optarg;
			break;
		case 'd':
			arguments->departs = optarg;
			break;
		case 'i':
			arguments->id = optarg;
			break;
		case 'v':
			if (ctl_number(optarg, 1, 720, &arguments->hours))
				break;
			return false;
		default:
			return false;
		}
	}
	return optind == argc && arguments->flight != NULL && arguments->booth != NULL &&
	       arguments->port != NULL && arguments->departs != NULL;
}

static int take_name(char ret_name[EG_NAME_MAX], const char *what, const char *name,
		     struct eg_err *err)
{
	if (!eg_name_is_valid(name))
		return eg_err_set(
			err, EG_EINVAL,
			"%s '%.80s': must be 1 to 63 letters, digits, '.', '_', ':' or '-'", what,
			name);
	memcpy(ret_name, name, strlen(name) + 1);
	return 0;
}

// The flight and its day (UTC), when the operator gives no id.
static void default_id(const struct build *build, char *id, size_t size)
{
	char day[EG_TIME_TEXT_MAX];
	eg_time_text(build->header.departs_ms, day);
	(void)snprintf(id, size, "%s-%.4s%.2s%.2s", build->header.flight, day, day + 5, day + 8);
}

static int fill_header(struct build *build, const struct arguments *arguments, struct eg_err *err)
{
	char id[2 * EG_NAME_MAX];
	int64_t now_ms = eg_wall_ms(build->ctl->clock);
	int r = take_name(build->header.flight, "--flight", arguments->flight, err);
	if (r == 0)
		r = take_name(build->header.port, "--port", arguments->port, err);
	if (r == 0)
		r = take_name(build->statement.scope, "--booth", arguments->booth, err);
	if (r == 0 && eg_time_parse(arguments->departs, &build->header.departs_ms) != 0)
		r = eg_err_set(err, EG_EINVAL,
			       "--departs '%.40s': must be UTC like 2026-11-24T10:15:00Z",
			       arguments->departs);
	if (r != 0)
		return r;
	default_id(build, id, sizeof(id));
	r = take_name(build->statement.id, "--id", arguments->id != NULL ? arguments->id : id, err);
	if (r == 0 && strchr(build->statement.id, ':') != NULL)
		r = eg_err_set(err, EG_EINVAL, "--id '%s': must not hold ':'", build->statement.id);
	memcpy(build->statement.flight, build->header.flight, EG_NAME_MAX);
	build->statement.not_before_ms = now_ms - CLOCK_SLACK_MS;
	build->statement.expires_ms = build->header.departs_ms + arguments->hours * HOUR_MS;
	if (r == 0 && build->statement.expires_ms <= now_ms)
		r = eg_err_set(err, EG_ESTALE, "--departs '%s': the manifest would have expired",
			       arguments->departs);
	if (r == 0 && eg_random(build->header.salt, sizeof(build->header.salt)) != 0)
		r = eg_err_set(err, EG_EFOREIGN, "no random numbers");
	return r;
}

struct photos {
	struct eg_traveller *traveller;
	struct eg_buf bytes;
	size_t offset[EG_PHOTOS_MAX];
};

static int take_photo(void *user, const struct eg_photo *photo)
{
	struct photos *photos = user;
	struct eg_traveller *traveller = photos->traveller;
	if (traveller->photo_count == EG_PHOTOS_MAX)
		return 0;
	photos->offset[traveller->photo_count] = photos->bytes.size;
	traveller->photo[traveller->photo_count++] = *photo;
	return eg_buf_put(&photos->bytes, photo->jpeg.data, photo->jpeg.size);
}

static int take_photos(struct build *build, struct photos *photos, struct eg_traveller *traveller)
{
	photos->traveller = traveller;
	int r = eg_ledger_list_photos(build->ledger, traveller->id, take_photo, photos, build->err);
	// The buffer may have moved while it grew.
	for (size_t i = 0; r == 0 && i < traveller->photo_count; i++)
		traveller->photo[i].jpeg.data = photos->bytes.data + photos->offset[i];
	return r;
}

static int take_digests(struct build *build, const struct eg_person *person,
			const struct eg_booking *booking, struct eg_traveller *traveller)
{
	int r = 0;
	traveller->has_document = person->document[0] != '\0';
	traveller->has_pass = booking->pnr[0] != '\0';
	if (traveller->has_document)
		r = eg_manifest_document_digest(build->header.salt, person->issuer,
						person->document, traveller->document);
	if (r == 0 && traveller->has_pass)
		r = eg_manifest_pass_digest(build->header.salt, booking->pnr, booking->sequence,
					    traveller->pass);
	return r == 0 ? 0 : eg_err_set(build->err, r, "traveller '%s': document", person->id);
}

static int put_traveller(void *user, const struct eg_person *person,
			 const struct eg_booking *booking)
{
	struct build *build = user;
	struct eg_traveller traveller = {
		.citizenship = person->citizenship,
		.sex = person->sex,
		.region = person->region != EG_REGION_UNKNOWN ? person->region
							      : eg_region_of_issuer(person->issuer),
	};
	struct photos photos = {0};
	memcpy(traveller.id, person->id, sizeof(traveller.id));
	memcpy(traveller.birth, person->birth, sizeof(traveller.birth));
	eg_person_display(person, traveller.name);
	eg_buf_init_secret(&photos.bytes, (size_t)EG_PHOTOS_MAX * EG_PHOTO_MAX);
	int r = take_digests(build, person, booking, &traveller);
	if (r == 0)
		r = take_photos(build, &photos, &traveller);
	if (r == 0) {
		r = eg_manifest_put_traveller(&build->content, &traveller);
		if (r != 0)
			(void)eg_err_set(build->err, r, "traveller '%s': does not fit", person->id);
	}
	build->faceless += traveller.photo_count == 0 ? 1 : 0;
	eg_buf_done(&photos.bytes);
	eg_wipe(&traveller, sizeof(traveller));
	return r;
}

static int count_traveller(void *user, const struct eg_person *person,
			   const struct eg_booking *booking)
{
	(void)person;
	(void)booking;
	(*(size_t *)user)++;
	return 0;
}

static int put_content(struct build *build, struct eg_err *err)
{
	size_t count = 0;
	int r = eg_ledger_list_travellers(build->ledger, build->header.flight, count_traveller,
					  &count, err);
	if (r == 0 && count == 0)
		r = eg_err_set(err, EG_ENOENT,
			       "flight '%s': nobody is booked on it; import travellers first",
			       build->header.flight);
	if (r != 0)
		return r;
	build->header.count = count;
	build->statement.travellers = count;
	r = eg_manifest_put_header(&build->content, &build->header);
	if (r != 0)
		return eg_err_set(err, r, "manifest: header");
	return eg_ledger_list_travellers(build->ledger, build->header.flight, put_traveller, build,
					 err);
}

static int load_booth_keys(struct build *build, struct eg_err *err)
{
	struct eg_buf bytes;
	eg_buf_init(&bytes, EG_BOOTH_KEYS_MAX);
	int r = eg_ledger_get_keys(build->ledger, build->statement.scope, 0, &bytes, err);
	if (r == 0)
		r = eg_booth_keys_decode(eg_buf_bytes(&bytes), &build->keys, err);
	eg_buf_done(&bytes);
	return r;
}

static int seal_and_publish(struct build *build, struct eg_err *err)
{
	struct eg_manifest_row row = {0};
	char path[EG_CENTRE_PATH_MAX];
	struct eg_key *sign = NULL;
	uint64_t last = 0;
	int r = eg_centre_path(build->ctl->folder, "sign.key", path, err);
	if (r == 0)
		r = eg_key_load(path, &sign, err);
	if (r == 0)
		r = eg_ledger_last_version(build->ledger, build->statement.id,
					   build->statement.scope, &last, err);
	build->statement.version = last + 1;
	if (r == 0)
		r = eg_manifest_build(&build->statement, eg_buf_bytes(&build->content),
				      build->keys.seal, sign, &build->wire, err);
	eg_key_free(sign);
	if (r != 0)
		return r;
	memcpy(row.id, build->statement.id, sizeof(row.id));
	memcpy(row.booth, build->statement.scope, sizeof(row.booth));
	memcpy(row.flight, build->statement.flight, sizeof(row.flight));
	row.version = build->statement.version;
	row.not_before_ms = build->statement.not_before_ms;
	row.expires_ms = build->statement.expires_ms;
	row.published_ms = eg_wall_ms(build->ctl->clock);
	row.travellers = build->statement.travellers;
	return eg_ledger_put_manifest(build->ledger, &row, eg_buf_bytes(&build->wire), err);
}

int ctl_manifest_build(struct ctl *ctl, int argc, char **argv)
{
	struct arguments arguments = {.hours = 24};
	struct eg_err err = EG_ERR_INIT;
	struct build build = {.ctl = ctl, .err = &err};
	if (!read_arguments(argc, argv, &arguments))
		return ctl_usage(usage);
	eg_buf_init_secret(&build.content, EG_MANIFEST_MAX);
	eg_buf_init(&build.wire, EG_MANIFEST_MAX);
	int r = fill_header(&build, &arguments, &err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &build.ledger, &err);
	if (r == 0)
		r = load_booth_keys(&build, &err);
	if (r == 0)
		r = put_content(&build, &err);
	if (r == 0)
		r = seal_and_publish(&build, &err);
	if (r == 0)
		(void)printf("%s version %" PRIu64 " for %s: %zu travellers (%zu without photo), "
			     "%zu bytes\n",
			     build.statement.id, build.statement.version, build.statement.scope,
			     build.statement.travellers, build.faceless, build.wire.size);
	else if (err.code == 0)
		(void)eg_err_set(&err, r, "manifest: %s", eg_code_name(r));
	eg_ledger_close(build.ledger);
	eg_buf_done(&build.content);
	eg_buf_done(&build.wire);
	return r == 0 ? 0 : ctl_fail(&err);
}

static int print_manifest(void *user, const struct eg_manifest_row *row)
{
	char expires[EG_TIME_TEXT_MAX];
	(void)user;
	eg_time_text(row->expires_ms, expires);
	(void)printf("%-28s %-20s %7" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s\n", row->id,
		     row->booth, row->version, row->travellers, row->length, expires);
	return 0;
}

int ctl_manifest_list(struct ctl *ctl, int argc, char **argv)
{
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	(void)argv;
	if (argc != 1)
		return ctl_usage("manifest list");
	int r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0) {
		(void)printf("%-28s %-20s %7s %10s %10s  %s\n", "MANIFEST", "BOOTH", "VERSION",
			     "TRAVELLERS", "BYTES", "EXPIRES");
		r = eg_ledger_list_manifests(ledger, NULL, 0, print_manifest, NULL, &err);
	}
	eg_ledger_close(ledger);
	return r == 0 ? 0 : ctl_fail(&err);
}
