// SPDX-License-Identifier: Apache-2.0
//
// JPEG by libjpeg-turbo, JPEG 2000 in codec_j2k.c. Whatever libjpeg warns about (a truncated or
// damaged stream) is an error here: half a grey picture must not become a reference.

#include "drivers/codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "drivers/codec_internal.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"

// A progressive picture has ten scans as libjpeg writes it. A small file may hold thousands, and
// each walks over the whole picture.
#define SCANS_MAX 50

struct trap {
	struct jpeg_error_mgr base; // first: libjpeg hands it back
	jmp_buf back;
	char text[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr info)
{
	struct trap *trap = (struct trap *)info->err;

	info->err->format_message(info, trap->text);
	longjmp(trap->back, 1);
}

static void on_message(j_common_ptr info, int level)
{
	if (level < 0) // a warning: damaged data
		on_error(info);
}

static void set_trap(struct trap *trap, j_common_ptr info)
{
	info->err = jpeg_std_error(&trap->base);
	trap->base.error_exit = on_error;
	trap->base.emit_message = on_message;
}

// ---- EXIF orientation -------------------------------------------------------------------------

static uint32_t number(const uint8_t *at, size_t size, bool little)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint32_t)at[i] << 8 * (little ? i : size - 1 - i);
	return value;
}

// Tag 0x0112 of the first directory; 1 (upright) when anything is odd.
static int orientation_of(const uint8_t *data, size_t size)
{
	bool little;
	uint32_t at, count, i;

	if (size < 14 || memcmp(data, "Exif\0\0", 6) != 0)
		return 1;
	data += 6;
	size -= 6;
	little = data[0] == 'I';
	if (memcmp(data, little ? "II" : "MM", 2) != 0 || number(data + 2, 2, little) != 42)
		return 1;
	at = number(data + 4, 4, little);
	if (at > size - 2)
		return 1;
	count = number(data + at, 2, little);
	for (i = 0; i < count; i++) {
		size_t entry = (size_t)at + 2 + (size_t)i * 12;
		uint32_t value;

		if (entry + 12 > size)
			return 1;
		if (number(data + entry, 2, little) != 0x0112)
			continue;
		value = number(data + entry + 8, 2, little);
		return value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}

static int find_orientation(const struct jpeg_decompress_struct *info)
{
	const struct jpeg_marker_struct *marker;

	for (marker = info->marker_list; marker != NULL; marker = marker->next)
		if (marker->marker == JPEG_APP0 + 1 && marker->data_length >= 6 &&
		    memcmp(marker->data, "Exif\0\0", 6) == 0) // XMP is an APP1, too
			return orientation_of(marker->data, marker->data_length);
	return 1;
}

// Where the pixel that belongs at (x, y) of the upright picture stands in the stored one.
static const uint8_t *stored(const struct eg_image *from, int orientation, int x, int y)
{
	int right = from->width - 1, bottom = from->height - 1, sx, sy;

	switch (orientation) {
	case 2:
		sx = right - x, sy = y;
		break;
	case 3:
		sx = right - x, sy = bottom - y;
		break;
	case 4:
		sx = x, sy = bottom - y;
		break;
	case 5:
		sx = y, sy = x;
		break;
	case 6:
		sx = y, sy = bottom - x;
		break;
	case 7:
		sx = right - y, sy = bottom - x;
		break;
	case 8:
		sx = right - y, sy = x;
		break;
	default:
		sx = x, sy = y;
	}
	return from->data + (ptrdiff_t)sy * from->stride + (ptrdiff_t)sx * 3;
}

static int turn(struct eg_image *image, int orientation)
{
	bool swap = orientation >= 5;
	struct eg_image upright;
	int x, y, r;

	r = eg_image_init(&upright, swap ? image->height : image->width,
			  swap ? image->width : image->height, 3);
	if (r != 0)
		return r;
	for (y = 0; y < upright.height; y++)
		for (x = 0; x < upright.width; x++)
			memcpy(upright.data + (ptrdiff_t)y * upright.stride + (ptrdiff_t)x * 3,
			       stored(image, orientation, x, y), 3);
	eg_image_done(image);
	*image = upright;
	return 0;
}

// ---- JPEG -------------------------------------------------------------------------------------

int eg_codec_check_size(uint64_t width, uint64_t height, int side_max, struct eg_err *err)
{
	if (width < 1 || height < 1)
		return eg_err_set(err, EG_EINVAL, "the picture is empty");
	if (width > (uint64_t)side_max || height > (uint64_t)side_max)
		return eg_err_set(err, EG_ETOOBIG,
				  "the picture is %llu×%llu pixels; at most %d each way are read",
				  (unsigned long long)width, (unsigned long long)height, side_max);
	return 0;
}

struct decoder {
	struct jpeg_decompress_struct info;
	struct trap trap;
	struct jpeg_progress_mgr progress;
	int orientation;
};

static void on_progress(j_common_ptr info)
{
	struct trap *trap = (struct trap *)info->err;

	if (((j_decompress_ptr)info)->input_scan_number <= SCANS_MAX)
		return;
	(void)snprintf(trap->text, sizeof(trap->text), "it has more than %d scans", SCANS_MAX);
	longjmp(trap->back, 1);
}

// Runs under the trap: no allocation of ours in here but the image's.
static int decode_rows(struct decoder *d, struct eg_bytes bytes, int side_max,
		       struct eg_image *image, struct eg_err *err)
{
	int r;

	jpeg_create_decompress(&d->info);
	d->progress.progress_monitor = on_progress;
	d->info.progress = &d->progress;
	jpeg_save_markers(&d->info, JPEG_APP0 + 1, 65533);
	jpeg_mem_src(&d->info, bytes.data, (unsigned long)bytes.size);
	(void)jpeg_read_header(&d->info, TRUE);
	r = eg_codec_check_size(d->info.image_width, d->info.image_height, side_max, err);
	if (r != 0)
		return r;
	if (d->info.num_components != 1 && d->info.num_components != 3)
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "the JPEG has %d colour components; only grey and colour ones "
				  "are read, not CMYK",
				  d->info.num_components);
	d->orientation = find_orientation(&d->info);
	d->info.out_color_space = JCS_EXT_BGR;
	d->info.dct_method = JDCT_ISLOW;
	r = eg_image_resize(image, (int)d->info.image_width, (int)d->info.image_height, 3);
	if (r != 0)
		return eg_err_set(err, r, "picture: out of memory");
	(void)jpeg_start_decompress(&d->info);
	while (d->info.output_scanline < d->info.output_height) {
		JSAMPROW row = image->data + (ptrdiff_t)d->info.output_scanline * image->stride;

		(void)jpeg_read_scanlines(&d->info, &row, 1);
	}
	(void)jpeg_finish_decompress(&d->info);
	return 0;
}

