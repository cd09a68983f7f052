// SPDX-License-Identifier: Apache-2.0
//
// The coarse groups that accuracy is counted by: age band (match/band.h), sex marker, issuing
// region. Each is an axis of its own; nobody is ever counted in two at once. 0 is "unknown" on
// every axis: what a manifest does not say is not guessed.
//
// Thread: any.

#ifndef EG_GROUP_H
#define EG_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "match/band.h"

// As in the MRZ (ICAO 9303-3): F, M, X. Numbers are in manifests: never renumber, only append.
enum eg_sex {
	EG_SEX_UNKNOWN = 0,
	EG_SEX_FEMALE = 1,
	EG_SEX_MALE = 2,
	EG_SEX_UNSPECIFIED = 3,
	EG_SEX_COUNT,
};

// Of the state that issued the document: the regional groups of the United Nations' Sustainable
// Development Goals, Oceania as one. Numbers are in manifests: never renumber, only append.
enum eg_region {
	EG_REGION_UNKNOWN = 0,
	EG_REGION_SUB_SAHARAN_AFRICA = 1,
	EG_REGION_NORTH_AFRICA_WEST_ASIA = 2,
	EG_REGION_CENTRAL_SOUTH_ASIA = 3,
	EG_REGION_EAST_SOUTH_EAST_ASIA = 4,
	EG_REGION_LATIN_AMERICA = 5,
	EG_REGION_OCEANIA = 6,
	EG_REGION_EUROPE_NORTH_AMERICA = 7,
	EG_REGION_COUNT,
};

enum eg_axis {
	EG_AXIS_AGE,
	EG_AXIS_SEX,
	EG_AXIS_REGION,
	EG_AXES,
};

#define EG_GROUPS_MAX 8 // on any axis

// One traveller's place on each axis.
struct eg_group {
	uint8_t of[EG_AXES];
};

const char *eg_axis_name(enum eg_axis axis);		    // "age", "sex", "region"
size_t eg_axis_groups(enum eg_axis axis);		    // how many, "unknown" included
const char *eg_group_name(enum eg_axis axis, size_t group); // "18-34", "female", "oceania", …
// The group of that name, or of a sex marker's letter; −1 when there is none.
int eg_group_find(enum eg_axis axis, const char *name);

#endif
