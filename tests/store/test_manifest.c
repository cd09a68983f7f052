// SPDX-License-Identifier: Apache-2.0
// store/manifest*.c: every rule of the header, and the format read by an independent tool. Seen to
// fail: digest or scope not compared; id, scope, version each left out of the seal; each end of the
// times not compared; only the first key tried; a key that is not in trust let through.

#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/cbor.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "store/parse.h"

static struct made_manifest made;
static int set_up(void **state)
{
	(void)state;
	make_manifest(&made, 3, 2000, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free_manifest(&made);
	return 0;
}

static int verify(struct eg_bytes wire, const char *booth, struct eg_statement *statement,
		  struct eg_bytes *sealed, struct eg_err *err)
{
	return eg_manifest_verify(wire, booth, &made.trusted, 1, statement, sealed, err);
}

static void built_manifest_verifies_opens_and_reads_back(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_traveller traveller;
	struct eg_buf content;
	uint8_t jpeg[2000];
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	expect_ok(verify(eg_buf_bytes(&made.wire), "lane-12", &statement, &sealed, &err), &err);
	assert_string_equal(statement.id, "UA1");
	assert_string_equal(statement.flight, "UA 1");
	assert_int_equal(statement.version, 5);
	assert_int_equal(statement.travellers, 3);
	expect_ok(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				   &err),
		  &err);
	assert_string_equal(header.port, "IAD");
	assert_int_equal(header.departs_ms, NOW_MS + 7200000);
	for (size_t i = 0; i < 3; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "P%04zu", i);
		expect_ok(eg_manifest_next(&reader, &traveller, &err), &err);
		assert_string_equal(traveller.id, id);
		assert_string_equal(traveller.name, "DESMARAIS, LUC");
		assert_string_equal(traveller.birth, "1974-08-12");
		assert_true(traveller.has_document && !traveller.has_pass);
		assert_int_equal(traveller.photo_count, 1);
		assert_int_equal(traveller.photo[0].source, EG_PHOTO_PASSPORT);
		assert_int_equal(traveller.photo[0].year, 2019);
		fill(jpeg, sizeof(jpeg), i + 100);
		assert_true(eg_bytes_equal(traveller.photo[0].jpeg, EG_BYTES(jpeg, sizeof(jpeg))));
	}
	assert_int_equal(eg_manifest_next(&reader, &traveller, &err), EG_ENOENT);
	eg_buf_done(&content);
}

static void independent_reader_agrees_with_statement_digest_and_signature(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	char public[2 * EG_P256_PUB_SIZE + 1], script[4096], expected[1024], digest[65];
	struct eg_buf out;
	const char *source = getenv("EGRESS_SOURCE");
	if (source == NULL)
		skip();
	eg_buf_init(&out, 65536);
	(void)snprintf(script, sizeof(script), "%s/tests/store/check_manifest.py", source);
	expect_ok(eg_file_write("manifest.bin", eg_buf_bytes(&made.wire), 0600, &err), &err);
	eg_hex(eg_key_public(made.centre), EG_P256_PUB_SIZE, public);
	assert_int_equal(run((const char *const[]){"python3", "-B", script, "manifest.bin", public,
						   ".", NULL},
			     &out),
			 0);
	// The digest by a third tool: the sealed part is the end of the file.
	size_t sealed = (size_t)made.statement.length;
	expect_ok(eg_file_write("sealed.bin",
				EG_BYTES(made.wire.data + made.wire.size - sealed, sealed), 0600,
				&err),
		  &err);
	struct eg_buf sum;
	eg_buf_init(&sum, 4096);
	assert_int_equal(run((const char *const[]){"sha256sum", "sealed.bin", NULL}, &sum), 0);
	memcpy(digest, sum.data, 64);
	digest[64] = '\0';
	(void)snprintf(expected, sizeof(expected),
		       "1 UA1\n2 lane-12\n3 5\n4 %lld\n5 %lld\n6 %s\n7 %zu\n8 UA 1\n9 3\n",
		       (long long)(NOW_MS - 1000), (long long)(NOW_MS + 86400000), digest, sealed);
	assert_string_equal(eg_buf_text(&out), expected);
	eg_buf_done(&sum);
	eg_buf_done(&out);
}

