// SPDX-License-Identifier: Apache-2.0
//
// manifests.db: the manifests this booth holds, sealed as they came, and the version floors. syncd
// puts (after eg_manifest_verify); boothd reads, verifies again and opens. A manifest is swapped in
// whole; a floor, once raised, stays also when the manifest is gone (rollback protection).
//
// Blocks on the disk. One thread per object; both programs have the file open at once.

#ifndef EG_MANIFESTS_H
#define EG_MANIFESTS_H

#include "firmware/base/clock.h"
#include "store/manifest.h"

struct eg_manifests;

int eg_manifests_open(const char *path, struct eg_manifests **ret_manifests,
		      struct eg_err *err) EG_CHECKED;
// What is damaged is saved as far as it can be read, floors above all, and kept beside it; as
// eg_records_open_or_salvage. Manifests that are lost are fetched again.
int eg_manifests_open_or_salvage(const char *path, const struct eg_clock *clock,
				 struct eg_manifests **ret_manifests, char *ret_text,
				 struct eg_err *err) EG_CHECKED;
bool eg_manifests_replaced(const struct eg_manifests *manifests);
void eg_manifests_close(struct eg_manifests *manifests); // takes NULL

// Puts or swaps `wire`, whose verified statement is given. EG_ESTALE when its version is below the
// floor, EG_ECONFLICT when it equals the floor but the bytes differ; 0 and no write when they are
// the same.
int eg_manifests_put(struct eg_manifests *manifests, const struct eg_statement *statement,
		     struct eg_bytes wire, int64_t wall_ms, struct eg_err *err) EG_CHECKED;

// What is held, newest put first; at most `max`.
struct eg_manifest_held {
	char id[EG_NAME_MAX];
	uint64_t version;
	int64_t put_ms, not_before_ms, expires_ms;
	uint64_t bytes;
	uint8_t digest[EG_SHA256_SIZE]; // of the wire form
};
int eg_manifests_list(struct eg_manifests *manifests, struct eg_manifest_held *ret_held, size_t max,
		      size_t *ret_count, struct eg_err *err) EG_CHECKED;

// Appends the wire form to `wire`. EG_ENOENT.
int eg_manifests_get(struct eg_manifests *manifests, const char *id, struct eg_buf *wire,
		     struct eg_err *err) EG_CHECKED;

// Erases one that expired (or was withdrawn); the floor stays.
int eg_manifests_erase(struct eg_manifests *manifests, const char *id,
		       struct eg_err *err) EG_CHECKED;

// Rises with every change, also by other programs: cheap to poll.
int eg_manifests_change(struct eg_manifests *manifests, uint64_t *ret_change,
			struct eg_err *err) EG_CHECKED;

#endif
