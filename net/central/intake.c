// SPDX-License-Identifier: Apache-2.0
//
// See intake.h.

#include "net/central/intake.h"

#include <stdlib.h>

#include "capture/capture.h"
#include "drivers/codec.h"
#include "firmware/base/mem.h"
#include "store/manifest.h"

#define FACES_MAX	8
#define JPEG_QUALITY	95
#define FACE_SURE	0.7f // small false boxes score 0.6 to 0.7
#define SECOND_AREA_MIN 0.1f // a face in the background is no second person

struct eg_intake {
	struct eg_pack *pack;
	struct eg_capture *capture;
	struct eg_image image;
};

int eg_intake_new(const char *pack_folder, struct eg_intake **ret_intake, struct eg_err *err)
{
	struct eg_capture_config config = eg_capture_defaults;
	struct eg_intake *intake = eg_calloc(1, sizeof(*intake));
	if (intake == NULL)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	config.liveness = false; // these are photos
	int r = eg_pack_open(pack_folder, 1u << EG_MODEL_DETECT | 1u << EG_MODEL_LANDMARK, 1,
			     &intake->pack, err);
	if (r == 0)
		r = eg_capture_new(&config, intake->pack, &intake->capture, err);
	if (r != 0) {
		eg_intake_free(intake);
		return r;
	}
	*ret_intake = intake;
	return 0;
}

void eg_intake_free(struct eg_intake *intake)
{
	if (intake == NULL)
		return;
	eg_image_done(&intake->image);
	eg_capture_free(intake->capture);
	eg_pack_free(intake->pack);
	free(intake);
}

static float area(const struct eg_face *face)
{
	return face->box.width * face->box.height;
}

// Faces come largest first.
static size_t count_people(const struct eg_face *faces, size_t count)
{
	size_t people = count > 0 ? 1 : 0;
	for (size_t i = 1; i < count; i++)
		if (faces[i].score >= FACE_SURE && area(&faces[i]) >= SECOND_AREA_MIN * area(faces))
			people++;
	return people;
}

int eg_intake_check(struct eg_intake *intake, struct eg_bytes photo, struct eg_err *err)
{
	struct eg_face faces[FACES_MAX];
	size_t count = 0;
	int r = eg_codec_decode(photo, EG_CODEC_LIMITS_BOOTH, &intake->image, err);
	if (r != 0)
		return r;
	r = eg_capture_still(intake->capture, &intake->image, faces, FACES_MAX, &count, err);
	if (r != 0)
		return r == EG_EINVAL ? EG_EFOREIGN : r;
	size_t people = count_people(faces, count);
	if (people == 0)
		return eg_err_set(err, EG_EINVAL, "no face");
	if (people > 1)
		return eg_err_set(err, EG_EINVAL, "several faces (%zu)", people);
	return 0;
}

static bool is_jpeg(struct eg_bytes photo)
{
	return photo.size > 2 && photo.data[0] == 0xff && photo.data[1] == 0xd8;
}

int eg_intake_jpeg(struct eg_bytes photo, struct eg_buf *jpeg, struct eg_err *err)
{
	struct eg_image image = {0};
	int r;
	if (is_jpeg(photo)) {
		r = eg_buf_put(jpeg, photo.data, photo.size);
		return r == 0 ? 0 : eg_err_set(err, r, "larger than a booth takes");
	}
	r = eg_codec_decode(photo, EG_CODEC_LIMITS_BOOTH, &image, err);
	if (r == 0)
		r = eg_codec_encode_jpeg(&image, JPEG_QUALITY, jpeg, err);
	eg_image_done(&image);
	return r;
}
