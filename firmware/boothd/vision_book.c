// SPDX-License-Identifier: Apache-2.0
//
// vision.h's manifests: the book in use, and the one in the making.

#include "firmware/boothd/vision_internal.h"

#include <inttypes.h>
#include <string.h>

static void tools_of(const struct eg_vision *v, struct eg_book_tools *tools)
{
	*tools = (struct eg_book_tools){
		.stills = v->stills, .extractor = v->extractor, .calibration = v->calib};
}

int eg_vision_load(struct eg_vision *vision, struct eg_bytes wire, struct eg_err *err)
{
	const struct eg_statement *now, *next;
	struct eg_vision *v = vision;
	struct eg_book_tools tools;
	int r;

	eg_book_abandon(v->maker);
	v->maker = NULL;
	if (wire.size == 0) {
		eg_book_unref(v->book);
		v->book = NULL;
		return 0;
	}
	tools_of(v, &tools);
	r = eg_book_begin(wire, v->config.booth, v->config.keys, v->config.key_count,
			  v->config.seal_key, &tools, &v->maker, err);
	if (r != 0 || v->book == NULL)
		return r;
	// syncd keeps the floors; whoever writes into its database must not turn a manifest back.
	now = &v->book->statement;
	next = &eg_book_draft(v->maker)->statement;
	if (strcmp(now->id, next->id) == 0 && next->version < now->version) {
		r = eg_err_set(err, EG_ESTALE,
			       "manifest %s: version %" PRIu64 " is older than %" PRIu64
			       ", which is in use; it is refused",
			       next->id, next->version, now->version);
		eg_book_abandon(v->maker);
		v->maker = NULL;
	}
	return r;
}

bool eg_vision_loading(const struct eg_vision *vision)
{
	return vision->maker != NULL;
}

int eg_vision_load_step(struct eg_vision *vision, struct eg_err *err)
{
	struct eg_vision *v = vision;
	int r;

	if (v->maker == NULL)
		return 0;
	r = eg_book_step(v->maker, err);
	if (r < 0) { // the old book stays
		eg_book_abandon(v->maker);
		v->maker = NULL;
	} else if (r == 1) {
		eg_book_unref(v->book);
		v->book = eg_book_finish(v->maker);
		v->maker = NULL;
	}
	return r;
}

void eg_vision_manifest(const struct eg_vision *vision, struct eg_worker_manifest *ret_manifest)
{
	const struct eg_vision *v = vision;
	struct eg_worker_manifest m = {0};
	struct eg_gallery_facts facts;

	if (v->book != NULL) {
		const struct eg_statement *st = &v->book->statement;

		eg_gallery_facts(v->book->gallery, &facts);
		memcpy(m.id, st->id, sizeof(m.id));
		memcpy(m.flight, st->flight, sizeof(m.flight));
		memcpy(m.port, v->book->header.port, sizeof(m.port));
		m.departs_ms = v->book->header.departs_ms;
		m.version = st->version;
		m.expires_ms = st->expires_ms;
		m.entries = facts.entries;
		m.with_reference = facts.with_reference;
		m.references = facts.references;
		m.near_twins = facts.near_twins;
		m.threshold_raise = facts.threshold_raise;
		m.impostors = v->book->impostors;
		if (facts.references > 0)
			m.threshold =
				(float)eg_calib_threshold(
					v->calib, v->config.fpir / (double)facts.references, NULL) +
				facts.threshold_raise;
	}
	if (v->maker != NULL) {
		m.loading = eg_book_draft(v->maker)->loaded;
		m.loading_total = eg_book_draft(v->maker)->count;
	}
	*ret_manifest = m;
}

struct eg_people *eg_vision_people(const struct eg_vision *vision)
{
	return vision->book == NULL ? NULL : vision->book->people;
}
