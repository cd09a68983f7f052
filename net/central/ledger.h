// SPDX-License-Identifier: Apache-2.0
//
// What the centre keeps: booths, their certificates and tokens, travellers with their photos,
// manifests, encounters, alarms. This header is the border to the database: nobody outside of
// ledger*.c knows that it is SQLite, so that a PostgreSQL backend can stand beside it (part F).
//
// What a putting function returned 0 for is on disk and survives a power cut. Every function is a
// transaction of its own, but between eg_ledger_begin and _commit, which group many.
//
// Blocks on the disk. One thread per object; several objects and programs per file: centralctl
// works while centrald runs. EG_EAGAIN from anything: another program held the file for 5 s.

#ifndef EG_CENTRAL_LEDGER_H
#define EG_CENTRAL_LEDGER_H

#include "firmware/base/crypto.h"
#include "firmware/base/id.h"
#include "store/audit.h"
#include "store/manifest.h"
#include "store/trust.h"

#define EG_SERIAL_SIZE	 16	    // bytes of a certificate's serial number
#define EG_CHUNK_SIZE	 (1u << 18) // bytes of a manifest that are read at once
#define EG_ACK_MAX	 1024	    // bytes of a signed acknowledgement
#define EG_HEARTBEAT_MAX (64u << 10)

struct eg_ledger;

int eg_ledger_open(const char *path, struct eg_ledger **ret_ledger, struct eg_err *err) EG_CHECKED;
void eg_ledger_close(struct eg_ledger *ledger); // takes NULL

int eg_ledger_begin(struct eg_ledger *ledger, struct eg_err *err) EG_CHECKED;
int eg_ledger_commit(struct eg_ledger *ledger, struct eg_err *err) EG_CHECKED;
void eg_ledger_rollback(struct eg_ledger *ledger);

// --- Booths: tokens and certificates (ledger_booths.c) ---

// Only the SHA-256 of a token is kept. Makes the booth when it is new; an older unused token of the
// booth becomes void.
int eg_ledger_put_token(struct eg_ledger *ledger, const char *booth,
			const uint8_t hash[EG_SHA256_SIZE], int64_t expires_ms, int64_t now_ms,
			struct eg_err *err) EG_CHECKED;

struct eg_certificate {
	char booth[EG_NAME_MAX];
	uint8_t digest[EG_SHA256_SIZE]; // of the DER bytes
	uint8_t serial[EG_SERIAL_SIZE];
	uint8_t pub[EG_P256_PUB_SIZE];
	int64_t from_ms, end_ms;
	bool revoked;
};

// May this token enrol this booth with this key? EG_EAUTH: unknown, another booth's, expired, or
// used with another key. A token that was used with this very key answers EG_ECONFLICT and appends
// the certificate that it got to `der`: an answer that was lost on the way can be asked for again.
// `pub` NULL: is the token this booth's at all? (before anything foreign is parsed)
int eg_ledger_check_token(struct eg_ledger *ledger, const char *booth,
			  const uint8_t hash[EG_SHA256_SIZE], const uint8_t pub[EG_P256_PUB_SIZE],
			  int64_t now_ms, struct eg_buf *der, struct eg_err *err) EG_CHECKED;

// Uses up the token and keeps the certificate, in one transaction. The booth's older certificates
// are revoked, a revocation of the booth is lifted, and it may send its keys once again. EG_EAUTH:
// the token is not (or no longer) good.
int eg_ledger_enrol(struct eg_ledger *ledger, const uint8_t hash[EG_SHA256_SIZE],
		    const struct eg_certificate *certificate, struct eg_bytes der, int64_t now_ms,
		    struct eg_err *err) EG_CHECKED;

// Keeps a renewed certificate; older ones stay good until they end. EG_ECONFLICT: this booth got a
// certificate for this key already (an answer that was lost); it is appended to `known`. EG_EAUTH:
// the key is another booth's, or its certificate was revoked.
int eg_ledger_renew(struct eg_ledger *ledger, const struct eg_certificate *certificate,
		    struct eg_bytes der, int64_t now_ms, struct eg_buf *known,
		    struct eg_err *err) EG_CHECKED;

