// SPDX-License-Identifier: Apache-2.0

#include "firmware/base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "firmware/base/log.h"

static atomic_size_t allocations;
static atomic_size_t secrets; // alive
static atomic_size_t fail_at; // counts down; 0: off
static atomic_bool lock_refused, lock_warned;

// True when this allocation is the one that a test wants to fail.
static bool fails(void)
{
	size_t left = atomic_load(&fail_at);

	atomic_fetch_add(&allocations, 1);
	while (left > 0)
		if (atomic_compare_exchange_weak(&fail_at, &left, left - 1))
			return left == 1;
	return false;
}

void eg_mem_fail_at(size_t n)
{
	atomic_store(&fail_at, n);
}

size_t eg_mem_count(void)
{
	return atomic_load(&allocations);
}

void *eg_calloc(size_t count, size_t size)
{
	size_t all;

	return fails() || __builtin_mul_overflow(count, size, &all) ? NULL : calloc(1, all);
}

void *eg_realloc(void *old, size_t count, size_t size)
{
	size_t all;

	// realloc to nothing may free; callers rely on NULL leaving the old block alone.
	if (fails() || __builtin_mul_overflow(count, size, &all))
		return NULL;
	return realloc(old, all > 0 ? all : 1);
}

char *eg_strdup(const char *text)
{
	return fails() ? NULL : strdup(text);
}

static bool round_to_pages(size_t size, size_t *ret_size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size == 0 || __builtin_add_overflow(size, page - 1, &size))
		return false;
	*ret_size = size / page * page;
	return true;
}

void *eg_secret_alloc(size_t size)
{
	void *secret;
	size_t room;

	if (fails() || !round_to_pages(size, &room))
		return NULL;
	secret = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return NULL;
	// Both are best effort: a small RLIMIT_MEMLOCK must not stop a booth from working. (mlock2,
	// as sanitizers make mlock do nothing.)
	if (mlock2(secret, room, 0) != 0)
		atomic_store(&lock_refused, true);
	(void)madvise(secret, room, MADV_DONTDUMP);
	atomic_fetch_add(&secrets, 1);
	return secret;
}

void eg_secret_free(void *secret, size_t size)
{
	size_t room;

	if (secret == NULL || !round_to_pages(size, &room))
		return;
	eg_wipe(secret, size);
	(void)munmap(secret, room);
	atomic_fetch_sub(&secrets, 1);
}

size_t eg_secret_count(void)
{
	return atomic_load(&secrets);
}

bool eg_secret_lock_refused(void)
{
	return atomic_load(&lock_refused);
}

void eg_secret_warn(void)
{
	struct rlimit limit = {0};

	if (!eg_secret_lock_refused() || atomic_exchange(&lock_warned, true))
		return;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	eg_warning("memory of keys and faces could not be locked and may be swapped to a disk: the "
		   "limit is %llu kB, raise LimitMEMLOCK= of the unit",
		   (unsigned long long)limit.rlim_cur / 1024);
}

void eg_wipe(void *data, size_t size)
{
	if (size > 0)
		explicit_bzero(data, size);
}

bool eg_equal_ct(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;
	size_t i;

	for (i = 0; i < size; i++)
		differ = (uint8_t)(differ | (x[i] ^ y[i]));
	return differ == 0;
}
