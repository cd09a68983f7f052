// SPDX-License-Identifier: Apache-2.0
//
// records.db: encounters and their outbox. boothd puts, syncd leases, acknowledges and erases; both
// have the file open at once (WAL, synchronous=FULL, secure_delete). What eg_records_put returned
// 0 for survives a power cut.
//
// An item is queued → acknowledged and erased, or dead (refused by the centre, with the sentence
// why; kept until a person acts). There are no leases: eg_records_next gives the same item until it
// is acknowledged, put off or buried, so a killed syncd leaves nothing to clean up; two syncd
// cannot run (lock file).
//
// Blocks on the disk. One thread per eg_records; several objects and programs per file.

#ifndef EG_RECORDS_H
#define EG_RECORDS_H

#include "store/encounter.h"

struct eg_records;

// Makes the file (mode 0660) when the folder has none; an existing file that is damaged or of a
// newer schema is EG_ECORRUPT / EG_EUNSUPPORTED and is left alone, never replaced in silence.
int eg_records_open(const char *path, struct eg_records **ret_records,
		    struct eg_err *err) EG_CHECKED;
// The same, but what is damaged is saved into a new file as far as it can be read, and the damaged
// one kept beside it (salvage.h). For boothd, before anybody else has the file open; it takes
// minutes with 100,000 envelopes. `damaged`: it is known to be, though it opens. *ret_text
// (EG_ERR_TEXT_MAX) says what happened; "": nothing.
int eg_records_open_or_salvage(const char *path, bool damaged, const struct eg_clock *clock,
			       struct eg_records **ret_records, char *ret_text,
			       struct eg_err *err) EG_CHECKED;
// EG_ECORRUPT: the file is damaged. Takes seconds a gigabyte; holds a snapshot meanwhile.
int eg_records_check(struct eg_records *records, struct eg_err *err) EG_CHECKED;
// True when a new file has taken its place: close, and open again.
bool eg_records_replaced(const struct eg_records *records);

// How many items, queued and dead, may be there before eg_records_put refuses. 100,000 by default.
void eg_records_set_max(struct eg_records *records, uint64_t max_queued);
// Whose time stamps what callers give no time for; the machine's by default. Lent for good.
void eg_records_set_clock(struct eg_records *records, const struct eg_clock *clock);
void eg_records_close(struct eg_records *records); // takes NULL

// One encounter, one transaction, on disk when it returns. EG_ECONFLICT: the id is there already,
// or was and has been acknowledged. EG_EAGAIN: another program held the file for 5 s.
// EG_EFULL: disk full, or the maximum is reached: nothing was written.
int eg_records_put(struct eg_records *records, const struct eg_id *id, struct eg_bytes envelope,
		   int64_t wall_ms, struct eg_err *err) EG_CHECKED;

// The next item to send, never a dead one: the newest "live" one (younger than live_ms, not tried
// yet), else the put-off one that has been due longest, else the oldest. A retry time of more than
// a day ahead counts as due: then the clock was set back. Copies the envelope into `envelope`
// (reset first). An envelope whose bytes are not the ones that were put is buried on the way, never
// sent. EG_ENOENT: nothing is due; *ret_next_ms (written then only) says when something will be, 0:
// never.
struct eg_queued {
	struct eg_id id;
	int64_t put_ms;
	unsigned int attempts;
	uint8_t digest[EG_SHA256_SIZE]; // of the envelope
	uint8_t whole[EG_SHA256_SIZE];	// of it before its image was dropped, else the same
};
int eg_records_next(struct eg_records *records, int64_t now_ms, int64_t live_ms,
		    struct eg_queued *ret_item, struct eg_buf *envelope, int64_t *ret_next_ms,
		    struct eg_err *err) EG_CHECKED;

// After a verified acknowledgement: erases the envelope from the file and its log, keeps a receipt
// row (id, digest, when) without personal data. The ack may be of the bytes as they were before the
// image was dropped. The log is cut at once, but not twice within a second; that, and what another
// program that reads prevents, is made up for by eg_records_settle, by the next eg_records_next or
// _acknowledge after that second, by an eg_records_next that has nothing to give, and by _purge,
// _close and _open. EG_ECONFLICT when the ack's digest is not the stored one; EG_ENOENT when there
// is no such item.
int eg_records_acknowledge(struct eg_records *records, const struct eg_ack *ack, int64_t wall_ms,
			   struct eg_err *err) EG_CHECKED;
// Cuts the log now if erasures wait for it: to be called before a rest.
void eg_records_settle(struct eg_records *records);

// Another try not before retry_ms; remembers the sentence (cut to 500 bytes, control characters
// replaced). EG_ENOENT: not queued.
int eg_records_retry(struct eg_records *records, const struct eg_id *id, int64_t retry_ms,
		     const char *sentence, struct eg_err *err) EG_CHECKED;
// To the dead-letter list. And back from it to the queue. EG_ENOENT: not there.
int eg_records_bury(struct eg_records *records, const struct eg_id *id, const char *sentence,
		    struct eg_err *err) EG_CHECKED;
int eg_records_resend(struct eg_records *records, const struct eg_id *id,
		      struct eg_err *err) EG_CHECKED;

// The sealed envelope of a queued or dead item, as it is, appended to `envelope`; for a technician
// to carry by hand. EG_ENOENT: not there.
int eg_records_get(struct eg_records *records, const struct eg_id *id, struct eg_buf *envelope,
		   struct eg_err *err) EG_CHECKED;

struct eg_records_facts {
	uint64_t queued, dead, acknowledged;
	int64_t oldest_ms; // put time of the oldest queued, 0: none
	uint64_t bytes;	   // of queued envelopes
	bool erasure_due;  // this object could not yet cut the log after an acknowledgement
};
int eg_records_facts(struct eg_records *records, struct eg_records_facts *ret_facts,
		     struct eg_err *err) EG_CHECKED;

// Calls `row` for queued, then for dead items, oldest first; a non-zero return stops and is
// returned. The file's log cannot be cut meanwhile: `row` should be quick.
struct eg_records_row {
	struct eg_id id;
	bool dead;
	int64_t put_ms, retry_ms;
	unsigned int attempts;
	uint64_t bytes;
	const char *sentence; // lent during the call
};
int eg_records_list(struct eg_records *records,
		    int (*row)(void *user, const struct eg_records_row *row), void *user,
		    struct eg_err *err) EG_CHECKED;

#endif
