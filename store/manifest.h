// SPDX-License-Identifier: Apache-2.0
//
// The manifest's format, both ways: the centre builds, the booth checks and opens.
//
// Wire form ("application/vnd.egress.manifest"): CBOR array(2) [statement, sealed].
//   statement  bytes: COSE_Sign1 (cose.h) by the centre's signing key, aad "egress/manifest/v1",
//              payload CBOR map {1: id text, 2: scope text (booth id), 3: version uint,
//              4: not_before_ms uint, 5: expires_ms uint, 6: SHA-256 of `sealed` bytes(32),
//              7: length of `sealed` uint, 8: flight text, 9: travellers uint}
//   sealed     bytes: HPKE (hpke.h) to the booth's sealing key, info "egress/manifest/v1",
//              aad = id ‖ 0x00 ‖ scope ‖ 0x00 ‖ version as 8 bytes big-endian
// The content inside is a CBOR sequence: first a header map {1: salt bytes(32), 2: flight text,
// 3: port text, 4: departs_ms uint, 5: count uint}, then `count` travellers, each a map {1: id
// text, 2: document digest bytes(32) or null, 3: pass digest bytes(32) or null, 4: display name
// text, 5: birth date text "YYYY-MM-DD" or "", 6: citizenship class uint, 7: photos array of
// [source uint, year uint, jpeg bytes]}, and, only where they are known, 8: sex marker uint and
// 9: region of the issuing state uint (group.h; never 0). These two serve the booth's own count of
// errors by group and nothing else; a booth from before them refuses a manifest that has any.
//
// The rules are TUF's: verify before parsing, scope must be ours, a lower version is refused even
// when the known one has expired (the caller holds the floor), length and digest are checked
// before the seal is opened. Thread: any.

#ifndef EG_MANIFEST_H
#define EG_MANIFEST_H

#include "firmware/base/cose.h"
#include "firmware/base/hpke.h"
#include "store/group.h"

#define EG_NAME_MAX	   64 // ids of booths and manifests, with NUL
#define EG_PERSON_NAME_MAX 128
#define EG_MANIFEST_MAX	   (256u << 20) // bytes, whole
#define EG_PHOTO_MAX	   (4u << 20)	// bytes, one JPEG
#define EG_PHOTOS_MAX	   8		// per traveller
#define EG_TRAVELLERS_MAX  200000

// What booths and manifests are called: 1 to 63 of A-Z a-z 0-9 . _ : - beginning with a letter or
// digit, so that a name can stand in a URL, a file name and a log line as it is.
bool eg_name_is_valid(const char *name);

enum eg_citizenship {
	EG_CITIZEN = 1,
	EG_RESIDENT = 2,
	EG_VISITOR = 3,
	EG_CITIZENSHIP_UNKNOWN = 4
};
const char *eg_citizenship_name(enum eg_citizenship class); // "citizen", ...

enum eg_photo_source {
	EG_PHOTO_PASSPORT = 1,
	EG_PHOTO_VISA = 2,
	EG_PHOTO_ENTRY = 3
};
const char *eg_photo_source_name(enum eg_photo_source source);

struct eg_photo {
	enum eg_photo_source source;
	unsigned int year;
	struct eg_bytes jpeg; // view
};

struct eg_traveller {
	char id[EG_NAME_MAX];
	bool has_document, has_pass;
	uint8_t document[EG_SHA256_SIZE]; // eg_manifest_document_digest
	uint8_t pass[EG_SHA256_SIZE];	  // eg_manifest_pass_digest
	char name[EG_PERSON_NAME_MAX];
	char birth[11];
	enum eg_citizenship citizenship;
	enum eg_sex sex;
	enum eg_region region;
	size_t photo_count;
	struct eg_photo photo[EG_PHOTOS_MAX];
};

struct eg_statement {
	char id[EG_NAME_MAX], scope[EG_NAME_MAX], flight[EG_NAME_MAX];
	uint64_t version;
	int64_t not_before_ms, expires_ms;
	uint8_t digest[EG_SHA256_SIZE];
	uint64_t length;
	size_t travellers;
};

