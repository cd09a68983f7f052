// SPDX-License-Identifier: Apache-2.0

#include "firmware/boothd/people.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

struct eg_people {
	atomic_uint refs;
	size_t count, bytes;
	struct eg_person *person; // secret
	uint32_t *by_id;	  // indexes, ordered by id; NULL until it is whole
};

struct eg_people *eg_people_new(size_t count)
{
	struct eg_people *people = eg_calloc(1, sizeof(*people));

	if (people == NULL)
		return NULL;
	atomic_init(&people->refs, 1);
	people->count = count;
	if (count > 0)
		people->person = eg_secret_alloc(count * sizeof(*people->person));
	if (count == 0 || people->person != NULL)
		return people;
	free(people);
	return NULL;
}

struct eg_people *eg_people_ref(struct eg_people *people)
{
	if (people != NULL)
		atomic_fetch_add(&people->refs, 1);
	return people;
}

void eg_people_unref(struct eg_people *people)
{
	if (people == NULL || atomic_fetch_sub(&people->refs, 1) != 1)
		return;
	for (size_t i = 0; i < people->count; i++) {
		for (size_t k = 0; k < people->person[i].portrait_count; k++)
			eg_buf_done(&people->person[i].portrait[k].jpeg);
		free(people->person[i].portrait);
	}
	eg_secret_free(people->person, people->count * sizeof(*people->person));
	free(people->by_id);
	free(people);
}

void eg_people_name(struct eg_people *people, size_t index, const char *id, const char *name)
{
	struct eg_person *p = &people->person[index];

	assert(index < people->count && people->by_id == NULL);
	(void)snprintf(p->id, sizeof(p->id), "%s", id);
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	eg_initials(p->name, p->initials);
}

int eg_people_add(struct eg_people *people, size_t index, enum eg_photo_source source,
		  unsigned int year, struct eg_bytes jpeg)
{
	struct eg_person *p = &people->person[index];
	struct eg_portrait *portrait;
	int r;

	assert(index < people->count && people->by_id == NULL);
	if (p->portrait_count == EG_PHOTOS_MAX || jpeg.size > EG_PORTRAIT_BYTES_MAX ||
	    people->bytes + jpeg.size > EG_PEOPLE_BYTES_MAX)
		return 0;
	if (p->portrait == NULL)
		p->portrait = eg_calloc(EG_PHOTOS_MAX, sizeof(*p->portrait));
	if (p->portrait == NULL)
		return EG_ENOMEM;
	portrait = &p->portrait[p->portrait_count];
	*portrait = (struct eg_portrait){.source = source, .year = year};
	eg_buf_init_secret(&portrait->jpeg, jpeg.size);
	r = eg_buf_put(&portrait->jpeg, jpeg.data, jpeg.size);
	if (r != 0) {
		eg_buf_done(&portrait->jpeg);
		return r;
	}
	p->portrait_count++;
	people->bytes += jpeg.size;
	return 0;
}

static int by_id(const void *a, const void *b, void *user)
{
	const struct eg_people *people = user;

	return strcmp(people->person[*(const uint32_t *)a].id,
		      people->person[*(const uint32_t *)b].id);
}

int eg_people_finish(struct eg_people *people)
{
	people->by_id = eg_calloc(people->count + 1, sizeof(*people->by_id));
	if (people->by_id == NULL)
		return EG_ENOMEM;
	for (size_t i = 0; i < people->count; i++)
		people->by_id[i] = (uint32_t)i;
	qsort_r(people->by_id, people->count, sizeof(*people->by_id), by_id, people);
	return 0;
}

size_t eg_people_count(const struct eg_people *people)
{
	return people == NULL ? 0 : people->count;
}

const struct eg_person *eg_people_at(const struct eg_people *people, size_t index)
{
	assert(index < people->count);
	return &people->person[index];
}

long eg_people_find(const struct eg_people *people, const char *id)
{
	size_t low = 0, high = people->by_id == NULL ? 0 : people->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(people->person[people->by_id[middle]].id, id);

		if (order == 0)
			return (long)people->by_id[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

// ---- initials -----------------------------------------------------------------------------------

// What parts words: everything that is no letter in ASCII, but not the apostrophe of O'Neill.
static bool parts(unsigned char c)
{
	return c < 0x80 && !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '\'');
}

void eg_initials(const char *name, char ret_initials[EG_INITIALS_MAX])
{
	size_t out = 0, words = 0;
	bool before = true;

	for (const char *at = name; *at != '\0' && words < 4; at++) {
		unsigned char c = (unsigned char)*at;
		size_t size = 1;

		if (parts(c) || !before) {
			before = parts(c);
			continue;
		}
		before = false;
		if (c == '\'')
			continue;
		while (c >= 0xc0 && size < 4 && ((unsigned char)at[size] & 0xc0) == 0x80)
			size++; // the rest of the letter
		if (words > 0)
			ret_initials[out++] = ' ';
		memcpy(ret_initials + out, at, size);
		out += size;
		ret_initials[out++] = '.';
		words++;
	}
	ret_initials[out] = '\0';
}
