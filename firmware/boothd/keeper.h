// SPDX-License-Identifier: Apache-2.0
//
// Keeps house in records.db beside the travellers: booth time, the policy in force, whatever is
// over its time, the snapshot of the officer's cases, the signed head of the audit chain, and once
// a day whether the file is whole. A thread with a connection of its own, so that the main loop
// never waits for a purge.
//
// Thread: everything here is called by the main thread.

#ifndef EG_KEEPER_H
#define EG_KEEPER_H

#include "firmware/base/clock.h"
#include "store/retention.h"

struct eg_keeper_config {
	const char *records, *manifests; // paths; everything here is lent and outlives the keeper
	const char *snapshot;		 // where the officer's cases are kept
	const char *booth;
	const struct eg_trusted_key *keys;
	size_t key_count;
	const struct eg_key *record_key;
	const struct eg_clock *clock;
};

struct eg_keeper;

// Opens records.db once more and reads the policy before it returns, so that no traveller is served
// without it.
int eg_keeper_new(const struct eg_keeper_config *config, struct eg_keeper **ret_keeper,
		  struct eg_err *err) EG_CHECKED;
// Purges and signs the head once more. Takes NULL.
void eg_keeper_free(struct eg_keeper *keeper);

// Writes the sealed snapshot, in place of one that waits to be written; takes over its bytes.
void eg_keeper_keep(struct eg_keeper *keeper, struct eg_buf *sealed);

void eg_keeper_wake(struct eg_keeper *keeper);	  // look now: a policy may have come
int eg_keeper_fd(const struct eg_keeper *keeper); // readable when there is something to ask; lent
// Empties the fd. True when the policy in force is another one than at the last call (the first
// call always): it is copied.
bool eg_keeper_policy(struct eg_keeper *keeper, struct eg_policy *ret_policy, bool *ret_stale);
// A sentence, once, when something goes wrong that did not before. EG_ECORRUPT: records.db is
// damaged, and has to be salvaged with the keeper gone.
bool eg_keeper_fault(struct eg_keeper *keeper, struct eg_err *ret_fault);

#endif
