// SPDX-License-Identifier: Apache-2.0
//
// A booth in a folder of its own with a centre, for the tests of syncd as a process. What goes
// wrong in here fails the test that runs.
//
// Thread: the test's.

#ifndef WORLD_H
#define WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-varlink.h>
#include <time.h>
#include <unistd.h>

#include "centre.h"
#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "pki.h"
#include "store/manifests.h"
#include "store/records.h"

#define ENVELOPE  2000 // bytes
#define ITEMS_MAX 512

// One booth in a folder of its own, and its centre.
struct world {
	char dir[200];
	struct centre *centre;
	pid_t pid; // of syncd; 0: does not run
	struct eg_records *records;
	struct eg_id ids[ITEMS_MAX];
	size_t items;
	struct eg_key *seal; // the booth's
	const char *key; // lines of [identity]; NULL: the key in a file, whatever the machine has
};

const char *in(const struct world *world, const char *name);
int64_t boot_ms(void);
int64_t wall_ms(void);
int64_t patience(void); // EGRESS_PATIENCE: how much longer than usual to wait
void envelope_of(const struct eg_id *id, uint8_t envelope[ENVELOPE]);
void put_encounters(struct world *world, size_t count);
void write_config(struct world *world, const char *more);
struct world *world_new(const char *server);
void syncd_start(struct world *world);
int syncd_end(struct world *world, int signal_number);
void show_log(struct world *world);
bool logged(struct world *world, const char *words);
void world_free(struct world *world);
struct eg_records_facts facts(struct world *world);
void assert_delivered_once(struct world *world);
void offer_manifest(struct world *world, const struct eg_key *signer, const char *id,
		    uint64_t version, size_t padding, int64_t expires_ms);
uint64_t held(struct world *world, const char *id);
char *status(struct world *world);
bool status_has(struct world *world, const char *words);

// Waits until CONDITION holds, at most 60 s, or longer for programs that are slow (patience()).
#define WAIT(world, condition)                                       \
	do {                                                         \
		int64_t wait_end = boot_ms() + 60000 * patience();   \
		while (!(condition) && boot_ms() < wait_end)         \
			(void)usleep(20000);                         \
		if (!(condition)) {                                  \
			show_log(world);                             \
			fail_msg("never came true: %s", #condition); \
		}                                                    \
	} while (0)

#endif
