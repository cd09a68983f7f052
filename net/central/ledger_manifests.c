// SPDX-License-Identifier: Apache-2.0
//
// Travellers, their photos, and manifests. Thread: as ledger.h.

#include <string.h>

#include "net/central/ledger_internal.h"

int eg_ledger_put_traveller(struct eg_ledger *ledger, const struct eg_person *person,
			    const struct eg_booking *booking, int64_t now_ms, struct eg_err *err)
{
	int r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_PERSON);
	eg_db_bind_text(&query, 1, person->id);
	eg_db_bind_text(&query, 2, person->surname);
	eg_db_bind_text(&query, 3, person->given);
	eg_db_bind_text(&query, 4, person->birth);
	eg_db_bind_int(&query, 5, person->citizenship);
	eg_db_bind_text(&query, 6, person->document);
	eg_db_bind_text(&query, 7, person->issuer);
	eg_db_bind_int(&query, 8, now_ms);
	eg_db_bind_int(&query, 9, person->sex);
	eg_db_bind_int(&query, 10, person->region);
	r = eg_db_run(&query, NULL, err);
	if (r == 0) {
		query = eg_db_query(ledger->db, LEDGER_PUT_BOOKING);
		eg_db_bind_text(&query, 1, booking->flight);
		eg_db_bind_text(&query, 2, person->id);
		eg_db_bind_text(&query, 3, booking->pnr);
		eg_db_bind_text(&query, 4, booking->sequence);
		r = eg_db_run(&query, NULL, err);
	}
	return eg_ledger_finish(ledger, r, err);
}

int eg_ledger_put_photo(struct eg_ledger *ledger, const char *person, enum eg_photo_source source,
			unsigned int year, struct eg_bytes jpeg, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_PUT_PHOTO);
	eg_db_bind_text(&query, 1, person);
	eg_db_bind_int(&query, 2, source);
	eg_db_bind_int(&query, 3, year);
	eg_db_bind_blob(&query, 4, jpeg);
	return eg_db_run(&query, NULL, err);
}

static bool read_person(const struct eg_db_query *query, struct eg_person *person,
			struct eg_booking *booking)
{
	person->citizenship = (enum eg_citizenship)eg_db_int(query, 4);
	person->sex = (enum eg_sex)eg_db_int(query, 10);
	person->region = (enum eg_region)eg_db_int(query, 11);
	return eg_ledger_copy_text(query, 0, person->id, sizeof(person->id)) &&
	       eg_ledger_copy_text(query, 1, person->surname, sizeof(person->surname)) &&
	       eg_ledger_copy_text(query, 2, person->given, sizeof(person->given)) &&
	       eg_ledger_copy_text(query, 3, person->birth, sizeof(person->birth)) &&
	       eg_ledger_copy_text(query, 5, person->document, sizeof(person->document)) &&
	       eg_ledger_copy_text(query, 6, person->issuer, sizeof(person->issuer)) &&
	       eg_ledger_copy_text(query, 7, booking->flight, sizeof(booking->flight)) &&
	       eg_ledger_copy_text(query, 8, booking->pnr, sizeof(booking->pnr)) &&
	       eg_ledger_copy_text(query, 9, booking->sequence, sizeof(booking->sequence));
}

int eg_ledger_list_travellers(struct eg_ledger *ledger, const char *flight,
			      int (*row)(void *user, const struct eg_person *person,
					 const struct eg_booking *booking),
			      void *user, struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_TRAVELLERS);
	int r;
	eg_db_bind_text(&query, 1, flight);
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_person person = {0};
		struct eg_booking booking = {0};
		r = read_person(&query, &person, &booking) ? row(user, &person, &booking)
							   : eg_ledger_damaged("person", err);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_list_photos(struct eg_ledger *ledger, const char *person,
			  int (*row)(void *user, const struct eg_photo *photo), void *user,
			  struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_PHOTOS);
	int r;
	eg_db_bind_text(&query, 1, person);
	eg_db_bind_int(&query, 2, EG_PHOTOS_MAX);
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_photo photo = {
			.source = (enum eg_photo_source)eg_db_int(&query, 0),
			.year = (unsigned int)eg_db_int(&query, 1),
			.jpeg = eg_db_blob(&query, 2),
		};
		r = row(user, &photo);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}

static struct eg_db_query by_id_and_booth(struct eg_ledger *ledger, enum ledger_statement statement,
					  const char *id, const char *booth)
{
	struct eg_db_query query = eg_db_query(ledger->db, statement);
	eg_db_bind_text(&query, 1, id);
	eg_db_bind_text(&query, 2, booth);
	return query;
}

int eg_ledger_last_version(struct eg_ledger *ledger, const char *id, const char *booth,
			   uint64_t *ret_version, struct eg_err *err)
{
	struct eg_db_query query = by_id_and_booth(ledger, LEDGER_LAST_VERSION, id, booth);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		*ret_version = (uint64_t)eg_db_int(&query, 0);
		r = 0;
	} else if (r == 0) {
		r = eg_ledger_damaged("manifest", err);
	}
	eg_db_reset(&query);
	return r;
}

