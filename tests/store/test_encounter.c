// SPDX-License-Identifier: Apache-2.0
//
// store/encounter*.c and ack.c: round trips, and everything that must not pass.

#include "common.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/cbor.h"
#include "store/parse.h"

static struct eg_key *centre, *booth, *stranger;
static uint8_t face[30000];

static struct eg_encounter sample(void)
{
	struct eg_encounter e = {
		.booth = "lane-12",
		.manifest = "UA1",
		.manifest_version = 5,
		.mode = EG_MODE_IDENTIFY,
		.verdict = EG_VERDICT_CONFIRMED,
		.traveller = "P0001",
		.score = 0.71,
		.threshold = 0.43,
		.error_target = 0.003,
		.liveness = {.score = 0.5f, .frames = 5, .reasons = EG_LIVENESS_MOIRE},
		.first_seen_ms = NOW_MS,
		.first_usable_ms = NOW_MS + 200,
		.decided_ms = NOW_MS + 700,
		.verdict_took_ms = 500,
		.notice = "2026-01",
		.citizenship = EG_VISITOR,
		.face = EG_BYTES(face, sizeof(face)),
	};
	e.id = make_id();
	for (int i = 0; i < EG_QUALITY_COUNT; i++)
		e.quality.component[i] = (int8_t)(i - 1);
	e.quality.overall = 88;
	fill(e.pack, sizeof(e.pack), 3);
	return e;
}

static int set_up(void **state)
{
	(void)state;
	centre = make_key();
	booth = make_key();
	stranger = make_key();
	fill(face, sizeof(face), 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	eg_key_free(centre);
	eg_key_free(booth);
	eg_key_free(stranger);
	return 0;
}

static void seal(const struct eg_encounter *e, struct eg_buf *envelope)
{
	struct eg_err err = EG_ERR_INIT;
	eg_buf_init(envelope, EG_ENVELOPE_MAX);
	expect_ok(eg_encounter_seal(e, booth, eg_key_public(centre), envelope, &err), &err);
}

static void expect_same(const struct eg_encounter *a, const struct eg_encounter *b)
{
	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_string_equal(a->booth, b->booth);
	assert_string_equal(a->manifest, b->manifest);
	assert_int_equal(a->manifest_version, b->manifest_version);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->cause, b->cause);
	assert_string_equal(a->traveller, b->traveller);
	assert_memory_equal(a->quality.component, b->quality.component, EG_QUALITY_COUNT);
	assert_int_equal(a->quality.overall, b->quality.overall);
	assert_int_equal(a->liveness.frames, b->liveness.frames);
	assert_int_equal(a->liveness.reasons, b->liveness.reasons);
	assert_memory_equal(a->pack, b->pack, sizeof(a->pack));
	assert_int_equal(a->first_seen_ms, b->first_seen_ms);
	assert_int_equal(a->first_usable_ms, b->first_usable_ms);
	assert_int_equal(a->decided_ms, b->decided_ms);
	assert_int_equal(a->verdict_took_ms, b->verdict_took_ms);
	assert_string_equal(a->notice, b->notice);
	assert_int_equal(a->citizenship, b->citizenship);
	assert_true(eg_bytes_equal(a->face, b->face));
}

static int open_it(struct eg_bytes envelope, const struct eg_key *key, const char *name,
		   const struct eg_key *signer, struct eg_buf *plain, struct eg_encounter *e,
		   struct eg_err *err)
{
	eg_buf_init_secret(plain, EG_ENVELOPE_MAX);
	return eg_encounter_open(envelope, key, name, eg_key_public(signer), plain, e, err);
}

static void sealed_encounter_opens_at_the_centre_with_every_field(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope, plain;
	seal(&e, &envelope);
	expect_ok(open_it(eg_buf_bytes(&envelope), centre, "lane-12", booth, &plain, &back, &err),
		  &err);
	expect_same(&back, &e);
	assert_true(back.score == 0.71 && back.threshold == 0.43 && back.error_target == 0.003);
	assert_true(back.liveness.score == 0.5f);
	eg_buf_done(&plain);
	eg_buf_done(&envelope);
}

