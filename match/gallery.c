// SPDX-License-Identifier: Apache-2.0
//
// A gallery's life: rows of references in secret memory, grown by doubling, wiped on free.

#include "match/gallery_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

int eg_gallery_new(size_t entries, const struct eg_calib *calibration,
		   struct eg_gallery **ret_gallery, struct eg_err *err)
{
	struct eg_gallery *gallery;

	assert(calibration);
	if (entries > EG_GALLERY_ENTRIES_MAX)
		return eg_err_set(err, EG_ETOOBIG,
				  "gallery: %zu travellers, at most %d are supported; split the "
				  "manifest",
				  entries, EG_GALLERY_ENTRIES_MAX);
	gallery = eg_calloc(1, sizeof(*gallery));
	if (!gallery)
		return eg_err_set(err, EG_ENOMEM, "gallery: out of memory");
	gallery->calib = calibration;
	gallery->entries = entries;
	gallery->entry = eg_calloc(entries ? entries : 1, sizeof(*gallery->entry));
	if (!gallery->entry) {
		eg_gallery_free(gallery);
		return eg_err_set(err, EG_ENOMEM, "gallery: out of memory");
	}
	for (size_t i = 0; i < entries; i++)
		gallery->entry[i].quality = -1;
	*ret_gallery = gallery;
	return 0;
}

static void free_rows(struct eg_gallery *gallery)
{
	eg_secret_free(gallery->matrix, gallery->room * EG_TEMPLATE_SIZE * sizeof(float));
	eg_secret_free(gallery->quantised, gallery->room * EG_TEMPLATE_SIZE);
	free(gallery->rows);
}

void eg_gallery_free(struct eg_gallery *gallery)
{
	if (!gallery)
		return;
	free_rows(gallery);
	free(gallery->entry);
	eg_gallery_seal_forget(gallery);
	free(gallery->dots);
	free(gallery);
}

static int grow(struct eg_gallery *gallery)
{
	size_t first = gallery->entries < 64 ? 64 : gallery->entries;
	struct eg_gallery wider = {.room = gallery->room ? 2 * gallery->room : first};
	size_t used = gallery->references * EG_TEMPLATE_SIZE;

	wider.matrix = eg_secret_alloc(wider.room * EG_TEMPLATE_SIZE * sizeof(float));
	wider.quantised = eg_secret_alloc(wider.room * EG_TEMPLATE_SIZE);
	wider.rows = eg_calloc(wider.room, sizeof(*wider.rows));
	if (!wider.matrix || !wider.quantised || !wider.rows) {
		free_rows(&wider);
		return EG_ENOMEM;
	}
	if (used > 0) {
		memcpy(wider.matrix, gallery->matrix, used * sizeof(float));
		memcpy(wider.quantised, gallery->quantised, used);
		memcpy(wider.rows, gallery->rows, gallery->references * sizeof(*wider.rows));
	}
	free_rows(gallery);
	gallery->room = wider.room;
	gallery->matrix = wider.matrix;
	gallery->quantised = wider.quantised;
	gallery->rows = wider.rows;
	return 0;
}

int eg_gallery_add(struct eg_gallery *gallery, size_t entry, const struct eg_template *reference,
		   float quality, struct eg_err *err)
{
	struct gallery_entry *person;
	size_t row = gallery->references;

	assert(!gallery->sealed);
	if (entry >= gallery->entries)
		return eg_err_set(err, EG_EINVAL, "gallery: there is no entry %zu, only %zu", entry,
				  gallery->entries);
	person = &gallery->entry[entry];
	if (isnan(quality) || eg_template_check(reference) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "gallery: entry %zu: the reference is not a finite unit vector "
				  "with a quality",
				  entry);
	if (row > 0 && memcmp(reference->model, gallery->model, sizeof(gallery->model)) != 0)
		return eg_err_set(
			err, EG_EINVAL,
			"gallery: entry %zu: the reference was made by another model than "
			"the first; make all templates anew",
			entry);
	if (person->references >= EG_GALLERY_REFERENCES_MAX)
		return eg_err_set(err, EG_EFULL, "gallery: entry %zu has %d references already",
				  entry, EG_GALLERY_REFERENCES_MAX);
	if (row == gallery->room && grow(gallery) != 0)
		return eg_err_set(err, EG_ENOMEM, "gallery: out of memory at reference %zu", row);

	memcpy(gallery->model, reference->model, sizeof(gallery->model));
	memcpy(gallery->matrix + row * EG_TEMPLATE_SIZE, reference->value,
	       sizeof(reference->value));
	gallery->rows[row].entry = (uint32_t)entry;
	eg_template_quantise(reference, gallery->quantised + row * EG_TEMPLATE_SIZE,
			     &gallery->rows[row].scale, &gallery->rows[row].error);
	gallery->scale_max = fmax(gallery->scale_max, (double)gallery->rows[row].scale);
	gallery->error_max = fmax(gallery->error_max, (double)gallery->rows[row].error);
	gallery->references++;

	if (person->references++ == 0) {
		gallery->with_reference++;
		person->quality = quality;
	} else if (quality > person->quality && person->quality >= 0) {
		person->quality = quality;
	} else if (quality < 0) {
		person->quality = -1; // one of unknown quality: not known to be poor
	}
	return 0;
}

size_t eg_gallery_references(const struct eg_gallery *gallery, size_t entry)
{
	return entry < gallery->entries ? gallery->entry[entry].references : 0;
}

void eg_gallery_facts(const struct eg_gallery *gallery, struct eg_gallery_facts *ret_facts)
{
	*ret_facts = (struct eg_gallery_facts){
		.entries = gallery->entries,
		.with_reference = gallery->with_reference,
		.references = gallery->references,
		.near_twins = gallery->near_twins,
		.threshold_raise = (float)gallery->raise,
	};
}
