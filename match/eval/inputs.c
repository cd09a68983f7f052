// SPDX-License-Identifier: Apache-2.0
//
// eg-inputs: the aligned faces of pictures, as the recogniser is shown them: what its int8 version
// is calibrated on (match/eval/quantise).
//
// usage: eg-inputs PACK OUT PICTURE...
//
// OUT gets 112 × 112 × 3 bytes (BGR) for the largest face of each picture; a picture without one is
// named on stderr and left out. These are faces: OUT is not to be kept or shared.

#include <stdio.h>

#include "capture/capture.h"
#include "drivers/codec.h"
#include "firmware/base/file.h"
#include "firmware/base/log.h"

struct maker {
	struct eg_capture *capture;
	struct eg_image picture, aligned;
	FILE *out;
};

static int add(struct maker *m, const char *path, struct eg_err *err)
{
	struct eg_face face;
	size_t count = 0;
	int r = eg_codec_load(path, EG_CODEC_LIMITS_DESK, &m->picture, err);

	if (r == 0)
		r = eg_capture_still(m->capture, &m->picture, &face, 1, &count, err);
	if (r != 0)
		return r;
	if (count == 0 || eg_align(&m->picture, &face, &m->aligned) != 0) {
		(void)fprintf(stderr, "eg-inputs: %s: no face\n", path);
		return 0;
	}
	for (int y = 0; y < EG_ALIGNED_SIDE; y++)
		if (fwrite(m->aligned.data + (ptrdiff_t)y * m->aligned.stride, 3, EG_ALIGNED_SIDE,
			   m->out) != EG_ALIGNED_SIDE)
			return eg_err_set(err, EG_EIO, "the faces could not be written");
	return 0;
}

int main(int argc, char **argv)
{
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;
	struct maker m = {0};
	int r;

	eg_log_init("eg-inputs", EG_LOG_WARNING);
	if (argc < 4) {
		(void)fputs("usage: eg-inputs PACK OUT PICTURE...\n", stderr);
		return 2;
	}
	config.liveness = false;
	m.out = fopen(argv[2], "wb");
	r = m.out ? eg_crypto_init(&err) : eg_err_set(&err, EG_EIO, "%s: cannot be made", argv[2]);
	if (r == 0)
		r = eg_pack_open(argv[1], 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 1, &pack,
				 &err);
	if (r == 0)
		r = eg_capture_new(&config, pack, &m.capture, &err);
	if (r == 0)
		r = eg_image_init(&m.aligned, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
	for (int i = 3; r == 0 && i < argc; i++)
		r = add(&m, argv[i], &err);
	if (m.out && fclose(m.out) != 0 && r == 0)
		r = eg_err_set(&err, EG_EIO, "%s: not written whole", argv[2]);
	if (r != 0)
		(void)fprintf(stderr, "eg-inputs: %s\n", err.text);
	eg_image_done(&m.picture);
	eg_image_done(&m.aligned);
	eg_capture_free(m.capture);
	eg_pack_free(pack);
	return r == 0 ? 0 : 1;
}