static void encounter_without_face_score_or_name_keeps_them_absent(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope, plain;
	e.verdict = EG_VERDICT_REFER;
	e.cause = EG_CAUSE_OPTED_OUT;
	e.score = (double)NAN;
	e.threshold = (double)INFINITY;
	e.error_target = (double)NAN;
	e.liveness.score = NAN;
	e.face = (struct eg_bytes){0};
	e.manifest[0] = e.traveller[0] = '\0';
	e.citizenship = (enum eg_citizenship)0;
	seal(&e, &envelope);
	expect_ok(open_it(eg_buf_bytes(&envelope), centre, "lane-12", booth, &plain, &back, &err),
		  &err);
	e.citizenship = EG_CITIZENSHIP_UNKNOWN;
	expect_same(&back, &e);
	assert_true(isnan(back.score) && isnan(back.threshold) && isnan(back.error_target));
	assert_true(isnan(back.liveness.score));
	assert_int_equal(back.face.size, 0);
	eg_buf_done(&plain);
	eg_buf_done(&envelope);
}

static void envelope_shows_id_and_key_id_and_nothing_else(void **state)
{
	(void)state;
	struct eg_encounter e = sample();
	struct eg_envelope_facts facts;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope;
	uint8_t expected[EG_KID_SIZE];
	seal(&e, &envelope);
	expect_ok(eg_envelope_inspect(eg_buf_bytes(&envelope), &facts, &err), &err);
	eg_kid(eg_key_public(centre), expected);
	assert_int_equal(facts.kind, EG_ENVELOPE_ENCOUNTER);
	assert_memory_equal(facts.kid, expected, sizeof(facts.kid));
	assert_memory_equal(&facts.id, &e.id, sizeof(facts.id));
	assert_null(memmem(envelope.data, envelope.size, "lane-12", 7));
	assert_null(memmem(envelope.data, envelope.size, "P0001", 5));
	for (size_t i = 0; i + 16 <= sizeof(face); i += 16)
		assert_null(memmem(envelope.data, envelope.size, face + i, 16));
	eg_buf_done(&envelope);
}

static void same_encounter_sealed_twice_differs(void **state)
{
	(void)state;
	struct eg_encounter e = sample();
	struct eg_buf one, two;
	seal(&e, &one);
	seal(&e, &two);
	assert_false(eg_bytes_equal(eg_buf_bytes(&one), eg_buf_bytes(&two)));
	eg_buf_done(&one);
	eg_buf_done(&two);
}

static void wrong_opening_key_booth_or_signer_is_refused(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope, plain;
	seal(&e, &envelope);
	struct eg_bytes bytes = eg_buf_bytes(&envelope);
	// The booth itself cannot open what it sealed.
	expect_code(open_it(bytes, booth, "lane-12", booth, &plain, &back, &err), EG_EAUTH, &err);
	eg_buf_done(&plain);
	expect_code(open_it(bytes, centre, "lane-13", booth, &plain, &back, &err), EG_EAUTH, &err);
	eg_buf_done(&plain);
	expect_code(open_it(bytes, centre, "lane-12", stranger, &plain, &back, &err), EG_EAUTH,
		    &err);
	assert_int_equal(plain.size, 0);
	eg_buf_done(&plain);
	eg_buf_done(&envelope);
}

static void every_changed_or_missing_byte_is_refused(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_buf envelope, plain;
	e.face.size = 300;
	seal(&e, &envelope);
	for (size_t i = 0; i < envelope.size; i++) {
		struct eg_err err = EG_ERR_INIT;
		envelope.data[i] ^= 0x40;
		int r = open_it(eg_buf_bytes(&envelope), centre, "lane-12", booth, &plain, &back,
				&err);
		if (r == 0)
			fail_msg("byte %zu changed and nobody noticed", i);
		eg_buf_done(&plain);
		envelope.data[i] ^= 0x40;
	}
	for (size_t i = 0; i < 64; i++) {
		struct eg_err err = EG_ERR_INIT;
		size_t size = envelope.size * i / 64;
		struct eg_envelope_facts facts;
		uint8_t *cut = malloc(size + 1);
		assert_non_null(cut);
		memcpy(cut, envelope.data, size);
		expect_code(eg_envelope_inspect(EG_BYTES(cut, size), &facts, &err), EG_EINVAL,
			    &err);
		free(cut);
	}
	assert_int_equal(eg_buf_put_u8(&envelope, 0), 0);
	struct eg_err err = EG_ERR_INIT;
	expect_code(open_it(eg_buf_bytes(&envelope), centre, "lane-12", booth, &plain, &back, &err),
		    EG_EINVAL, &err);
	eg_buf_done(&plain);
	eg_buf_done(&envelope);
}

