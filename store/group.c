// SPDX-License-Identifier: Apache-2.0
//
// Names of groups: one table. The names are on the wire and in tables for people; they never
// change.

#include "store/group.h"

#include <strings.h>

static const char *const sexes[EG_SEX_COUNT] = {"unknown", "female", "male", "unspecified"};

static const char *const regions[EG_REGION_COUNT] = {
	[EG_REGION_UNKNOWN] = "unknown",
	[EG_REGION_SUB_SAHARAN_AFRICA] = "sub-saharan-africa",
	[EG_REGION_NORTH_AFRICA_WEST_ASIA] = "north-africa-west-asia",
	[EG_REGION_CENTRAL_SOUTH_ASIA] = "central-south-asia",
	[EG_REGION_EAST_SOUTH_EAST_ASIA] = "east-south-east-asia",
	[EG_REGION_LATIN_AMERICA] = "latin-america",
	[EG_REGION_OCEANIA] = "oceania",
	[EG_REGION_EUROPE_NORTH_AMERICA] = "europe-north-america",
};

static const struct {
	const char *name;
	size_t count;
} axes[EG_AXES] = {
	[EG_AXIS_AGE] = {"age", EG_AGE_BANDS},
	[EG_AXIS_SEX] = {"sex", EG_SEX_COUNT},
	[EG_AXIS_REGION] = {"region", EG_REGION_COUNT},
};

_Static_assert(EG_AGE_BANDS <= EG_GROUPS_MAX && EG_REGION_COUNT <= EG_GROUPS_MAX, "room");

const char *eg_axis_name(enum eg_axis axis)
{
	return axes[axis].name;
}

size_t eg_axis_groups(enum eg_axis axis)
{
	return axes[axis].count;
}

const char *eg_group_name(enum eg_axis axis, size_t group)
{
	if (group >= axes[axis].count)
		group = 0;
	return axis == EG_AXIS_AGE   ? eg_age_band_name((enum eg_age_band)group)
	       : axis == EG_AXIS_SEX ? sexes[group]
				     : regions[group];
}

int eg_group_find(enum eg_axis axis, const char *name)
{
	static const char letters[EG_SEX_COUNT] = {'\0', 'f', 'm', 'x'};

	for (size_t i = 0; i < axes[axis].count; i++)
		if (strcasecmp(eg_group_name(axis, i), name) == 0)
			return (int)i;
	for (size_t i = 1; axis == EG_AXIS_SEX && i < EG_SEX_COUNT; i++)
		if ((name[0] | 0x20) == letters[i] && name[1] == '\0')
			return (int)i;
	return -1;
}