static void wrong_scope_is_refused(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	expect_code(verify(eg_buf_bytes(&made.wire), "lane-13", &statement, &sealed, &err),
		    EG_EAUTH, &err);
	assert_non_null(strstr(err.text, "lane-13"));
}

static void foreign_signing_key_is_refused(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	struct eg_trusted_key other = trust_in(made.booth);
	expect_code(eg_manifest_verify(eg_buf_bytes(&made.wire), "lane-12", &other, 1, &statement,
				       &sealed, &err),
		    EG_EAUTH, &err);
	// The right key id on the wrong key does not help.
	memcpy(other.kid, made.trusted.kid, sizeof(other.kid));
	expect_code(eg_manifest_verify(eg_buf_bytes(&made.wire), "lane-12", &other, 1, &statement,
				       &sealed, &err),
		    EG_EAUTH, &err);
	assert_int_not_equal(eg_manifest_verify(eg_buf_bytes(&made.wire), "lane-12", NULL, 0,
						&statement, &sealed, &err),
			     0);
}

// The centre changes its signing key; when the old one is revoked, nothing of it is believed.
static void signing_keys_change_with_an_overlap_and_a_revoked_one_is_refused(void **state)
{
	(void)state;
	struct eg_statement st = made.statement;
	struct eg_bytes sealed;
	struct eg_key *next = make_key(); // for a while booths trust both
	const struct eg_trusted_key keys[] = {made.trusted, trust_in(next)};
	const int wanted[] = {0, EG_EAUTH, 0, 0, EG_EAUTH, 0}; // of the old and the next key
	struct eg_buf wire;
	eg_buf_init(&wire, EG_MANIFEST_MAX);
	const uint8_t *to = eg_key_public(made.booth);
	assert_int_equal(eg_manifest_build(&st, eg_buf_bytes(&made.content), to, next, &wire, NULL),
			 0);
	for (size_t i = 0; i < 6; i++) {
		struct eg_bytes by = eg_buf_bytes(i % 2 ? &wire : &made.wire);
		int r = eg_manifest_verify(by, "lane-12", keys + i / 4, 1 + (i / 2 == 1), &st,
					   &sealed, NULL);
		assert_int_equal(r, wanted[i]);
	}
	eg_buf_done(&wire);
	eg_key_free(next);
}

// A statement signed under another context (here: an acknowledgement's) is no manifest.
static void statement_signed_for_another_purpose_is_refused(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf payload, message, wire;
	eg_buf_init(&payload, 4096);
	eg_buf_init(&message, 4096);
	eg_buf_init(&wire, 65536);
	assert_int_equal(eg_manifest_write_statement(&made.statement, &payload), 0);
	expect_ok(eg_cose_sign(made.centre, EG_BYTES_STR(EG_ACK_CONTEXT), eg_buf_bytes(&payload),
			       &message, &err),
		  &err);
	size_t length = (size_t)made.statement.length;
	assert_int_equal(eg_cbor_put_array(&wire, 2), 0);
	assert_int_equal(eg_cbor_put_bytes(&wire, eg_buf_bytes(&message)), 0);
	assert_int_equal(eg_cbor_put_bytes(&wire, EG_BYTES(made.wire.data + made.wire.size - length,
							   length)),
			 0);
	expect_code(verify(eg_buf_bytes(&wire), "lane-12", &statement, &sealed, &err), EG_EAUTH,
		    &err);
	eg_buf_done(&wire);
	eg_buf_done(&message);
	eg_buf_done(&payload);
}

static void every_changed_byte_is_refused(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	uint8_t *copy = malloc(made.wire.size);
	assert_non_null(copy);
	memcpy(copy, made.wire.data, made.wire.size);
	// All of the statement, then every 17th byte of the content.
	for (size_t i = 0; i < made.wire.size; i += i < 400 ? 1 : 17) {
		struct eg_err err = EG_ERR_INIT;
		copy[i] ^= 0x01;
		int r = verify(EG_BYTES(copy, made.wire.size), "lane-12", &statement, &sealed,
			       &err);
		if (r == 0)
			fail_msg("byte %zu changed and nobody noticed", i);
		assert_true(err.text[0] != '\0');
		copy[i] ^= 0x01;
	}
	free(copy);
}