// An inner record that is another's: signed by the booth, but put into an envelope of another id.
static void record_of_another_encounter_inside_is_refused(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), other = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf record, message, sealed, aad, envelope, plain;
	uint8_t kid[EG_KID_SIZE];
	eg_buf_init(&record, EG_ENVELOPE_MAX);
	eg_buf_init(&message, EG_ENVELOPE_MAX);
	eg_buf_init(&sealed, EG_ENVELOPE_MAX);
	eg_buf_init(&aad, 256);
	eg_buf_init(&envelope, EG_ENVELOPE_MAX);
	eg_kid(eg_key_public(centre), kid);
	expect_ok(eg_encounter_write(&other, &record, &err), &err);
	expect_ok(eg_cose_sign(booth, EG_BYTES_STR(EG_ENCOUNTER_CONTEXT), eg_buf_bytes(&record),
			       &message, &err),
		  &err);
	assert_int_equal(eg_buf_put(&aad, e.id.bytes, EG_ID_SIZE), 0);
	assert_int_equal(eg_buf_put(&aad, "lane-12", 7), 0);
	expect_ok(eg_hpke_seal(eg_key_public(centre), EG_BYTES_STR(EG_ENCOUNTER_CONTEXT),
			       eg_buf_bytes(&aad), eg_buf_bytes(&message), &sealed, &err),
		  &err);
	assert_int_equal(eg_cbor_put_array(&envelope, 6), 0);
	assert_int_equal(eg_cbor_put_uint(&envelope, 2), 0);
	assert_int_equal(eg_cbor_put_bytes(&envelope, EG_BYTES(kid, sizeof(kid))), 0);
	assert_int_equal(eg_cbor_put_bytes(&envelope, EG_BYTES(e.id.bytes, EG_ID_SIZE)), 0);
	assert_int_equal(eg_cbor_put_uint(&envelope, EG_VISITOR), 0);
	assert_int_equal(eg_cbor_put_bytes(&envelope, eg_buf_bytes(&sealed)), 0);
	assert_int_equal(eg_cbor_put_uint(&envelope, EG_FACE_NONE), 0);
	expect_code(open_it(eg_buf_bytes(&envelope), centre, "lane-12", booth, &plain, &back, &err),
		    EG_EAUTH, &err);
	assert_non_null(strstr(err.text, "another encounter"));
	eg_buf_done(&plain);
	eg_buf_done(&envelope);
	eg_buf_done(&aad);
	eg_buf_done(&sealed);
	eg_buf_done(&message);
	eg_buf_done(&record);
}

static void values_out_of_range_are_not_sealed(void **state)
{
	(void)state;
	struct eg_buf out;
	eg_buf_init(&out, EG_ENVELOPE_MAX);
	for (int i = 0; i < 6; i++) {
		struct eg_encounter e = sample();
		struct eg_err err = EG_ERR_INIT;
		if (i == 0)
			e.mode = (enum eg_mode)3;
		else if (i == 1)
			e.verdict = (enum eg_verdict_kind)3;
		else if (i == 2)
			e.cause = EG_CAUSE_COUNT;
		else if (i == 3)
			(void)snprintf(e.booth, sizeof(e.booth), "lane 12");
		else if (i == 4)
			e.booth[0] = '\0';
		else
			e.citizenship = (enum eg_citizenship)9;
		expect_code(eg_encounter_seal(&e, booth, eg_key_public(centre), &out, &err),
			    EG_EINVAL, &err);
		assert_int_equal(out.size, 0);
	}
	struct eg_encounter e = sample();
	struct eg_err err = EG_ERR_INIT;
	uint8_t *big = calloc(1, EG_FACE_JPEG_MAX + 1);
	assert_non_null(big);
	e.face = EG_BYTES(big, EG_FACE_JPEG_MAX);
	expect_ok(eg_encounter_seal(&e, booth, eg_key_public(centre), &out, &err), &err);
	eg_buf_reset(&out);
	e.face.size++;
	expect_code(eg_encounter_seal(&e, booth, eg_key_public(centre), &out, &err), EG_ETOOBIG,
		    &err);
	free(big);
	eg_buf_done(&out);
}

