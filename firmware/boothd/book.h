// SPDX-License-Identifier: Apache-2.0
//
// A book: one opened manifest with its gallery. Made photo by photo (templates are extracted on the
// booth, at load), then never changed; sessions share it by reference, so that a swap in the middle
// of a session changes nothing for that session.
//
// Life: begin → step until done → ref/unref; the last unref wipes templates and digests, and gives
// up its reference to names and portraits (people.h). Thread: the vision worker only (it owns the
// detector and the extractor).

#ifndef EG_BOOK_H
#define EG_BOOK_H

#include "drivers/document.h"
#include "match/gallery.h"
#include "firmware/boothd/papers.h"
#include "firmware/boothd/people.h"
#include "store/counts.h"
#include "store/manifest.h"

struct eg_book_entry {
	char id[EG_NAME_MAX];
	struct eg_papers papers;
	enum eg_citizenship citizenship;
	struct eg_group group;	     // its age band is the one on the day of departure
	unsigned int photos, usable; // photos with exactly one usable face
};

struct eg_book {
	unsigned int refs;
	struct eg_statement statement;
	struct eg_manifest_header header;
	struct eg_book_entry *entries;
	size_t count;  // entries
	size_t loaded; // entries whose photos were read so far
	struct eg_gallery *gallery;
	struct eg_people *people;   // names and portraits, for the officer
	struct eg_counts impostors; // of the photos against each other, by group
};

// Models that a book needs while it is made; lent.
struct eg_book_tools {
	struct eg_capture *stills; // its own, so that live tracks are left alone
	struct eg_extractor *extractor;
	const struct eg_calib *calibration;
};

struct eg_book_maker; // a book in the making

// Verifies and opens `wire` (copied where needed; may be freed afterwards). Refuses another
// booth's, an unsigned or a damaged one; times are the caller's business.
int eg_book_begin(struct eg_bytes wire, const char *booth, const struct eg_trusted_key *keys,
		  size_t key_count, const struct eg_key *seal_key,
		  const struct eg_book_tools *tools, struct eg_book_maker **ret_maker,
		  struct eg_err *err) EG_CHECKED;

// Reads one traveller: 0 = more to do, 1 = done. A photo that is no picture or shows no face or
// several is counted and left out; the traveller stays, and is referred when no photo is left.
int eg_book_step(struct eg_book_maker *maker, struct eg_err *err) EG_CHECKED;
const struct eg_book *eg_book_draft(const struct eg_book_maker *maker); // for progress; lent

// Hands over the finished book with one reference and frees the maker.
struct eg_book *eg_book_finish(struct eg_book_maker *maker);
void eg_book_abandon(struct eg_book_maker *maker); // takes NULL

struct eg_book *eg_book_ref(struct eg_book *book);
void eg_book_unref(struct eg_book *book); // takes NULL

// Index of the entry that a document names, −1 when none does or several do.
int eg_book_find(const struct eg_book *book, const struct eg_document *document);

#endif
