// SPDX-License-Identifier: Apache-2.0
//
// What an officer may be shown of the travellers of one manifest: names, initials, portraits cut
// from their photos. Made with a book, then never changed, and shared by reference between the
// vision worker and the main thread; the last unref wipes it.
//
// Thread: until it is whole, the vision worker; then any.

#ifndef EG_PEOPLE_H
#define EG_PEOPLE_H

#include "store/manifest.h"

#define EG_INITIALS_MAX 32 // bytes, with NUL

// Portraits are at most this large, and all of a manifest's together take at most so much: what is
// beyond is not kept, and the officer looks at the document instead.
#define EG_PORTRAIT_WIDTH     240
#define EG_PORTRAIT_HEIGHT    320
#define EG_PORTRAIT_BYTES_MAX (64u << 10) // one
#define EG_PEOPLE_BYTES_MAX   (64u << 20) // all

struct eg_portrait {
	enum eg_photo_source source;
	unsigned int year;
	struct eg_buf jpeg; // secret
};

struct eg_person {
	char id[EG_NAME_MAX];
	char name[EG_PERSON_NAME_MAX];
	char initials[EG_INITIALS_MAX];
	size_t portrait_count;
	struct eg_portrait *portrait; // NULL: none
};

struct eg_people;

// `count` nameless people, one reference. NULL: out of memory.
struct eg_people *eg_people_new(size_t count);
struct eg_people *eg_people_ref(struct eg_people *people); // takes NULL
void eg_people_unref(struct eg_people *people);		   // takes NULL

void eg_people_name(struct eg_people *people, size_t index, const char *id, const char *name);
// Copies the JPEG. One too many, or too large, is left out. EG_ENOMEM.
int eg_people_add(struct eg_people *people, size_t index, enum eg_photo_source source,
		  unsigned int year, struct eg_bytes jpeg) EG_CHECKED;
// All are there: from now on they can be found. EG_ENOMEM.
int eg_people_finish(struct eg_people *people) EG_CHECKED;

size_t eg_people_count(const struct eg_people *people); // NULL: 0
const struct eg_person *eg_people_at(const struct eg_people *people, size_t index);
// By id, once it is whole; −1: nobody.
long eg_people_find(const struct eg_people *people, const char *id);

// "A. M. E." of "Anna Maria Eriksson": the first letter of each word, four at most.
void eg_initials(const char *name, char ret_initials[EG_INITIALS_MAX]);

#endif