static void record_with_unknown_missing_or_repeated_field_is_refused(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf record;
	e.face = (struct eg_bytes){0};
	eg_buf_init(&record, EG_ENVELOPE_MAX);
	expect_ok(eg_encounter_write(&e, &record, &err), &err);
	assert_int_equal(record.data[0], 0xa0 + 20);
	// One more: key 22.
	static const uint8_t extra[] = {22, 0};
	assert_int_equal(eg_buf_put(&record, extra, sizeof(extra)), 0);
	record.data[0]++;
	expect_code(eg_encounter_read(eg_buf_bytes(&record), &back, &err), EG_EINVAL, &err);
	assert_non_null(strstr(err.text, "unknown"));
	// Key 20 twice.
	record.data[record.size - 2] = 20;
	record.data[record.size - 1] = 3;
	expect_code(eg_encounter_read(eg_buf_bytes(&record), &back, &err), EG_EINVAL, &err);
	// Left over, then key 20 missing.
	record.data[0]--;
	expect_code(eg_encounter_read(eg_buf_bytes(&record), &back, &err), EG_EINVAL, &err);
	record.data[0]--;
	record.size -= 4;
	expect_code(eg_encounter_read(eg_buf_bytes(&record), &back, &err), EG_EINVAL, &err);
	assert_non_null(strstr(err.text, "missing"));
	eg_buf_done(&record);
}

// The record outlives its image: nothing needs opening for that, and it says why.
static void record_without_its_image_still_opens_and_says_why(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_envelope_facts facts;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf envelope, dropped, again, plain;
	eg_buf_init(&dropped, EG_ENVELOPE_MAX);
	eg_buf_init(&again, EG_ENVELOPE_MAX);
	seal(&e, &envelope);
	expect_ok(eg_envelope_inspect(eg_buf_bytes(&envelope), &facts, &err), &err);
	assert_int_equal(facts.image, EG_FACE_PRESENT);
	assert_int_equal(facts.citizenship, EG_VISITOR);
	expect_ok(eg_envelope_drop_image(eg_buf_bytes(&envelope), EG_FACE_EXPIRED, &dropped, &err),
		  &err);
	assert_true(dropped.size < 1000); // of 30 kB
	expect_ok(eg_envelope_inspect(eg_buf_bytes(&dropped), &facts, &err), &err);
	assert_int_equal(facts.image, EG_FACE_EXPIRED);
	expect_ok(open_it(eg_buf_bytes(&dropped), centre, "lane-12", booth, &plain, &back, &err),
		  &err);
	assert_int_equal(back.image, EG_FACE_EXPIRED);
	assert_string_equal(eg_face_part_name(back.image), "image_expired");
	assert_true(back.has_face);
	uint8_t digest[EG_SHA256_SIZE];
	assert_int_equal(eg_sha256(e.face, digest), 0);
	assert_memory_equal(back.face_digest, digest, sizeof(digest));
	e.face = (struct eg_bytes){0};
	expect_same(&back, &e);
	expect_code(eg_envelope_drop_image(eg_buf_bytes(&dropped), EG_FACE_EXPIRED, &again, &err),
		    EG_ENOENT, &err);
	assert_true(eg_envelope_same_record(eg_buf_bytes(&envelope), eg_buf_bytes(&dropped)));
	eg_buf_done(&plain);
	seal(&e, &again);
	assert_false(eg_envelope_same_record(eg_buf_bytes(&envelope), eg_buf_bytes(&again)));
	eg_buf_done(&again);
	eg_buf_done(&dropped);
	eg_buf_done(&envelope);
}