static void every_truncation_and_extension_is_refused(void **state)
{
	(void)state;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	for (size_t i = 0; i < 64; i++) {
		size_t size = made.wire.size * i / 64;
		// A copy of just that size, so that the sanitizer sees a step beyond.
		uint8_t *cut = malloc(size + 1);
		assert_non_null(cut);
		memcpy(cut, made.wire.data, size);
		expect_code(verify(EG_BYTES(cut, size), "lane-12", &statement, &sealed, &err),
			    EG_EINVAL, &err);
		free(cut);
	}
	assert_int_equal(eg_buf_put_u8(&made.wire, 0), 0);
	expect_code(verify(eg_buf_bytes(&made.wire), "lane-12", &statement, &sealed, &err),
		    EG_EINVAL, &err);
	assert_non_null(strstr(err.text, "left over"));
	made.wire.size--;
}

static void seal_is_bound_to_key_id_scope_and_version(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_statement statement = made.statement;
	struct eg_bytes sealed = EG_BYTES(made.wire.data + made.wire.size - statement.length,
					  (size_t)statement.length);
	struct eg_buf content;
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	expect_code(eg_manifest_open(&statement, sealed, made.centre, &content, &header, &reader,
				     &err),
		    EG_EAUTH, &err);
	statement.version++;
	expect_code(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     &err),
		    EG_EAUTH, &err);
	statement = made.statement;
	statement.id[0] = 'V';
	expect_code(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     &err),
		    EG_EAUTH, &err);
	statement = made.statement;
	statement.scope[0] = 'p';
	expect_code(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     &err),
		    EG_EAUTH, &err);
	assert_int_equal(content.size, 0);
	eg_buf_done(&content);
}

static void count_or_flight_other_than_stated_is_refused(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_statement statement = made.statement;
	struct eg_bytes sealed = EG_BYTES(made.wire.data + made.wire.size - statement.length,
					  (size_t)statement.length);
	struct eg_buf content, wire;
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	eg_buf_init(&wire, EG_MANIFEST_MAX);
	statement.travellers = 4;
	expect_code(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     &err),
		    EG_EINVAL, &err);
	expect_code(eg_manifest_build(&statement, eg_buf_bytes(&made.content),
				      eg_key_public(made.booth), made.centre, &wire, &err),
		    EG_EINVAL, &err);
	statement = made.statement;
	(void)snprintf(statement.flight, sizeof(statement.flight), "UA 2");
	expect_code(eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     &err),
		    EG_EINVAL, &err);
	assert_int_equal(content.size, 0);
	assert_int_equal(wire.size, 0);
	eg_buf_done(&wire);
	eg_buf_done(&content);
}

static void times_are_checked_at_both_ends(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	const struct eg_statement *s = &made.statement;
	expect_ok(eg_manifest_check_time(s, s->not_before_ms, &err), &err);
	expect_ok(eg_manifest_check_time(s, s->expires_ms - 1, &err), &err);
	expect_code(eg_manifest_check_time(s, s->not_before_ms - 1, &err), EG_ESTALE, &err);
	assert_non_null(strstr(err.text, "clock"));
	expect_code(eg_manifest_check_time(s, s->expires_ms, &err), EG_ESTALE, &err);
	assert_non_null(strstr(err.text, "expired"));
}

// What the centre must not be able to sign by mistake.
static void build_refuses_statements_that_no_booth_would_take(void **state)
{
	(void)state;
	struct eg_buf wire;
	eg_buf_init(&wire, EG_MANIFEST_MAX);
	for (int i = 0; i < 7; i++) {
		struct eg_err err = EG_ERR_INIT;
		struct eg_statement s = made.statement;
		switch (i) {
		case 0:
			s.version = 0;
			break;
		case 1:
			s.version = UINT64_MAX;
			break;
		case 2:
			s.expires_ms = s.not_before_ms;
			break;
		case 3:
			(void)snprintf(s.id, sizeof(s.id), "UA 1");
			break;
		case 4:
			(void)snprintf(s.scope, sizeof(s.scope), "../lane");
			break;
		case 5:
			s.id[0] = '\0';
			break;
		default:
			s.not_before_ms = -1;
			break;
		}
		expect_code(eg_manifest_build(&s, eg_buf_bytes(&made.content),
					      eg_key_public(made.booth), made.centre, &wire, &err),
			    EG_EINVAL, &err);
		assert_int_equal(wire.size, 0);
	}
	eg_buf_done(&wire);
}

