// SPDX-License-Identifier: Apache-2.0
//
// Names and sentences of verdicts and causes: one table each. The names are in records, on the wire
// and on screens; they never change.

#include "match/verdict.h"

#include <stddef.h>

static const char *const verdict_names[] = {
	[EG_VERDICT_NONE] = "none",
	[EG_VERDICT_REFER] = "refer",
	[EG_VERDICT_CONFIRMED] = "confirmed",
};

static const struct {
	const char *name;
	const char *sentence; // what it means; what to do
} causes[EG_CAUSE_COUNT] = {
	[EG_CAUSE_NONE] = {"none", "Nothing is in the way. Let the traveller pass."},
	[EG_CAUSE_NO_FACE] = {"no_face", "The camera saw no face. Ask the traveller to face the "
					 "camera, or check the document by hand."},
	[EG_CAUSE_POOR_CAPTURE] = {"poor_capture",
				   "The pictures were too dark, blurred, small or turned away to "
				   "compare. Ask the traveller to stop and look at the camera, or "
				   "check the document by hand."},
	[EG_CAUSE_LIVENESS_DOUBT] = {"liveness_doubt",
				     "What the camera saw may be a photo, a screen or a mask. Look "
				     "at the traveller in person and check the document by hand."},
	[EG_CAUSE_NO_REFERENCE] = {"no_reference",
				   "There is no usable photo of this traveller on the manifest. "
				   "Compare the traveller with the document by hand."},
	[EG_CAUSE_POOR_REFERENCE] =
		{"poor_reference", "The photo on the manifest is too poor to compare with. Compare "
				   "the traveller with the document by hand."},
	[EG_CAUSE_BELOW_THRESHOLD] = {"below_threshold",
				      "The face resembles the manifest's photo, but not enough to "
				      "confirm. Compare the traveller with the document by hand."},
	[EG_CAUSE_AMBIGUOUS] = {"ambiguous",
				"The face resembles more than one traveller on the manifest. Read "
				"the document to tell who it is."},
	[EG_CAUSE_NOT_ON_MANIFEST] = {"not_on_manifest",
				      "The face resembles nobody whose photo is on this manifest. "
				      "Read the document and check that this is the right gate."},
	[EG_CAUSE_SEVERAL_PEOPLE] = {"several_people",
				     "Several people stood before the camera at once. Ask them to "
				     "come one at a time."},
	[EG_CAUSE_MANIFEST_STALE] = {"manifest_stale",
				     "The manifest on this booth has expired or is not valid yet. "
				     "Check documents by hand until a new one has arrived."},
	[EG_CAUSE_OPTED_OUT] = {"opted_out", "The traveller asked for no camera and none was used. "
					     "Check the document by hand."},
	[EG_CAUSE_DOCUMENT_UNREADABLE] =
		{"document_unreadable", "The document or boarding pass could not be read. Try once "
					"more, or type its number in."},
	[EG_CAUSE_SYSTEM_FAULT] =
		{"system_fault", "The booth could not compare, and that says nothing about the "
				 "traveller. Check the document by hand and call the technician."},
};

static const char *const mode_names[] = {
	[EG_MODE_IDENTIFY] = "identify",
	[EG_MODE_VERIFY] = "verify",
};

static const char *name_in(const char *const *names, size_t count, int value)
{
	if (value < 0 || (size_t)value >= count || !names[value])
		return "unknown";
	return names[value];
}

const char *eg_verdict_name(enum eg_verdict_kind kind)
{
	return name_in(verdict_names, sizeof(verdict_names) / sizeof(verdict_names[0]), (int)kind);
}

const char *eg_cause_name(enum eg_cause cause)
{
	return (unsigned int)cause < EG_CAUSE_COUNT ? causes[cause].name : "unknown";
}

const char *eg_cause_sentence(enum eg_cause cause)
{
	if ((unsigned int)cause >= EG_CAUSE_COUNT)
		cause = EG_CAUSE_SYSTEM_FAULT; // a number from a newer version: a person decides
	return causes[cause].sentence;
}

const char *eg_mode_name(enum eg_mode mode)
{
	return name_in(mode_names, sizeof(mode_names) / sizeof(mode_names[0]), (int)mode);
}
