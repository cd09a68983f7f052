// SPDX-License-Identifier: Apache-2.0
//
// Memory: allocation that tests can make fail, and wiping that the compiler cannot drop.
//
// Policy: eg_calloc and friends return NULL when memory is out and the caller returns EG_ENOMEM;
// nothing allocates per frame. Templates, faces and keys live in eg_secret_* memory, which is
// locked where the limits allow it, kept out of core dumps, and wiped on free.
//
// Thread: safe from any thread.

#ifndef EG_MEM_H
#define EG_MEM_H

#include <stdbool.h>
#include <stddef.h>

// Zeroed memory of count × size bytes, or NULL (also on overflow). Free with free().
void *eg_calloc(size_t count, size_t size);

// Grows or shrinks; on NULL the old block is untouched. Free with free().
void *eg_realloc(void *old, size_t count, size_t size);

// A copy of a string, or NULL. Free with free().
char *eg_strdup(const char *text);

// Zeroed memory for secrets: page-aligned, mlock()ed when RLIMIT_MEMLOCK allows, MADV_DONTDUMP.
// Free with eg_secret_free, which wipes. NULL when memory is out.
void *eg_secret_alloc(size_t size);
void eg_secret_free(void *secret, size_t size); // takes NULL

// Secret blocks that are not freed yet. Leak checkers do not see them; tests ask here.
size_t eg_secret_count(void);

// Whether the kernel has refused to lock a secret block since the program started. Then secrets may
// come to a swap partition; nothing fails. Programs show it in their status and call eg_secret_warn
// now and then, which says it once in the log.
bool eg_secret_lock_refused(void);
void eg_secret_warn(void);

// Wipes; never optimised away. Takes NULL when size is 0.
void eg_wipe(void *data, size_t size);

// True if equal; the time taken depends on size only.
bool eg_equal_ct(const void *a, const void *b, size_t size);

// Test hook: the n-th following allocation (1 = the next) made through this header on any thread
// fails, once. 0 switches it off. eg_mem_count() is how many were made since the program started.
void eg_mem_fail_at(size_t n);
size_t eg_mem_count(void);

#endif
