// SPDX-License-Identifier: Apache-2.0
//
// A model pack: a folder with pack.json and the ONNX files it names. pack.json says for each model
// its role, file, SHA-256, licence, input size, channel order, scaling and output meaning, and for
// the recogniser its calibration table. Swapping the pack swaps the models without code.
//
// Opening reads every file once, checks its digest over those same bytes, and hands those bytes to
// ONNX Runtime: nothing is re-opened by path. A wrong digest is EG_EAUTH and names the file.
//
// Thread: open and free on one thread; a net is used by one thread at a time.

#ifndef EG_PACK_H
#define EG_PACK_H

#include "firmware/base/crypto.h"

enum eg_model_role {
	EG_MODEL_DETECT,
	EG_MODEL_LANDMARK,
	EG_MODEL_FEATURE,
	EG_MODEL_LIVENESS,
	EG_MODEL_POSE,
	EG_MODEL_EYE,
	EG_MODEL_COUNT,
};

struct eg_pack;

// Roles that `roles` has as bits (1u << EG_MODEL_…) are loaded; all of them must be in the pack.
int eg_pack_open(const char *folder, unsigned int roles, int threads, struct eg_pack **ret_pack,
		 struct eg_err *err) EG_CHECKED;
void eg_pack_free(struct eg_pack *pack); // takes NULL

// SHA-256 over pack.json: names the pack in records and templates. 32 bytes, lent.
const uint8_t *eg_pack_digest(const struct eg_pack *pack);
const char *eg_pack_name(const struct eg_pack *pack);
// Digest of one model's file, NULL when the pack has none for the role.
const uint8_t *eg_pack_model_digest(const struct eg_pack *pack, enum eg_model_role role);
// The recogniser's calibration points: `count` pairs {score, fmr}, falling fmr. Lent; count 0 when
// the pack has none yet.
struct eg_pack_point {
	double score, fmr;
};
const struct eg_pack_point *eg_pack_calibration(const struct eg_pack *pack, size_t *ret_count);
double eg_pack_calibration_floor(const struct eg_pack *pack); // below this FMR the table is a guess

// How the length of the recogniser's answer counts, as it did when the points were measured: its
// template gets the length (weak / l)^power, where l is the answer's, held between weak and strong.
// So a weak face, whose genuine scores are low and whose impostor scores are not high, is held to
// less. Power 0, which is also that of a pack that says nothing: every template has length 1.
struct eg_pack_length {
	double weak, strong, power;
};
struct eg_pack_length eg_pack_calibration_length(const struct eg_pack *pack);

// One loaded network. Input and output memory is made at open; `input` is to be filled (float,
// NCHW, the model's own scaling already applied by eg_net_feed), run, then `output` read.
struct eg_net;
struct eg_net *eg_pack_net(struct eg_pack *pack, enum eg_model_role role); // lent; NULL: not loaded

// Model's input as the pack states it.
struct eg_net_input {
	int width, height, channels;
};
struct eg_net_input eg_net_input(const struct eg_net *net);

struct eg_image;
// Converts an image of exactly the input's size into the input tensor: channel order, mean, scale.
int eg_net_feed(struct eg_net *net, const struct eg_image *image, struct eg_err *err) EG_CHECKED;
int eg_net_run(struct eg_net *net, struct eg_err *err) EG_CHECKED;
const float *eg_net_output(const struct eg_net *net, size_t index, size_t *ret_count); // lent

#endif
