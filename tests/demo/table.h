// SPDX-License-Identifier: Apache-2.0
//
// The demo's two tables (cast.tsv, scenes.tsv): tab-separated, '#' begins a comment line. Columns
// are named in the files' first comment.

#ifndef EG_DEMO_TABLE_H
#define EG_DEMO_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "firmware/base/err.h"

#define EG_CAST_MAX	32
#define EG_SCENES_MAX	32
#define EG_SCENE_PEOPLE 2

struct eg_place {
	int sample; // 1 … 6
	float x, y; // centre of the face, parts of the picture's width and height
};

struct eg_cast {
	char id[16], surname[32], given[32], birth[16], citizenship[16], document[16], pnr[8],
		sequence[8];
	struct eg_place place;
};

struct eg_scene {
	char name[32];
	bool degraded;
	size_t people;
	struct eg_place place[EG_SCENE_PEOPLE];
};

struct eg_table {
	struct eg_cast cast[EG_CAST_MAX];
	size_t cast_count;
	struct eg_scene scene[EG_SCENES_MAX];
	size_t scene_count;
};

int eg_table_load(const char *cast_path, const char *scenes_path, struct eg_table *ret_table,
		  struct eg_err *err) EG_CHECKED;

#endif
