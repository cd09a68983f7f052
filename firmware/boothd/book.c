// SPDX-License-Identifier: Apache-2.0
//
// See book.h. Photos are decoded within the booth's limits; each good one becomes a template by the
// careful extractor (five warps), since it is compared with everybody who walks past.

#include "firmware/boothd/book.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/codec.h"
#include "firmware/base/log.h"
#include "firmware/base/mem.h"

struct eg_book_maker {
	struct eg_book_tools tools;
	struct eg_book *book;
	struct eg_buf content; // the opened manifest; photos are views into it
	struct eg_manifest_reader reader;
	struct eg_image image, portrait;
	struct eg_buf jpeg; // of the portrait
};

#define PORTRAIT_JPEG_QUALITY 80

// The second face of a reference may be in the background; it must be clearly smaller.
#define SECOND_FACE_RATIO 0.5f

struct eg_book *eg_book_ref(struct eg_book *book)
{
	book->refs++;
	return book;
}

void eg_book_unref(struct eg_book *book)
{
	if (book == NULL || --book->refs > 0)
		return;
	eg_gallery_free(book->gallery);
	eg_people_unref(book->people);
	eg_secret_free(book->entries, book->count * sizeof(*book->entries));
	eg_wipe(book, sizeof(*book));
	free(book);
}

void eg_book_abandon(struct eg_book_maker *maker)
{
	if (maker == NULL)
		return;
	eg_book_unref(maker->book);
	eg_buf_done(&maker->content);
	eg_image_done(&maker->image);
	eg_image_done(&maker->portrait);
	eg_buf_done(&maker->jpeg);
	free(maker);
}

int eg_book_begin(struct eg_bytes wire, const char *booth, const struct eg_trusted_key *keys,
		  size_t key_count, const struct eg_key *seal_key,
		  const struct eg_book_tools *tools, struct eg_book_maker **ret_maker,
		  struct eg_err *err)
{
	struct eg_book_maker *maker;
	struct eg_bytes sealed;
	struct eg_book *book;
	int r;

	maker = eg_calloc(1, sizeof(*maker));
	if (maker == NULL)
		return eg_err_set(err, EG_ENOMEM, "manifest: out of memory");
	maker->tools = *tools;
	eg_buf_init_secret(&maker->content, EG_MANIFEST_MAX);
	eg_buf_init_secret(&maker->jpeg, 4 * EG_PORTRAIT_BYTES_MAX);
	maker->book = book = eg_calloc(1, sizeof(*book));
	if (book == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "manifest: out of memory");
		goto fail;
	}
	book->refs = 1;
	r = eg_manifest_verify(wire, booth, keys, key_count, &book->statement, &sealed, err);
	if (r != 0)
		goto fail;
	r = eg_manifest_open(&book->statement, sealed, seal_key, &maker->content, &book->header,
			     &maker->reader, err);
	if (r != 0)
		goto fail;
	book->count = book->header.count;
	if (book->count > 0) {
		book->entries = eg_secret_alloc(book->count * sizeof(*book->entries));
		if (book->entries == NULL) {
			r = eg_err_set(err, EG_ENOMEM, "manifest %s: no memory for %zu travellers",
				       book->statement.id, book->count);
			goto fail;
		}
	}
	book->people = eg_people_new(book->count);
	if (book->people == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "manifest %s: no memory for %zu names",
			       book->statement.id, book->count);
		goto fail;
	}
	r = eg_gallery_new(book->count, tools->calibration, &book->gallery, err);
	if (r != 0)
		goto fail;
	*ret_maker = maker;
	return 0;
fail:
	eg_book_abandon(maker);
	return r;
}

// True when the picture shows one person: one face, or one far larger than the others.
static bool one_face(const struct eg_face *faces, size_t count)
{
	if (count == 0 || !faces[0].has_landmarks)
		return false;
	return count == 1 ||
	       faces[1].quality.inter_eye_px < SECOND_FACE_RATIO * faces[0].quality.inter_eye_px;
}

// What the officer sees beside the face before the camera: also of a photo that is no use for
// comparison. One that cannot be made is not there.
static int add_portrait(struct eg_book_maker *maker, size_t index, const struct eg_photo *photo,
			const struct eg_face *faces, size_t count)
{
	if (eg_capture_portrait(maker->tools.stills, &maker->image, faces, count, EG_PORTRAIT_WIDTH,
				EG_PORTRAIT_HEIGHT, &maker->portrait) != 0)
		return 0;
	eg_buf_reset(&maker->jpeg);
	if (eg_codec_encode_jpeg(&maker->portrait, PORTRAIT_JPEG_QUALITY, &maker->jpeg, NULL) != 0)
		return 0;
	return eg_people_add(maker->book->people, index, photo->source, photo->year,
			     eg_buf_bytes(&maker->jpeg));
}

static int add_photo(struct eg_book_maker *maker, size_t index, const struct eg_photo *photo,
		     struct eg_err *err)
{
	struct eg_book_entry *entry = &maker->book->entries[index];
	struct eg_err why = EG_ERR_INIT;
	struct eg_template reference;
	struct eg_face faces[4];
	size_t count;
	int r;