static void traveller_out_of_bounds_cannot_be_put(void **state)
{
	(void)state;
	struct eg_buf content;
	eg_buf_init_secret(&content, 32u << 20);
	uint8_t *big = calloc(1, EG_PHOTO_MAX + 1);
	assert_non_null(big);
	struct eg_traveller good = {.id = "1", .citizenship = EG_CITIZEN, .photo_count = 1};
	good.photo[0] = (struct eg_photo){EG_PHOTO_VISA, 2020, EG_BYTES(big, EG_PHOTO_MAX)};
	struct eg_traveller t = good;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), 0);
	size_t before = content.size;
	t.photo[0].jpeg.size++;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_ETOOBIG);
	t.photo[0].jpeg.size = 0;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	t = good;
	t.photo[0].source = (enum eg_photo_source)4;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	t = good;
	t.photo_count = EG_PHOTOS_MAX + 1;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	t = good;
	t.id[0] = '\0';
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	t = good;
	t.citizenship = (enum eg_citizenship)0;
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	t = good;
	(void)snprintf(t.name, sizeof(t.name), "A\nB");
	assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	static const char *const dates[] = {"1974-13-01", "1974-00-10", "1974-1-1",
					    "74-01-01",	  "1974/01/01", "1974-01-32"};
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		t = good;
		(void)snprintf(t.birth, sizeof(t.birth), "%s", dates[i]);
		assert_int_equal(eg_manifest_put_traveller(&content, &t), EG_EINVAL);
	}
	assert_int_equal(content.size, before);
	free(big);
	eg_buf_done(&content);
}

// Contents written by hand: what a centre gone wrong might sign.
static void put_hand_header(struct eg_buf *content, uint64_t count)
{
	uint8_t salt[32] = {0};
	assert_int_equal(eg_cbor_put_map(content, 5), 0);
	assert_int_equal(eg_cbor_put_uint(content, 1), 0);
	assert_int_equal(eg_cbor_put_bytes(content, EG_BYTES(salt, 32)), 0);
	assert_int_equal(eg_cbor_put_uint(content, 2), 0);
	assert_int_equal(eg_cbor_put_text(content, "UA 1"), 0);
	assert_int_equal(eg_cbor_put_uint(content, 3), 0);
	assert_int_equal(eg_cbor_put_text(content, ""), 0);
	assert_int_equal(eg_cbor_put_uint(content, 4), 0);
	assert_int_equal(eg_cbor_put_uint(content, 1), 0);
	assert_int_equal(eg_cbor_put_uint(content, 5), 0);
	assert_int_equal(eg_cbor_put_uint(content, count), 0);
}

// {1: "1", 2: null, 3: null, 4: "", 5: "", 6: 3, 7: []} with byte `at` replaced by `with`.
static int read_hand_traveller(size_t at, uint8_t with, uint64_t count, size_t extra)
{
	static const uint8_t bytes[] = {0xa7, 1,    0x61, '1',	2, 0xf6, 3, 0xf6,
					4,    0x60, 5,	  0x60, 6, 3,	 7, 0x80};
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf content;
	eg_buf_init(&content, 4096);
	put_hand_header(&content, count);
	size_t start = content.size;
	assert_int_equal(eg_buf_put(&content, bytes, sizeof(bytes)), 0);
	content.data[start + at] = with;
	for (size_t i = 0; i < extra; i++)
		assert_int_equal(eg_buf_put_u8(&content, 0), 0);
	int r = eg_manifest_read_content(eg_buf_bytes(&content), &header, &reader, &err);
	if (r != 0)
		expect_code(r, EG_EINVAL, &err);
	eg_buf_done(&content);
	return r;
}