static int decode_jpeg(struct eg_bytes bytes, int side_max, struct eg_image *image,
		       struct eg_err *err)
{
	struct decoder d = {.orientation = 1};
	volatile int r;

	set_trap(&d.trap, (j_common_ptr)&d.info);
	if (setjmp(d.trap.back) == 0)
		r = decode_rows(&d, bytes, side_max, image, err);
	else
		r = eg_err_set(err, EG_EINVAL, "the JPEG is damaged: %.100s", d.trap.text);
	jpeg_destroy_decompress(&d.info);
	if (r == 0 && d.orientation != 1)
		r = turn(image, d.orientation) == 0
			    ? 0
			    : eg_err_set(err, EG_ENOMEM, "picture: out of memory");
	return r;
}

static bool begins(struct eg_bytes bytes, const char *magic, size_t size)
{
	return bytes.size >= size && memcmp(bytes.data, magic, size) == 0;
}

int eg_codec_decode(struct eg_bytes bytes, struct eg_codec_limits limits, struct eg_image *image,
		    struct eg_err *err)
{
	if (bytes.size > limits.bytes_max)
		return eg_err_set(err, EG_ETOOBIG,
				  "the picture has %zu bytes; at most %zu are read", bytes.size,
				  limits.bytes_max);
	if (begins(bytes, "\xff\xd8\xff", 3))
		return decode_jpeg(bytes, limits.side_max, image, err);
	if (begins(bytes, "\0\0\0\x0cjP  \r\n\x87\n", 12) || begins(bytes, "\xff\x4f\xff\x51", 4))
		return eg_codec_decode_j2k(bytes, limits.side_max, image, err);
	if (begins(bytes, "\x89PNG", 4) || begins(bytes, "GIF8", 4) || begins(bytes, "RIFF", 4) ||
	    begins(bytes, "BM", 2))
		return eg_err_set(err, EG_EUNSUPPORTED,
				  "the picture is neither JPEG nor JPEG 2000; convert it");
	return eg_err_set(err, EG_EINVAL,
			  bytes.size == 0 ? "the picture is empty" : "not a picture");
}