// The image part of one envelope in another of the same booth; and "there was none" over one.
static void image_of_another_encounter_or_none_instead_is_refused(void **state)
{
	(void)state;
	struct eg_encounter e = sample(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf one, two, plain;
	seal(&e, &one);
	face[0] ^= 1;
	seal(&e, &two); // same id, so that only the digest can tell
	face[0] ^= 1;
	assert_int_equal(one.size, two.size);
	size_t image = sizeof(face) + EG_HPKE_OVERHEAD;
	memcpy(one.data + one.size - image, two.data + two.size - image, image);
	expect_code(open_it(eg_buf_bytes(&one), centre, "lane-12", booth, &plain, &back, &err),
		    EG_EAUTH, &err);
	assert_non_null(strstr(err.text, "not the one"));
	assert_int_equal(plain.size, 0);
	eg_buf_done(&plain);
	eg_buf_reset(&one);
	expect_ok(eg_envelope_drop_image(eg_buf_bytes(&two), EG_FACE_EXPIRED, &one, &err), &err);
	one.data[one.size - 1] = EG_FACE_NONE;
	expect_code(open_it(eg_buf_bytes(&one), centre, "lane-12", booth, &plain, &back, &err),
		    EG_EAUTH, &err);
	eg_buf_done(&plain);
	eg_buf_done(&one);
	eg_buf_done(&two);
}

static struct eg_ack sample_ack(void)
{
	struct eg_ack ack = {.booth = "lane-12", .received_ms = NOW_MS};
	ack.id = make_id();
	fill(ack.digest, sizeof(ack.digest), 9);
	return ack;
}

static void acknowledgement_verifies_with_its_key_only(void **state)
{
	(void)state;
	struct eg_ack ack = sample_ack(), back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key trusted = trust_in(centre), other = trust_in(stranger);
	struct eg_buf message;
	eg_buf_init(&message, 4096);
	expect_ok(eg_ack_sign(&ack, centre, &message, &err), &err);
	expect_ok(eg_ack_verify(eg_buf_bytes(&message), &trusted, 1, &back, &err), &err);
	assert_memory_equal(&back.id, &ack.id, sizeof(ack.id));
	assert_memory_equal(back.digest, ack.digest, sizeof(ack.digest));
	assert_string_equal(back.booth, "lane-12");
	assert_int_equal(back.received_ms, NOW_MS);
	expect_code(eg_ack_verify(eg_buf_bytes(&message), &other, 1, &back, &err), EG_EAUTH, &err);
	for (size_t i = 0; i < message.size; i++) {
		message.data[i] ^= 0x02;
		assert_int_not_equal(
			eg_ack_verify(eg_buf_bytes(&message), &trusted, 1, &back, &err), 0);
		message.data[i] ^= 0x02;
	}
	for (size_t i = 0; i < message.size; i++)
		assert_int_not_equal(
			eg_ack_verify(EG_BYTES(message.data, i), &trusted, 1, &back, &err), 0);
	eg_buf_done(&message);
}

static void other_signed_statement_is_no_acknowledgement(void **state)
{
	(void)state;
	struct eg_ack back;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key trusted = trust_in(centre);
	struct eg_buf message;
	eg_buf_init(&message, 4096);
	expect_ok(eg_cose_sign(centre, EG_BYTES_STR(EG_MANIFEST_CONTEXT), EG_BYTES("\xa0", 1),
			       &message, &err),
		  &err);
	expect_code(eg_ack_verify(eg_buf_bytes(&message), &trusted, 1, &back, &err), EG_EAUTH,
		    &err);
	eg_buf_reset(&message);
	expect_ok(eg_cose_sign(centre, EG_BYTES_STR(EG_ACK_CONTEXT), EG_BYTES("\xa0", 1), &message,
			       &err),
		  &err);
	expect_code(eg_ack_verify(eg_buf_bytes(&message), &trusted, 1, &back, &err), EG_EINVAL,
		    &err);
	eg_buf_done(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_encounter_opens_at_the_centre_with_every_field),
		cmocka_unit_test(encounter_without_face_score_or_name_keeps_them_absent),
		cmocka_unit_test(envelope_shows_id_and_key_id_and_nothing_else),
		cmocka_unit_test(same_encounter_sealed_twice_differs),
		cmocka_unit_test(wrong_opening_key_booth_or_signer_is_refused),
		cmocka_unit_test(every_changed_or_missing_byte_is_refused),
		cmocka_unit_test(record_of_another_encounter_inside_is_refused),
		cmocka_unit_test(values_out_of_range_are_not_sealed),
		cmocka_unit_test(record_with_unknown_missing_or_repeated_field_is_refused),
		cmocka_unit_test(record_without_its_image_still_opens_and_says_why),
		cmocka_unit_test(image_of_another_encounter_or_none_instead_is_refused),
		cmocka_unit_test(acknowledgement_verifies_with_its_key_only),
		cmocka_unit_test(other_signed_statement_is_no_acknowledgement),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