static void reader_refuses_what_the_format_does_not_allow(void **state)
{
	(void)state;
	assert_int_equal(read_hand_traveller(0, 0xa7, 1, 0), 0);	 // as it should be
	assert_int_equal(read_hand_traveller(0, 0xa7, 0, 0), EG_EINVAL); // one more than counted
	assert_int_equal(read_hand_traveller(0, 0xa7, 2, 0), EG_EINVAL); // one fewer
	assert_int_equal(read_hand_traveller(0, 0xa7, 1, 1), EG_EINVAL); // a byte left over
	assert_int_equal(read_hand_traveller(0, 0xa7, 200001, 0), EG_EINVAL); // absurd count
	assert_int_equal(read_hand_traveller(0, 0xa6, 1, 0), EG_EINVAL);      // a field missing
	assert_int_equal(read_hand_traveller(0, 0xbf, 1, 0), EG_EINVAL);      // indefinite length
	assert_int_equal(read_hand_traveller(4, 1, 1, 0), EG_EINVAL);	      // key 1 twice
	assert_int_equal(read_hand_traveller(4, 3, 1, 0), EG_EINVAL);	      // then 3 twice
	assert_int_equal(read_hand_traveller(14, 8, 1, 0), EG_EINVAL);	      // unknown key
	assert_int_equal(read_hand_traveller(13, 5, 1, 0), EG_EINVAL);	      // class 5
	assert_int_equal(read_hand_traveller(15, 0x81, 1, 0), EG_EINVAL);     // photo missing
	assert_int_equal(read_hand_traveller(15, 0x89, 1, 0), EG_EINVAL);     // nine photos
	assert_int_equal(read_hand_traveller(3, 0xff, 1, 0), EG_EINVAL);      // no UTF-8
}

// Build, verify and open with the n-th allocation failing, for every n.
static int build_and_open(struct eg_err *err)
{
	struct eg_statement statement = made.statement;
	struct eg_bytes sealed;
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_buf wire, content;
	eg_buf_init(&wire, EG_MANIFEST_MAX);
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	int r = eg_manifest_build(&statement, eg_buf_bytes(&made.content),
				  eg_key_public(made.booth), made.centre, &wire, err);
	if (r == 0)
		r = verify(eg_buf_bytes(&wire), "lane-12", &statement, &sealed, err);
	if (r == 0)
		r = eg_manifest_open(&statement, sealed, made.booth, &content, &header, &reader,
				     err);
	if (r != 0)
		assert_int_equal(content.size, 0);
	eg_buf_done(&content);
	eg_buf_done(&wire);
	return r;
}

// Bytes written by hand from the format's description: keys 8 and 9 stand behind the photos.
static void sex_and_region_are_there_only_where_they_are_known(void **state)
{
	(void)state;
	struct eg_traveller traveller = {.id = "P1", .citizenship = EG_VISITOR}, back;
	struct eg_buf plain, both;
	struct eg_err err = EG_ERR_INIT;
	static const uint8_t tail[] = {0x07, 0x80, 0x08, 0x02, 0x09, 0x06};
	eg_buf_init(&plain, 1000);
	eg_buf_init(&both, 1000);
	assert_int_equal(eg_manifest_put_traveller(&plain, &traveller), 0);
	assert_int_equal(plain.data[0], 0xa7);
	traveller.sex = EG_SEX_MALE;
	traveller.region = EG_REGION_OCEANIA;
	assert_int_equal(eg_manifest_put_traveller(&both, &traveller), 0);
	assert_int_equal(both.data[0], 0xa9);
	assert_int_equal(both.size, plain.size + 4);
	assert_memory_equal(both.data + both.size - sizeof(tail), tail, sizeof(tail));
	struct eg_manifest_reader reader = {.cur = eg_cur_of(eg_buf_bytes(&both)), .left = 1};
	expect_ok(eg_manifest_next(&reader, &back, &err), &err);
	assert_int_equal(back.sex, EG_SEX_MALE);
	assert_int_equal(back.region, EG_REGION_OCEANIA);
	reader = (struct eg_manifest_reader){.cur = eg_cur_of(eg_buf_bytes(&plain)), .left = 1};
	expect_ok(eg_manifest_next(&reader, &back, &err), &err);
	assert_int_equal(back.sex, EG_SEX_UNKNOWN);
	// "unknown" is written by leaving it out, and there are no others.
	static const uint8_t bad[][2] = {{3, 0}, {3, 4}, {1, 0}, {1, 8}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t kept = both.data[both.size - bad[i][0]];
		both.data[both.size - bad[i][0]] = bad[i][1];
		reader = (struct eg_manifest_reader){.cur = eg_cur_of(eg_buf_bytes(&both)),
						     .left = 1};
		expect_code(eg_manifest_next(&reader, &back, &err), EG_EINVAL, &err);
		both.data[both.size - bad[i][0]] = kept;
	}
	traveller.sex = EG_SEX_COUNT;
	assert_int_equal(eg_manifest_put_traveller(&both, &traveller), EG_EINVAL);
	eg_buf_done(&plain);
	eg_buf_done(&both);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	struct eg_err err = EG_ERR_INIT;
	size_t before = eg_mem_count();
	expect_ok(build_and_open(&err), &err);
	size_t count = eg_mem_count() - before;
	assert_true(count > 5);
	for (size_t n = 1; n <= count; n++) {
		eg_mem_fail_at(n);
		int r = build_and_open(&err);
		eg_mem_fail_at(0);
		expect_code(r, EG_ENOMEM, &err);
	}
}