static int put_pieces(struct eg_ledger *ledger, const struct eg_manifest_row *row,
		      struct eg_bytes wire, struct eg_err *err)
{
	struct eg_db_query query =
		by_id_and_booth(ledger, LEDGER_MANIFEST_SEQ, row->id, row->booth);
	eg_db_bind_int(&query, 3, (int64_t)row->version);
	int r = eg_db_step(&query, err);
	int64_t seq = r == 1 ? eg_db_int(&query, 0) : 0;
	eg_db_reset(&query);
	if (r != 1)
		return r == 0 ? eg_ledger_damaged("manifest", err) : r;
	r = 0;
	for (size_t at = 0; r == 0 && at < wire.size; at += EG_CHUNK_SIZE) {
		size_t left = wire.size - at;
		query = eg_db_query(ledger->db, LEDGER_PUT_PIECE);
		eg_db_bind_int(&query, 1, seq);
		eg_db_bind_int(&query, 2, (int64_t)(at / EG_CHUNK_SIZE));
		eg_db_bind_blob(&query, 3,
				EG_BYTES(wire.data + at,
					 left < EG_CHUNK_SIZE ? left : EG_CHUNK_SIZE));
		r = eg_db_run(&query, NULL, err);
	}
	return r;
}

int eg_ledger_put_manifest(struct eg_ledger *ledger, const struct eg_manifest_row *row,
			   struct eg_bytes wire, struct eg_err *err)
{
	uint8_t digest[EG_SHA256_SIZE];
	int r = eg_sha256(wire, digest);
	if (r != 0)
		return eg_err_set(err, r, "manifest: digest");
	r = eg_ledger_enter(ledger, err);
	if (r != 0)
		return r;
	struct eg_db_query query = by_id_and_booth(ledger, LEDGER_DROP_PIECES, row->id, row->booth);
	r = eg_db_run(&query, NULL, err);
	if (r == 0) {
		query = by_id_and_booth(ledger, LEDGER_PUT_MANIFEST, row->id, row->booth);
		eg_db_bind_text(&query, 3, row->flight);
		eg_db_bind_int(&query, 4, (int64_t)row->version);
		eg_db_bind_int(&query, 5, (int64_t)wire.size);
		eg_db_bind_int(&query, 6, row->not_before_ms);
		eg_db_bind_int(&query, 7, row->expires_ms);
		eg_db_bind_int(&query, 8, row->published_ms);
		eg_db_bind_int(&query, 9, (int64_t)row->travellers);
		eg_db_bind_blob(&query, 10, EG_BYTES(digest, sizeof(digest)));
		r = eg_db_run(&query, NULL, err);
	}
	if (r == 0)
		r = put_pieces(ledger, row, wire, err);
	return eg_ledger_finish(ledger, r, err);
}

static bool read_manifest(const struct eg_db_query *query, struct eg_manifest_row *row)
{
	row->seq = eg_db_int(query, 0);
	row->version = (uint64_t)eg_db_int(query, 4);
	row->length = (uint64_t)eg_db_int(query, 5);
	row->not_before_ms = eg_db_int(query, 6);
	row->expires_ms = eg_db_int(query, 7);
	row->published_ms = eg_db_int(query, 8);
	row->travellers = (uint64_t)eg_db_int(query, 9);
	return eg_ledger_copy_text(query, 1, row->id, sizeof(row->id)) &&
	       eg_ledger_copy_text(query, 2, row->booth, sizeof(row->booth)) &&
	       eg_ledger_copy_text(query, 3, row->flight, sizeof(row->flight)) &&
	       eg_ledger_copy(query, 10, row->digest, sizeof(row->digest));
}

int eg_ledger_list_manifests(struct eg_ledger *ledger, const char *booth, int64_t after_ms,
			     int (*row)(void *user, const struct eg_manifest_row *row), void *user,
			     struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_LIST_MANIFESTS);
	int r;
	eg_db_bind_text(&query, 1, booth != NULL ? booth : "");
	eg_db_bind_int(&query, 2, after_ms);
	while ((r = eg_db_step(&query, err)) == 1) {
		struct eg_manifest_row found = {0};
		r = read_manifest(&query, &found) ? row(user, &found)
						  : eg_ledger_damaged("manifest", err);
		if (r != 0)
			break;
	}
	eg_db_reset(&query);
	return r;
}

int eg_ledger_find_manifest(struct eg_ledger *ledger, const char *booth, const char *id,
			    struct eg_manifest_row *ret_row, struct eg_err *err)
{
	struct eg_manifest_row found = {0};
	struct eg_db_query query = by_id_and_booth(ledger, LEDGER_FIND_MANIFEST, id, booth);
	int r = eg_db_step(&query, err);
	if (r == 1)
		r = read_manifest(&query, &found) ? 0 : eg_ledger_damaged("manifest", err);
	else if (r == 0)
		r = eg_err_set(err, EG_ENOENT, "there is no such manifest for this booth");
	eg_db_reset(&query);
	if (r == 0)
		*ret_row = found;
	return r;
}

int eg_ledger_read_manifest(struct eg_ledger *ledger, int64_t seq, uint64_t n, struct eg_buf *piece,
			    struct eg_err *err)
{
	struct eg_db_query query = eg_db_query(ledger->db, LEDGER_GET_PIECE);
	eg_db_bind_int(&query, 1, seq);
	eg_db_bind_int(&query, 2, (int64_t)n);
	int r = eg_db_step(&query, err);
	if (r == 1) {
		struct eg_bytes body = eg_db_blob(&query, 0);
		r = eg_buf_put(piece, body.data, body.size);
		if (r != 0)
			(void)eg_err_set(err, r, "manifest: no room for a piece");
	} else if (r == 0) {
		r = eg_err_set(err, EG_ENOENT, "this version of the manifest was replaced");
	}
	eg_db_reset(&query);
	return r;
}
