// SPDX-License-Identifier: Apache-2.0
//
// Opens a model pack: pack.json, then each wanted file once; its digest is taken over the very
// bytes that become the network.
//
// Thread: open and free on one thread.

#include "capture/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "capture/net_ort.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define MODEL_BYTES_MAX (256u << 20)

struct eg_pack {
	struct eg_pack_spec spec;
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_net *net[EG_MODEL_COUNT];
};

static int path_of(const char *folder, const char *name, struct eg_buf *path, struct eg_err *err)
{
	int r;

	eg_buf_init(path, 4096);
	r = eg_buf_printf(path, "%s/%s", folder, name);
	if (r != 0)
		return eg_err_set(err, r, "%s: the path is over-long, or memory is out", folder);
	if (!eg_buf_text(path))
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	return 0;
}

static int read_spec(struct eg_pack *pack, const char *folder, struct eg_err *err)
{
	struct eg_buf path, json;
	int r;

	eg_buf_init(&json, EG_PACK_JSON_MAX);
	r = path_of(folder, "pack.json", &path, err);
	if (r != 0)
		goto out;
	r = eg_file_read(eg_buf_text(&path), &json, err);
	if (r != 0)
		goto out;
	r = eg_sha256(eg_buf_bytes(&json), pack->digest);
	if (r != 0) {
		(void)eg_err_set(err, r, "%s: no digest could be taken", eg_buf_text(&path));
		goto out;
	}
	r = eg_pack_spec_parse(eg_buf_bytes(&json), &pack->spec, err);
	if (r != 0)
		r = eg_err_prefix(err, r, "%s", eg_buf_text(&path));
out:
	eg_buf_done(&json);
	eg_buf_done(&path);
	return r;
}

static int check_digest(const char *path, struct eg_bytes bytes, const uint8_t *want,
			struct eg_err *err)
{
	char want_text[2 * EG_SHA256_SIZE + 1], found_text[2 * EG_SHA256_SIZE + 1];
	uint8_t found[EG_SHA256_SIZE];
	int r = eg_sha256(bytes, found);

	if (r != 0)
		return eg_err_set(err, r, "%s: no digest could be taken", path);
	if (memcmp(found, want, EG_SHA256_SIZE) == 0)
		return 0;
	eg_hex(want, 8, want_text);
	eg_hex(found, 8, found_text);
	return eg_err_set(err, EG_EAUTH,
			  "%s: SHA-256 is %s… but pack.json says %s…: the file was changed or is "
			  "damaged; install the model pack again",
			  path, found_text, want_text);
}

static int load(struct eg_pack *pack, const char *folder, enum eg_model_role role, int threads,
		struct eg_err *err)
{
	const struct eg_model_spec *spec = &pack->spec.model[role];
	struct eg_buf path, onnx;
	int r;

	if (!spec->present)
		return eg_err_set(err, EG_ENOENT,
				  "%s/pack.json: has no model for '%s'; use a pack that has one",
				  folder, eg_model_role_name(role));
	eg_buf_init(&onnx, MODEL_BYTES_MAX);
	r = path_of(folder, spec->file, &path, err);
	if (r == 0)
		r = eg_file_read(eg_buf_text(&path), &onnx, err);
	if (r == 0)
		r = check_digest(eg_buf_text(&path), eg_buf_bytes(&onnx), spec->sha256, err);
	if (r == 0) {
		r = eg_net_new(eg_buf_bytes(&onnx), role, spec, threads, &pack->net[role], err);
		if (r != 0)
			r = eg_err_prefix(err, r, "%s", eg_buf_text(&path));
	}
	eg_buf_done(&onnx);
	eg_buf_done(&path);
	return r;
}

int eg_pack_open(const char *folder, unsigned int roles, int threads, struct eg_pack **ret_pack,
		 struct eg_err *err)
{
	struct eg_pack *pack = eg_calloc(1, sizeof(*pack));
	int r;

	assert(roles < 1u << EG_MODEL_COUNT);
	if (!pack)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	r = read_spec(pack, folder, err);
	for (unsigned int role = 0; r == 0 && role < EG_MODEL_COUNT; role++)
		if (roles & 1u << role)
			r = load(pack, folder, (enum eg_model_role)role, threads, err);
	if (r != 0) {
		eg_pack_free(pack);
		return r;
	}
	*ret_pack = pack;
	return 0;
}

void eg_pack_free(struct eg_pack *pack)
{
	if (!pack)
		return;
	for (size_t i = 0; i < EG_MODEL_COUNT; i++)
		eg_net_free(pack->net[i]);
	free(pack);
}

const uint8_t *eg_pack_digest(const struct eg_pack *pack)
{
	return pack->digest;
}

const char *eg_pack_name(const struct eg_pack *pack)
{
	return pack->spec.name;
}

const uint8_t *eg_pack_model_digest(const struct eg_pack *pack, enum eg_model_role role)
{
	assert((unsigned int)role < EG_MODEL_COUNT);
	return pack->spec.model[role].present ? pack->spec.model[role].sha256 : NULL;
}

const struct eg_pack_point *eg_pack_calibration(const struct eg_pack *pack, size_t *ret_count)
{
	*ret_count = pack->spec.point_count;
	return pack->spec.point;
}

double eg_pack_calibration_floor(const struct eg_pack *pack)
{
	return pack->spec.floor_fmr;
}

struct eg_pack_length eg_pack_calibration_length(const struct eg_pack *pack)
{
	return pack->spec.length;
}

struct eg_net *eg_pack_net(struct eg_pack *pack, enum eg_model_role role)
{
	assert((unsigned int)role < EG_MODEL_COUNT);
	return pack->net[role];
}
