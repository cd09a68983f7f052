// SPDX-License-Identifier: Apache-2.0
//
// JPEG 2000 by OpenJPEG, from memory: passports' chips and some registries hand out JP2 files.
//
// OpenJPEG makes whatever tables a header asks for: a file of 200 bytes can ask for gigabytes of
// precincts, code-blocks or layers. So a codestream (ISO/IEC 15444-1, annex A) is walked first:
//   SOC, main header segments, then per tile-part SOT, segments, SOD, data; EOC at the end.
// Only part 1's segments may occur, and coding styles (COD, COC) only in the main header, where
// OpenJPEG reports what it understood and check_coding holds it against our limits.

#include <stdlib.h>
#include <string.h>

#include <openjpeg.h>

#include "drivers/codec_internal.h"

#define TILES_MAX	1024 // 128 px tiles of a 4096 px picture
#define LAYERS_MAX	64
#define PRECINCTS_MAX	65536 // of a tile, over all components and resolutions
#define BLOCK_AREA_LOG2 8     // code-blocks of at least 16×16; encoders make 32×32 and 64×64

enum marker {
	SOC = 0xff4f,
	SIZ = 0xff51,
	COD,
	COC,
	TLM = 0xff55,
	PLM = 0xff57,
	PLT,
	QCD = 0xff5c,
	QCC,
	RGN,
	POC,
	PPM,
	PPT,
	CRG = 0xff63,
	COM,
	SOT = 0xff90,
	SOD = 0xff93,
	EOC = 0xffd9,
};

static bool allowed(unsigned int marker, bool in_tile)
{
	switch (marker) {
	case QCD:
	case QCC:
	case RGN:
	case POC:
	case COM:
		return true;
	case PLT:
	case PPT:
		return in_tile;
	case SIZ:
	case COD:
	case COC:
	case TLM:
	case PLM:
	case PPM:
	case CRG:
		return !in_tile;
	default:
		return false;
	}
}

// Steps over segments up to the marker `end`.
static int walk_header(struct eg_cur *cur, unsigned int end, bool in_tile)
{
	struct eg_bytes skipped;
	uint16_t marker, size;

	for (;;) {
		if (eg_cur_get_be16(cur, &marker) != 0)
			return EG_EINVAL;
		if (marker == end)
			return 0;
		if (!allowed(marker, in_tile))
			return EG_EUNSUPPORTED;
		if (eg_cur_get_be16(cur, &size) != 0 || size < 2 ||
		    eg_cur_get(cur, size - 2u, &skipped) != 0)
			return EG_EINVAL;
	}
}

// One tile-part, behind its SOT marker. Its length counts from that marker; 0: up to EOC.
static int walk_tile(struct eg_cur *cur)
{
	const size_t left = cur->left + 2;
	struct eg_bytes skipped;
	uint16_t size, tile, part;
	uint32_t length;
	int r;

	if (eg_cur_get_be16(cur, &size) != 0 || size != 10 || eg_cur_get_be16(cur, &tile) != 0 ||
	    eg_cur_get_be32(cur, &length) != 0 || eg_cur_get_be16(cur, &part) != 0)
		return EG_EINVAL;
	r = walk_header(cur, SOD, true);
	if (r != 0)
		return r;
	if (length == 0)
		length = (uint32_t)(left - 2);
	if (length < left - cur->left)
		return EG_EINVAL;
	return eg_cur_get(cur, length - (left - cur->left), &skipped);
}

static int walk_codestream(struct eg_bytes stream)
{
	struct eg_cur cur = eg_cur_of(stream);
	uint16_t marker;
	int r;

	if (stream.size > UINT32_MAX || eg_cur_get_be16(&cur, &marker) != 0 || marker != SOC)
		return EG_EINVAL;
	r = walk_header(&cur, SOT, false);
	while (r == 0) {
		r = walk_tile(&cur);
		if (r == 0)
			r = eg_cur_get_be16(&cur, &marker);
		if (r == 0 && marker == EOC)
			return 0;
		if (r == 0 && marker != SOT)
			r = EG_EINVAL;
	}
	return r;
}