int eg_codec_load(const char *path, struct eg_codec_limits limits, struct eg_image *image,
		  struct eg_err *err)
{
	struct eg_buf bytes;
	int r;

	eg_buf_init(&bytes, limits.bytes_max);
	r = eg_file_read(path, &bytes, err);
	if (r == 0) {
		r = eg_codec_decode(eg_buf_bytes(&bytes), limits, image, err);
		if (r != 0)
			r = eg_err_prefix(err, r, "%s", path);
	}
	eg_buf_done(&bytes);
	return r;
}

// ---- encoding ---------------------------------------------------------------------------------

struct encoder {
	struct jpeg_compress_struct info;
	struct trap trap;
	struct jpeg_destination_mgr to;
	struct eg_buf *out;
	uint8_t chunk[16384];
	int result;
};

static void begin_output(j_compress_ptr info)
{
	struct encoder *e = info->client_data;

	e->to.next_output_byte = e->chunk;
	e->to.free_in_buffer = sizeof(e->chunk);
}

static void flush(struct encoder *e, size_t size)
{
	if (e->result == 0)
		e->result = eg_buf_put(e->out, e->chunk, size);
}

static boolean chunk_full(j_compress_ptr info)
{
	struct encoder *e = info->client_data;

	flush(e, sizeof(e->chunk));
	begin_output(info);
	return TRUE;
}

static void end_output(j_compress_ptr info)
{
	struct encoder *e = info->client_data;

	flush(e, sizeof(e->chunk) - e->to.free_in_buffer);
}

static void encode_rows(struct encoder *e, const struct eg_image *image, int quality)
{
	jpeg_create_compress(&e->info);
	e->info.client_data = e;
	e->info.dest = &e->to;
	e->info.image_width = (JDIMENSION)image->width;
	e->info.image_height = (JDIMENSION)image->height;
	e->info.input_components = image->channels;
	e->info.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_EXT_BGR;
	jpeg_set_defaults(&e->info);
	jpeg_set_quality(&e->info, quality, TRUE);
	jpeg_start_compress(&e->info, TRUE);
	while (e->info.next_scanline < e->info.image_height) {
		JSAMPROW row = image->data + (ptrdiff_t)e->info.next_scanline * image->stride;

		(void)jpeg_write_scanlines(&e->info, &row, 1);
	}
	jpeg_finish_compress(&e->info);
}

int eg_codec_encode_jpeg(const struct eg_image *image, int quality, struct eg_buf *out,
			 struct eg_err *err)
{
	struct encoder e = {.out = out,
			    .to = {.init_destination = begin_output,
				   .empty_output_buffer = chunk_full,
				   .term_destination = end_output}};
	size_t before = out->size;

	if (image->width < 1 || image->height < 1)
		return eg_err_set(err, EG_EINVAL, "an empty picture cannot be written");
	set_trap(&e.trap, (j_common_ptr)&e.info);
	if (setjmp(e.trap.back) == 0)
		encode_rows(&e, image, quality);
	else
		e.result = EG_EFOREIGN;
	jpeg_destroy_compress(&e.info);
	eg_wipe(e.chunk, sizeof(e.chunk)); // it may have been a face
	if (e.result == 0)
		return 0;
	out->size = before;
	return eg_err_set(err, e.result, "JPEG: %s",
			  e.result == EG_EFOREIGN ? e.trap.text : eg_code_name(e.result));
}