// By the digest of its DER bytes. `revoked` also when its booth is. EG_ENOENT.
int eg_ledger_find_certificate(struct eg_ledger *ledger, const uint8_t digest[EG_SHA256_SIZE],
			       struct eg_certificate *ret_certificate,
			       struct eg_err *err) EG_CHECKED;

// The booth, all its certificates and unused tokens. EG_ENOENT: no such booth.
int eg_ledger_revoke(struct eg_ledger *ledger, const char *booth, int64_t now_ms,
		     struct eg_err *err) EG_CHECKED;

// The booth's public keys, as it sent them (store/trust.h). Accepted once after each enrolment with
// a token; the same bytes again are fine, others are EG_ECONFLICT.
int eg_ledger_put_keys(struct eg_ledger *ledger, const char *booth, struct eg_bytes keys,
		       int64_t now_ms, struct eg_err *err) EG_CHECKED;
// The n-th newest keys of the booth (0: the current ones), appended to `keys`. EG_ENOENT.
int eg_ledger_get_keys(struct eg_ledger *ledger, const char *booth, unsigned int n,
		       struct eg_buf *keys, struct eg_err *err) EG_CHECKED;

// The same, decoded. Of older keys (n > 0) that are not there `err` says nothing, so that the
// failure of the newest ones stands.
int eg_ledger_read_keys(struct eg_ledger *ledger, const char *booth, unsigned int n,
			struct eg_booth_keys *ret_keys, struct eg_err *err) EG_CHECKED;

// The keys that the booth signs records with and signed them with before, newest first, at most
// `max`. EG_ENOENT: it has sent none, or there is no such booth.
int eg_ledger_signing_keys(struct eg_ledger *ledger, const char *booth, struct eg_trusted_key *keys,
			   size_t max, size_t *ret_count, struct eg_err *err) EG_CHECKED;

// When the booth was revoked; 0: it was not. EG_ENOENT: no such booth.
int eg_ledger_revoked(struct eg_ledger *ledger, const char *booth, int64_t *ret_revoked_ms,
		      struct eg_err *err) EG_CHECKED;

int eg_ledger_put_heartbeat(struct eg_ledger *ledger, const char *booth, struct eg_bytes json,
			    int64_t now_ms, struct eg_err *err) EG_CHECKED;

struct eg_booth_row {
	const char *booth;
	bool revoked, enrolled, has_keys;
	int64_t certificate_end_ms; // 0: none
	int64_t heartbeat_ms;	    // 0: none
	struct eg_bytes heartbeat;  // JSON
	int64_t encounters;
};
// Calls `row` for each, by name; texts and bytes are lent during the call. A non-zero return stops
// and is returned. So do all listing functions.
int eg_ledger_list_booths(struct eg_ledger *ledger,
			  int (*row)(void *user, const struct eg_booth_row *row), void *user,
			  struct eg_err *err) EG_CHECKED;

// --- Counts by group that booths bring (ledger_counts.c) ---

// Replaces the booth's counts of that week; `json` is one of the heartbeat's (net/tally.h).
int eg_ledger_put_counts(struct eg_ledger *ledger, const char *booth, int64_t week_ms,
			 struct eg_bytes json, int64_t now_ms, struct eg_err *err) EG_CHECKED;
// By booth, then week, from the week that begins at from_ms or later; `booth` NULL: all.
int eg_ledger_list_counts(struct eg_ledger *ledger, const char *booth, int64_t from_ms,
			  int (*row)(void *user, const char *booth, struct eg_bytes json),
			  void *user, struct eg_err *err) EG_CHECKED;

// --- Travellers and manifests (ledger_manifests.c) ---