struct eg_manifest_header {
	uint8_t salt[32];
	char flight[EG_NAME_MAX], port[EG_NAME_MAX];
	int64_t departs_ms;
	size_t count;
};

// HMAC-SHA256(salt, "doc" ‖ 0x00 ‖ issuer ‖ 0x00 ‖ number): issuer and number are brought to upper
// case letters and digits here, so "ab-12 3" printed and "AB<123<<" in an MRZ are the same.
// EG_EINVAL for an empty number, over 64 bytes, or bytes outside ASCII. An empty issuer on the
// centre's side matches a document of any issuer that is presented with an empty issuer only; so
// give it.
int eg_manifest_document_digest(const uint8_t salt[32], const char *issuer, const char *number,
				uint8_t ret_digest[EG_SHA256_SIZE]) EG_CHECKED;
// HMAC-SHA256(salt, "pass" ‖ 0x00 ‖ pnr ‖ 0x00 ‖ sequence without leading zeros),
// brought to upper case letters and digits likewise.
int eg_manifest_pass_digest(const uint8_t salt[32], const char *pnr, const char *sequence,
			    uint8_t ret_digest[EG_SHA256_SIZE]) EG_CHECKED;

// Building: content first (header, then travellers, appended to `content`, a secret buffer), then
// seal and sign. `statement` brings id, scope, version, times, flight, travellers; digest and
// length are filled in. Appends the wire form to `out`. What a booth would refuse to open
// (statement and content that differ in count or flight, a name that is none, ...) is refused here:
// EG_EINVAL, EG_ETOOBIG; `out` and `statement` are then as before.
int eg_manifest_put_header(struct eg_buf *content,
			   const struct eg_manifest_header *header) EG_CHECKED;
int eg_manifest_put_traveller(struct eg_buf *content,
			      const struct eg_traveller *traveller) EG_CHECKED;
int eg_manifest_build(struct eg_statement *statement, struct eg_bytes content,
		      const uint8_t booth[EG_P256_PUB_SIZE], const struct eg_key *centre,
		      struct eg_buf *out, struct eg_err *err) EG_CHECKED;

// Checking, without any key that opens: what syncd does. Verifies signature, scope (== booth),
// length and digest; not the times and not the version floor, which need a clock and a store
// (eg_manifest_check_time). EG_EINVAL malformed or cut short, EG_ETOOBIG, EG_EAUTH signature, scope
// or digest wrong. *ret_sealed views into `wire`.
int eg_manifest_verify(struct eg_bytes wire, const char *booth, const struct eg_trusted_key *keys,
		       size_t key_count, struct eg_statement *ret_statement,
		       struct eg_bytes *ret_sealed, struct eg_err *err) EG_CHECKED;
// EG_ESTALE before not_before or at/after expires, with a sentence.
int eg_manifest_check_time(const struct eg_statement *statement, int64_t wall_ms,
			   struct eg_err *err) EG_CHECKED;

// Opening, on the booth: decrypts `sealed` into `content` (secret buffer, EG_MANIFEST_MAX), reads
// the header; then eg_manifest_next until EG_ENOENT. A traveller's photos view into content.
// Refuses (EG_EINVAL) a count that differs, bytes left over, and any malformed traveller:
// everything is walked once here, so that eg_manifest_next cannot fail half-way through a load.
// EG_EAUTH: not sealed to this key, or for another id, scope or version. On failure content is as
// before.
struct eg_manifest_reader {
	struct eg_cur cur;
	size_t left;
};
int eg_manifest_open(const struct eg_statement *statement, struct eg_bytes sealed,
		     const struct eg_key *booth_key, struct eg_buf *content,
		     struct eg_manifest_header *ret_header, struct eg_manifest_reader *ret_reader,
		     struct eg_err *err) EG_CHECKED;
int eg_manifest_next(struct eg_manifest_reader *reader, struct eg_traveller *ret_traveller,
		     struct eg_err *err) EG_CHECKED;

#endif
