// SPDX-License-Identifier: Apache-2.0
//
// What a pack.json says, as a plain struct; knows nothing of files or networks. Inside capture/
// only.
//
// Form of a pack.json (all keys wanted, none other taken, but for `calibration`, its `length`, and
// roles, which may be missing):
//
//	{"format": 1, "name": "", "version": "", "licence": "", "source": "",
//	 "models": {ROLE: {"file": "", "sha256": "", "licence": "",
//	                   "input": {"width": 1, "height": 1, "channels": 3, "order": "rgb",
//	                             "mean": [0, 0, 0], "scale": [1, 1, 1]},
//	                   "outputs": [{"name": "", "meaning": ""}, ...]}, ...},
//	 "calibration": {"model_sha256": "", "floor_fmr": 1e-5,
//	                 "length": {"weak": 1, "strong": 2, "power": 0.5},
//	                 "points": [{"score": 0.1, "fmr": 0.1}, ...]}}
//
// ROLE is detect, landmark, feature, liveness, pose or eye. A pixel p enters the network as
// (p - mean) * scale, in planes in the given order. Which meanings a role's outputs must have, and
// in which order they stand, is said by eg_role_outputs.
//
// Thread: any.

#ifndef EG_PACK_SPEC_H
#define EG_PACK_SPEC_H

#include "capture/pack.h"

#define EG_PACK_JSON_MAX	(256u << 10) // bytes
#define EG_PACK_OUTPUTS_MAX	3
#define EG_PACK_POINTS_MAX	512
#define EG_PACK_INPUT_SIDE_MAX	1024
#define EG_PACK_TEXT_MAX	128
#define EG_PACK_OUTPUT_NAME_MAX 64

enum eg_channel_order {
	EG_ORDER_GREY,
	EG_ORDER_BGR,
	EG_ORDER_RGB
};

enum eg_output_meaning {
	EG_OUTPUT_FACE_SCORES, // N × (background, face)
	EG_OUTPUT_FACE_BOXES,  // N × (left, top, right, bottom), 0 … 1 of the input
	EG_OUTPUT_POINTS_68,   // 68 × (x, y), 0 … 1 of the input
	EG_OUTPUT_TEMPLATE,
	EG_OUTPUT_LIVE_LOGITS, // class 0 is live
	EG_OUTPUT_YAW_BINS,    // 66 logits of 3 degrees from −99
	EG_OUTPUT_PITCH_BINS,
	EG_OUTPUT_ROLL_BINS,
	EG_OUTPUT_OPEN_LOGITS, // (open, closed)
	EG_OUTPUT_COUNT,
};

struct eg_model_spec {
	bool present;
	char file[EG_PACK_TEXT_MAX]; // a plain name inside the pack's folder
	uint8_t sha256[EG_SHA256_SIZE];
	char licence[EG_PACK_TEXT_MAX];
	struct eg_net_input input;
	enum eg_channel_order order;
	float mean[3], scale[3];
	size_t output_count;
	char output_name[EG_PACK_OUTPUTS_MAX][EG_PACK_OUTPUT_NAME_MAX];
};

struct eg_pack_spec {
	char name[EG_PACK_TEXT_MAX];
	char version[EG_PACK_TEXT_MAX];
	char licence[EG_PACK_TEXT_MAX];
	char source[EG_PACK_TEXT_MAX];
	struct eg_model_spec model[EG_MODEL_COUNT];
	double floor_fmr;
	struct eg_pack_length length;
	size_t point_count; // 0: no calibration
	struct eg_pack_point point[EG_PACK_POINTS_MAX];
};

// Parses untrusted text. EG_EINVAL names the field; EG_EUNSUPPORTED: another format number.
// *ret_spec is large (tens of kB): keep it on the heap.
int eg_pack_spec_parse(struct eg_bytes json, struct eg_pack_spec *ret_spec,
		       struct eg_err *err) EG_CHECKED;

const char *eg_model_role_name(enum eg_model_role role); // "detect", ...

// What a role's outputs mean, in the order in which they stand; *ret_count of them.
const enum eg_output_meaning *eg_role_outputs(enum eg_model_role role, size_t *ret_count);

// How many floats an output of this meaning has, 0: the model says.
size_t eg_output_size(enum eg_output_meaning meaning);

#endif