struct eg_person {
	char id[EG_NAME_MAX];
	char surname[EG_PERSON_NAME_MAX], given[EG_PERSON_NAME_MAX];
	char birth[11]; // "YYYY-MM-DD" or ""
	enum eg_citizenship citizenship;
	char document[EG_NAME_MAX], issuer[8];
	enum eg_sex sex;
	enum eg_region region; // as the list said; unknown: see region.h
};
struct eg_booking {
	char flight[EG_NAME_MAX];
	char pnr[16], sequence[8]; // or ""
};

// Replaces what is known of the person and of this booking.
int eg_ledger_put_traveller(struct eg_ledger *ledger, const struct eg_person *person,
			    const struct eg_booking *booking, int64_t now_ms,
			    struct eg_err *err) EG_CHECKED;
// Replaces the photo of the same source and year.
int eg_ledger_put_photo(struct eg_ledger *ledger, const char *person, enum eg_photo_source source,
			unsigned int year, struct eg_bytes jpeg, struct eg_err *err) EG_CHECKED;

// Who is booked on a flight, by id.
int eg_ledger_list_travellers(struct eg_ledger *ledger, const char *flight,
			      int (*row)(void *user, const struct eg_person *person,
					 const struct eg_booking *booking),
			      void *user, struct eg_err *err) EG_CHECKED;
// Newest year first, at most EG_PHOTOS_MAX; may be called from within eg_ledger_list_travellers.
int eg_ledger_list_photos(struct eg_ledger *ledger, const char *person,
			  int (*row)(void *user, const struct eg_photo *photo), void *user,
			  struct eg_err *err) EG_CHECKED;

struct eg_manifest_row {
	int64_t seq; // names the bytes, for eg_ledger_read_manifest
	char id[EG_NAME_MAX], booth[EG_NAME_MAX], flight[EG_NAME_MAX];
	uint64_t version, length;
	int64_t not_before_ms, expires_ms, published_ms;
	uint64_t travellers;
	uint8_t digest[EG_SHA256_SIZE]; // of the wire form
};
// 0 when there is none yet: versions begin with 1.
int eg_ledger_last_version(struct eg_ledger *ledger, const char *id, const char *booth,
			   uint64_t *ret_version, struct eg_err *err) EG_CHECKED;
// Publishes. The bytes of older versions go, their rows stay. EG_ECONFLICT: the version is there.
// `row`: all but seq, length and digest.
int eg_ledger_put_manifest(struct eg_ledger *ledger, const struct eg_manifest_row *row,
			   struct eg_bytes wire, struct eg_err *err) EG_CHECKED;
// The newest version of each manifest that expires after `after_ms`, of one booth or (NULL) of all;
// those that expire first come first.
int eg_ledger_list_manifests(struct eg_ledger *ledger, const char *booth, int64_t after_ms,
			     int (*row)(void *user, const struct eg_manifest_row *row), void *user,
			     struct eg_err *err) EG_CHECKED;
// Newest version. EG_ENOENT.
int eg_ledger_find_manifest(struct eg_ledger *ledger, const char *booth, const char *id,
			    struct eg_manifest_row *ret_row, struct eg_err *err) EG_CHECKED;
// Piece `n` of EG_CHUNK_SIZE bytes (the last is shorter), appended. EG_ENOENT: a newer version was
// published meanwhile.
int eg_ledger_read_manifest(struct eg_ledger *ledger, int64_t seq, uint64_t n, struct eg_buf *piece,
			    struct eg_err *err) EG_CHECKED;

// --- Encounters, decisions about them, and alarms (ledger_encounters.c) ---

struct eg_encounter_row {
	struct eg_id id; // of the encounter, or of the decision
	enum eg_envelope_kind kind;
	char booth[EG_NAME_MAX];
	uint8_t digest[EG_SHA256_SIZE]; // of the envelope
	int64_t received_ms;
	uint64_t size;
};
// The acknowledgement is appended to `ack`. EG_ENOENT.
int eg_ledger_find_encounter(struct eg_ledger *ledger, const struct eg_id *id,
			     struct eg_encounter_row *ret_row, struct eg_buf *ack,
			     struct eg_err *err) EG_CHECKED;