// The boxes of a JP2 file up to its one codestream.
static int walk_boxes(struct eg_bytes file)
{
	struct eg_cur cur = eg_cur_of(file);
	struct eg_bytes content;
	uint32_t size, type;

	for (;;) {
		if (eg_cur_get_be32(&cur, &size) != 0 || eg_cur_get_be32(&cur, &type) != 0)
			return EG_EINVAL;
		if (size == 0)
			size = (uint32_t)cur.left + 8;
		if (size < 8 || eg_cur_get(&cur, size - 8, &content) != 0)
			return EG_EINVAL;
		if (type == 0x6a703263) // "jp2c"
			return walk_codestream(content);
	}
}

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
	if (j2k->color_space == OPJ_CLRSPC_SYCC || j2k->color_space == OPJ_CLRSPC_EYCC ||
	    j2k->color_space == OPJ_CLRSPC_CMYK)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "the JPEG 2000 picture is in YCC or CMYK colours; grey and RGB "
				  "are read");
	r = eg_codec_check_size(j2k->comps[0].w, j2k->comps[0].h, side_max, err);
	// It takes 12 bytes a pixel or more to decode: a quarter of what a JPEG may have.
	if (r == 0 && (uint64_t)j2k->comps[0].w * j2k->comps[0].h >
			      (uint64_t)side_max * (uint64_t)side_max / 4)
		r = eg_err_set(err, EG_ETOOBIG,
			       "the JPEG 2000 picture has %u×%u pixels, over a quarter of %d×%d",
			       j2k->comps[0].w, j2k->comps[0].h, side_max, side_max);
	for (k = 0; r == 0 && k < j2k->numcomps; k++)
		if (j2k->comps[k].w != j2k->comps[0].w || j2k->comps[k].h != j2k->comps[0].h ||
		    j2k->comps[k].prec < 1 || j2k->comps[k].prec > 16)
			r = eg_err_set(err, EG_EUNSUPPORTED,
				       "the JPEG 2000 picture is subsampled or has odd depths");
	return r;
}

static uint64_t precincts_of(const opj_codestream_info_v2_t *info, const opj_tccp_info_t *c)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < c->numresolutions; k++) {
		uint32_t down = c->numresolutions - 1 - k;

		// One more each way, for a tile that begins inside a precinct.
		sum += (((uint64_t)info->tdx >> down >> c->prcw[k]) + 2) *
		       (((uint64_t)info->tdy >> down >> c->prch[k]) + 2);
	}
	return sum;
}

static int check_coding(opj_codec_t *codec, const opj_image_t *j2k, struct eg_err *err)
{
	opj_codestream_info_v2_t *info = opj_get_cstr_info(codec);
	uint64_t precincts = 0;
	bool small = false;

	if (info == NULL || info->m_default_tile_info.tccp_info == NULL) {
		opj_destroy_cstr_info(&info);
		return eg_err_set(err, EG_ENOMEM, "picture: out of memory");
	}
	// A single tile may be declared far larger than the picture.
	info->tdx = info->tdx < j2k->x1 ? info->tdx : j2k->x1;
	info->tdy = info->tdy < j2k->y1 ? info->tdy : j2k->y1;
	for (uint32_t k = 0; k < info->nbcomps; k++) {
		const opj_tccp_info_t *c = &info->m_default_tile_info.tccp_info[k];

		precincts += precincts_of(info, c);
		small = small || c->cblkw + c->cblkh < BLOCK_AREA_LOG2;
	}
	small = small || precincts > PRECINCTS_MAX || (uint64_t)info->tw * info->th > TILES_MAX ||
		info->m_default_tile_info.numlayers > LAYERS_MAX;
	opj_destroy_cstr_info(&info);
	if (small)
		return eg_err_set(err, EG_ETOOBIG,
				  "the JPEG 2000 picture is cut into too many tiles, precincts, "
				  "layers or code-blocks");
	return 0;
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
	int walked = format == OPJ_CODEC_J2K ? walk_codestream(bytes) : walk_boxes(bytes);
	opj_codec_t *codec;
	opj_stream_t *stream;
	opj_image_t *j2k = NULL;
	opj_dparameters_t parameters;
	char first[128] = "";
	int r = 0;

	if (walked != 0)
		return eg_err_set(err, walked,
				  walked == EG_EUNSUPPORTED
					  ? "the JPEG 2000 picture has segments that are not read: "
					    "only part 1 is, with coding styles in the main header"
					  : "the JPEG 2000 picture is damaged: its segments do not "
					    "add up");
	codec = opj_create_decompress(format);
	stream = opj_stream_create(65536, OPJ_TRUE);
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
	if (r == 0)
		r = check_coding(codec, j2k, err);
	if (r == 0 && (!opj_decode(codec, stream, j2k) || !opj_end_decompress(codec, stream)))
		r = eg_err_set(err, EG_EINVAL, "the JPEG 2000 picture is damaged: %s", first);
	if (r == 0)
		r = check(j2k, side_max, err); // a palette may have changed the components
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
