// SPDX-License-Identifier: Apache-2.0
//
// JPEG 2000 by OpenJPEG, from memory: passports' chips and some registries hand out JP2 files.

#include <stdlib.h>
#include <string.h>

#include <openjpeg.h>

#include "drivers/codec_internal.h"

struct source {
	struct eg_bytes bytes;
	size_t at;
};

static OPJ_SIZE_T on_read(void *to, OPJ_SIZE_T size, void *user)
{
	struct source *s = user;
	size_t left = s->bytes.size - s->at;

	if (left == 0)
		return (OPJ_SIZE_T)-1;
	size = size < left ? size : left;
	memcpy(to, s->bytes.data + s->at, size);
	s->at += size;
	return size;
}

static OPJ_OFF_T on_skip(OPJ_OFF_T size, void *user)
{
	struct source *s = user;
	size_t left = s->bytes.size - s->at;

	if (size < 0 || left == 0)
		return -1;
	if ((uint64_t)size > left)
		size = (OPJ_OFF_T)left;
	s->at += (size_t)size;
	return size;
}

static OPJ_BOOL on_seek(OPJ_OFF_T to, void *user)
{
	struct source *s = user;

	if (to < 0 || (uint64_t)to > s->bytes.size)
		return OPJ_FALSE;
	s->at = (size_t)to;
	return OPJ_TRUE;
}

// Keeps the first thing that OpenJPEG complains about; warnings are damage, as for JPEG.
static void on_message(const char *text, void *user)
{
	char *first = user;

	if (first[0] == '\0')
		(void)strncat(first, text, strcspn(text, "\n") < 100 ? strcspn(text, "\n") : 100);
}

static uint8_t sample_of(const opj_image_comp_t *c, size_t at)
{
	int value = c->data[at] + (c->sgnd ? 1 << (c->prec - 1) : 0);

	if (c->prec > 8)
		value >>= c->prec - 8;
	else if (c->prec < 8)
		value = value * 255 / ((1 << c->prec) - 1);
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static int check(const opj_image_t *j2k, int side_max, struct eg_err *err)
{
	uint32_t k;
	int r;

	if (j2k->numcomps != 1 && j2k->numcomps != 3)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "the JPEG 2000 picture has %u components; 1 or 3 are read",
				  j2k->numcomps);
	r = eg_codec_check_size(j2k->comps[0].w, j2k->comps[0].h, side_max, err);
	for (k = 0; r == 0 && k < j2k->numcomps; k++)
		if (j2k->comps[k].w != j2k->comps[0].w || j2k->comps[k].h != j2k->comps[0].h ||
		    j2k->comps[k].prec < 1 || j2k->comps[k].prec > 16)
			r = eg_err_set(err, EG_EUNSUPPORTED,
				       "the JPEG 2000 picture is subsampled or has odd depths");
	return r;
}

static int copy(const opj_image_t *j2k, struct eg_image *image, struct eg_err *err)
{
	// OpenJPEG gives R, G, B.
	const int order[] = {2, 1, 0};
	int x, y, k, r;

	r = eg_image_resize(image, (int)j2k->comps[0].w, (int)j2k->comps[0].h, 3);
	if (r != 0)
		return eg_err_set(err, r, "picture: out of memory");
	for (k = 0; k < 3; k++) {
		const opj_image_comp_t *c = &j2k->comps[j2k->numcomps == 1 ? 0 : order[k]];

		if (c->data == NULL)
			return eg_err_set(err, EG_EINVAL, "the JPEG 2000 picture is damaged");
		for (y = 0; y < image->height; y++)
			for (x = 0; x < image->width; x++)
				image->data[(ptrdiff_t)y * image->stride + 3 * x + k] =
					sample_of(c, (size_t)y * c->w + (size_t)x);
	}
	return 0;
}

int eg_codec_decode_j2k(struct eg_bytes bytes, int side_max, struct eg_image *image,
			struct eg_err *err)
{
	OPJ_CODEC_FORMAT format = bytes.data[0] == 0xff ? OPJ_CODEC_J2K : OPJ_CODEC_JP2;
	struct source source = {.bytes = bytes};
	opj_codec_t *codec = opj_create_decompress(format);
	opj_stream_t *stream = opj_stream_create(65536, OPJ_TRUE);
	opj_image_t *j2k = NULL;
	opj_dparameters_t parameters;
	char first[128] = "";
	int r = 0;

	if (codec == NULL || stream == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "picture: out of memory");
		goto out;
	}
	(void)opj_set_error_handler(codec, on_message, first);
	(void)opj_set_warning_handler(codec, on_message, first);
	opj_stream_set_read_function(stream, on_read);
	opj_stream_set_skip_function(stream, on_skip);
	opj_stream_set_seek_function(stream, on_seek);
	opj_stream_set_user_data(stream, &source, NULL);
	opj_stream_set_user_data_length(stream, bytes.size);
	opj_set_default_decoder_parameters(&parameters);
	if (!opj_setup_decoder(codec, &parameters) ||
	    !opj_decoder_set_strict_mode(codec, OPJ_TRUE) ||
	    !opj_read_header(stream, codec, &j2k)) {
		r = eg_err_set(err, EG_EINVAL, "the JPEG 2000 picture is damaged: %s", first);
		goto out;
	}
	r = check(j2k, side_max, err);
	if (r == 0 && (!opj_decode(codec, stream, j2k) || !opj_end_decompress(codec, stream)))
		r = eg_err_set(err, EG_EINVAL, "the JPEG 2000 picture is damaged: %s", first);
	if (r == 0)
		r = copy(j2k, image, err);
out:
	opj_image_destroy(j2k);
	if (codec != NULL)
		opj_destroy_codec(codec);
	if (stream != NULL)
		opj_stream_destroy(stream);
	return r;
}
