// SPDX-License-Identifier: Apache-2.0
//
// A SQLite VFS between the store and the disk whose n-th write, flush, cut or removal goes wrong.
// Installed as the default one; faulty_off lets everything through again. For the store alone, and
// for the programs' code on top of it. Several connections may have a file open. Thread: one.

#ifndef TESTS_STORE_FAULTY_H
#define TESTS_STORE_FAULTY_H

#include <stdbool.h>

enum fault {
	FAULT_FULL,	// the disk is full, once
	FAULT_IO,	// an I/O error, once
	FAULT_SHORT,	// half of the bytes, then an I/O error, once
	FAULT_CUT,	// the power goes; what was not flushed is lost
	FAULT_TORN,	// the power goes; of what was not flushed, any part is there
	FAULT_READONLY, // from the n-th opening on, the file system cannot be written
	FAULT_COUNT,
};

void faulty_install(void);
void faulty_arm(enum fault fault, long n); // forgets what was not flushed before
bool faulty_reached(void);
bool faulty_dead(void); // the power went
// What else ends with the power, called in the moment that it goes; NULL: nothing.
void faulty_on_cut(void (*gone)(void));
// When the power went: makes the files what a disk would hold. All of them must be closed.
void faulty_off(void);

#endif