// Appends the envelope's bytes to `envelope`. EG_ENOENT.
int eg_ledger_get_envelope(struct eg_ledger *ledger, const struct eg_id *id,
			   struct eg_buf *envelope, struct eg_err *err) EG_CHECKED;
// EG_ECONFLICT: the id is there already, nothing was written.
int eg_ledger_put_encounter(struct eg_ledger *ledger, const struct eg_encounter_row *row,
			    struct eg_bytes envelope, struct eg_bytes ack,
			    struct eg_err *err) EG_CHECKED;
// Of one kind, or (0) of both; oldest first. The envelope is empty unless asked for.
int eg_ledger_list_encounters(struct eg_ledger *ledger, int kind, bool with_envelope,
			      int (*row)(void *user, const struct eg_encounter_row *row,
					 struct eg_bytes envelope),
			      void *user, struct eg_err *err) EG_CHECKED;

// Things a person should look at. Numbers are in stored rows: only append.
enum eg_alarm {
	EG_ALARM_ENCOUNTER_CONFLICT = 1, // other bytes under a known id
	EG_ALARM_KEYS_CONFLICT = 2,	 // a booth sent other keys without a new token
	EG_ALARM_AUDIT_CONFLICT = 3,	 // a booth's audit chain was cut back or rewritten
};
const char *eg_alarm_name(enum eg_alarm alarm); // "encounter_conflict", …; "unknown"
int eg_ledger_put_alarm(struct eg_ledger *ledger, enum eg_alarm alarm, const char *booth,
			const char *subject, int64_t now_ms, struct eg_err *err) EG_CHECKED;
int eg_ledger_list_alarms(struct eg_ledger *ledger,
			  int (*row)(void *user, enum eg_alarm alarm, const char *booth,
				     const char *subject, int64_t at_ms),
			  void *user, struct eg_err *err) EG_CHECKED;

// --- Audit heads and policies (ledger_audit.c) ---

// The newest head of a booth's audit chain, as it was countersigned. A chain may begin anew, or
// shorter, only after an enrolment with a token.
struct eg_audit_row {
	char booth[EG_NAME_MAX];
	uint64_t count; // entries
	uint8_t digest[EG_SHA256_SIZE];
	int64_t at_ms, enrolled_ms; // received; the enrolment that its chain belongs to
	struct eg_bytes receipt;    // lent
};

// Keeps a verified head with the receipt that the centre signed for it, in place of the one before;
// appends the receipt that holds to `known`: `receipt`, or the older one when this very head is
// here already. EG_ECONFLICT: a longer head of this chain is here, or another of the same length.
int eg_ledger_put_audit_head(struct eg_ledger *ledger, const char *booth,
			     const struct eg_audit_head *head, struct eg_bytes receipt,
			     int64_t now_ms, struct eg_buf *known, struct eg_err *err) EG_CHECKED;
// The newest chain of one booth, or (NULL) all chains of all booths.
int eg_ledger_list_audit(struct eg_ledger *ledger, const char *booth,
			 int (*row)(void *user, const struct eg_audit_row *row), void *user,
			 struct eg_err *err) EG_CHECKED;

// Signed policies (store/policy.h), by version. EG_ECONFLICT: the version is not above the newest.
int eg_ledger_put_policy(struct eg_ledger *ledger, uint64_t version, struct eg_bytes message,
			 int64_t now_ms, struct eg_err *err) EG_CHECKED;
// The newest, appended to `message`. EG_ENOENT: none was signed yet.
int eg_ledger_get_policy(struct eg_ledger *ledger, uint64_t *ret_version, struct eg_buf *message,
			 struct eg_err *err) EG_CHECKED;

#endif