	r = eg_codec_decode(photo->jpeg, EG_CODEC_LIMITS_BOOTH, &maker->image, &why);
	if (r == 0)
		r = eg_capture_still(maker->tools.stills, &maker->image, faces, 4, &count, &why);
	if (r != 0) {
		eg_debug("manifest: entry %zu: a photo is left out: %s", index, why.text);
		return r == EG_ENOMEM ? eg_err_set(err, r, "manifest: out of memory") : 0;
	}
	if (count > 0 && add_portrait(maker, index, photo, faces, count) != 0)
		return eg_err_set(err, EG_ENOMEM, "manifest: out of memory");
	if (!one_face(faces, count)) {
		eg_debug("manifest: entry %zu: a photo is left out: %zu faces", index, count);
		return 0;
	}
	r = eg_extractor_run_careful(maker->tools.extractor, &maker->image, &faces[0], &reference,
				     err);
	if (r == 0)
		r = eg_gallery_add(maker->book->gallery, index, &reference,
				   faces[0].quality.overall, err);
	eg_template_wipe(&reference);
	if (r == 0)
		entry->usable++;
	return r;
}

// The birth date is needed no longer than until its band is known: only the band stays.
static struct eg_group group_of(const struct eg_book *book, const struct eg_traveller *traveller)
{
	int64_t at = book->header.departs_ms != 0 ? book->header.departs_ms
						  : book->statement.not_before_ms;

	return (struct eg_group){
		.of = {[EG_AXIS_AGE] = (uint8_t)eg_age_band_at(traveller->birth, at),
		       [EG_AXIS_SEX] = (uint8_t)traveller->sex,
		       [EG_AXIS_REGION] = (uint8_t)traveller->region}};
}

// Returns 1, for a book that is done.
static int count_impostors(struct eg_book_maker *maker, struct eg_err *err)
{
	struct eg_book *book = maker->book;
	struct eg_group *groups = eg_calloc(book->count + 1, sizeof(*groups));

	if (groups == NULL)
		return eg_err_set(err, EG_ENOMEM, "manifest %s: out of memory", book->statement.id);
	for (size_t i = 0; i < book->count; i++)
		groups[i] = book->entries[i].group;
	eg_counts_compare(book->gallery, maker->tools.calibration, groups, &book->impostors);
	free(groups);
	return 1;
}

// All travellers are in it.
static int complete(struct eg_book_maker *maker, struct eg_err *err)
{
	if (eg_people_finish(maker->book->people) != 0)
		return eg_err_set(err, EG_ENOMEM, "manifest %s: out of memory",
				  maker->book->statement.id);
	return count_impostors(maker, err);
}

int eg_book_step(struct eg_book_maker *maker, struct eg_err *err)
{
	struct eg_book *book = maker->book;
	struct eg_traveller traveller;
	struct eg_book_entry *entry;
	size_t k;
	int r;

	r = eg_manifest_next(&maker->reader, &traveller, err);
	if (r == EG_ENOENT) {
		if (book->loaded != book->count)
			return eg_err_set(err, EG_EINVAL,
					  "manifest %s: says %zu travellers and holds %zu",
					  book->statement.id, book->count, book->loaded);
		r = eg_gallery_seal_step(book->gallery, err);
		return r != 1 ? r : complete(maker, err);
	}
	if (r != 0)
		return eg_err_prefix(err, r, "manifest %s: traveller %zu", book->statement.id,
				     book->loaded + 1);
	if (book->loaded >= book->count)
		return eg_err_set(err, EG_EINVAL, "manifest %s: holds more than %zu travellers",
				  book->statement.id, book->count);
	entry = &book->entries[book->loaded];
	memcpy(entry->id, traveller.id, sizeof(entry->id));
	eg_people_name(book->people, book->loaded, traveller.id, traveller.name);
	entry->papers.has_document = traveller.has_document;
	memcpy(entry->papers.document, traveller.document, sizeof(entry->papers.document));
	entry->papers.has_pass = traveller.has_pass;
	memcpy(entry->papers.pass, traveller.pass, sizeof(entry->papers.pass));
	entry->citizenship = traveller.citizenship;
	entry->group = group_of(book, &traveller);
	entry->photos = (unsigned int)traveller.photo_count;
	for (k = 0; k < traveller.photo_count && k < EG_GALLERY_REFERENCES_MAX; k++) {
		r = add_photo(maker, book->loaded, &traveller.photo[k], err);
		if (r != 0)
			break;
	}
	eg_wipe(&traveller, sizeof(traveller));
	if (r != 0)
		return eg_err_prefix(err, r, "manifest %s: traveller %zu", book->statement.id,
				     book->loaded + 1);
	book->loaded++;
	return 0;
}

const struct eg_book *eg_book_draft(const struct eg_book_maker *maker)
{
	return maker->book;
}

struct eg_book *eg_book_finish(struct eg_book_maker *maker)
{
	struct eg_book *book = maker->book;

	assert(book->loaded == book->count);
	maker->book = NULL;
	eg_book_abandon(maker);
	return book;
}

int eg_book_find(const struct eg_book *book, const struct eg_document *document)
{
	uint8_t digest[EG_SHA256_SIZE];
	int found = -1;
	size_t i;

	if (eg_papers_digest(book->header.salt, document, digest) != 0)
		return -1;
	for (i = 0; i < book->count; i++) {
		if (!eg_papers_hold(&book->entries[i].papers, document->kind, digest))
			continue;
		if (found >= 0) // two travellers under one document: an officer sorts that out
			found = -2;
		else if (found == -1)
			found = (int)i;
	}
	eg_wipe(digest, sizeof(digest));
	return found < 0 ? -1 : found;
}