// Prints, never fails on time: store/README.md quotes it.
static void flight_of_420_people_and_20_megabytes(void **state)
{
	(void)state;
	struct made_manifest big;
	struct eg_statement statement;
	struct eg_bytes sealed;
	struct eg_err err = EG_ERR_INIT;
	struct eg_manifest_header header;
	struct eg_manifest_reader reader;
	struct eg_traveller traveller;
	struct eg_buf content;
	size_t count = 0;
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	make_manifest(&big, 420, 50000, 1);
	eg_buf_reset(&big.wire);
	double start = now_ms();
	expect_ok(eg_manifest_build(&big.statement, eg_buf_bytes(&big.content),
				    eg_key_public(big.booth), big.centre, &big.wire, &err),
		  &err);
	double built = now_ms();
	expect_ok(eg_manifest_verify(eg_buf_bytes(&big.wire), "lane-12", &big.trusted, 1,
				     &statement, &sealed, &err),
		  &err);
	double verified = now_ms();
	expect_ok(eg_manifest_open(&statement, sealed, big.booth, &content, &header, &reader, &err),
		  &err);
	double opened = now_ms();
	while (eg_manifest_next(&reader, &traveller, &err) == 0)
		count++;
	assert_int_equal(count, 420);
	print_message("%zu bytes: build %.0f ms, verify %.0f ms, open %.0f ms, read %.1f ms\n",
		      big.wire.size, built - start, verified - built, opened - verified,
		      now_ms() - opened);
	eg_buf_done(&content);
	free_manifest(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_manifest_verifies_opens_and_reads_back),
		cmocka_unit_test(independent_reader_agrees_with_statement_digest_and_signature),
		cmocka_unit_test(wrong_scope_is_refused),
		cmocka_unit_test(foreign_signing_key_is_refused),
		cmocka_unit_test(signing_keys_change_with_an_overlap_and_a_revoked_one_is_refused),
		cmocka_unit_test(statement_signed_for_another_purpose_is_refused),
		cmocka_unit_test(every_changed_byte_is_refused),
		cmocka_unit_test(every_truncation_and_extension_is_refused),
		cmocka_unit_test(seal_is_bound_to_key_id_scope_and_version),
		cmocka_unit_test(count_or_flight_other_than_stated_is_refused),
		cmocka_unit_test(times_are_checked_at_both_ends),
		cmocka_unit_test(build_refuses_statements_that_no_booth_would_take),
		cmocka_unit_test(traveller_out_of_bounds_cannot_be_put),
		cmocka_unit_test(reader_refuses_what_the_format_does_not_allow),
		cmocka_unit_test(sex_and_region_are_there_only_where_they_are_known),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(flight_of_420_people_and_20_megabytes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
