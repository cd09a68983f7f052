// SPDX-License-Identifier: Apache-2.0
//
// security_template PACK JPEG...: the template that boothd makes of each photo of a manifest, 512
// floats as they lie in memory, on standard output. For the search of stolen-disk. A photo without
// exactly one face gives none.

#include <stdio.h>

#include "drivers/codec.h"
#include "firmware/base/file.h"
#include "match/template.h"

static int print_template(struct eg_capture *stills, struct eg_extractor *extractor,
			  const char *path, struct eg_err *err)
{
	struct eg_image image = {0};
	struct eg_template t;
	struct eg_face faces[4];
	struct eg_buf jpeg;
	size_t count = 0;
	int r;

	eg_buf_init(&jpeg, 4 << 20);
	r = eg_file_read(path, &jpeg, err);
	if (r == 0)
		r = eg_codec_decode(eg_buf_bytes(&jpeg), EG_CODEC_LIMITS_BOOTH, &image, err);
	if (r == 0)
		r = eg_capture_still(stills, &image, faces, 4, &count, err);
	if (r == 0 && count == 1)
		r = eg_extractor_run_careful(extractor, &image, &faces[0], &t, err);
	if (r == 0 && count == 1 && fwrite(t.value, sizeof(t.value), 1, stdout) != 1)
		r = eg_err_set(err, EG_EIO, "standard output");
	eg_image_done(&image);
	eg_buf_done(&jpeg);
	return r;
}

int main(int argc, char **argv)
{
	const unsigned int roles =
		1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK | 1u << EG_MODEL_FEATURE;
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_extractor *extractor = NULL;
	struct eg_capture *stills = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_pack *pack = NULL;
	int r;

	if (argc < 3)
		return 2;
	config.liveness = false;
	r = eg_crypto_init(&err);
	if (r == 0)
		r = eg_pack_open(argv[1], roles, 1, &pack, &err);
	if (r == 0)
		r = eg_capture_new(&config, pack, &stills, &err);
	if (r == 0)
		r = eg_extractor_new(pack, &extractor, &err);
	for (int i = 2; r == 0 && i < argc; i++)
		r = print_template(stills, extractor, argv[i], &err);
	if (r != 0)
		(void)fprintf(stderr, "%s\n", err.text);
	eg_extractor_free(extractor);
	eg_capture_free(stills);
	eg_pack_free(pack);
	return r != 0;
}
