// SPDX-License-Identifier: Apache-2.0

#include "camera_support.h"

#include <sys/stat.h>
#include <time.h>

#include "drivers/codec.h"

#define BLOCK (WIDTH / 8)
#define FIELD (WIDTH / 4)

static const uint8_t colours[4][3] = {{40, 40, 220}, {50, 200, 60}, {210, 70, 50}, {128, 128, 128}};

void make_picture(struct eg_image *image, int number)
{
	assert_int_equal(eg_image_init(image, WIDTH, HEIGHT, 3), 0);
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			uint8_t *p = image->data + (ptrdiff_t)y * image->stride + (ptrdiff_t)x * 3;

			if (y < BLOCK)
				memset(p, (number >> (x / BLOCK) & 1) != 0 ? 235 : 20, 3);
			else
				memcpy(p, colours[x / FIELD], 3);
		}
	}
}

void make_folder(const char *folder, int count)
{
	(void)mkdir(folder, 0700);
	for (int i = 0; i < count; i++) {
		struct eg_image image;
		struct eg_buf jpeg;
		char path[512];
		FILE *file;

		make_picture(&image, i);
		eg_buf_init(&jpeg, 1u << 20);
		assert_int_equal(eg_codec_encode_jpeg(&image, 95, &jpeg, NULL), 0);
		assert_true(snprintf(path, sizeof(path), "%s/%03d.jpg", folder, i) > 0);
		file = fopen(path, "we");
		assert_non_null(file);
		assert_int_equal(fwrite(eg_buf_bytes(&jpeg).data, 1, jpeg.size, file), jpeg.size);
		assert_int_equal(fclose(file), 0);
		eg_buf_done(&jpeg);
		eg_image_done(&image);
	}
}

int number_of(const struct eg_frame *frame)
{
	int number = 0;

	for (int k = 0; k < 8; k++) {
		const uint8_t *row = frame->plane[0] + (ptrdiff_t)(BLOCK / 2) * frame->stride[0];

		number |= (row[k * BLOCK + BLOCK / 2] > 127) << k;
	}
	return number;
}

int colour_error(const struct eg_image *image)
{
	int worst = 0;

	for (int k = 0; k < 4; k++) {
		const uint8_t *p = image->data + (ptrdiff_t)(HEIGHT / 2) * image->stride +
				   (ptrdiff_t)(k * FIELD + FIELD / 2) * 3;

		for (int c = 0; c < 3; c++) {
			int error = abs(p[c] - colours[k][c]);

			worst = error > worst ? error : worst;
		}
	}
	return worst;
}

// On the camera's thread: cmocka's asserts would jump off the wrong stack, so it only records.
static void on_frame(void *user, struct eg_frame *frame)
{
	struct seen *seen = user;
	struct eg_image bgr = {0};
	int error = eg_frame_to_bgr(frame, &bgr) == 0 ? colour_error(&bgr) : 255;

	eg_image_done(&bgr);
	pthread_mutex_lock(&seen->lock);
	seen->worst = error > seen->worst ? error : seen->worst;
	if (seen->count < SEEN_MAX)
		seen->frame[seen->count++] = (struct seen_frame){
			.number = number_of(frame),
			.sequence = frame->sequence,
			.digest = frame->digest,
			.generation = frame->generation,
			.captured_ns = frame->captured_ns,
		};
	if (seen->held_count < seen->hold) {
		seen->held[seen->held_count++] = frame;
		frame = NULL;
	}
	pthread_cond_broadcast(&seen->change);
	pthread_mutex_unlock(&seen->lock);
	eg_frame_unref(frame);
}

static void on_event(void *user, enum eg_camera_event event, const char *text)
{
	struct seen *seen = user;

	pthread_mutex_lock(&seen->lock);
	if (seen->events < SEEN_MAX)
		seen->event[seen->events++] = event;
	(void)snprintf(seen->text, sizeof(seen->text), "%s", text);
	pthread_cond_broadcast(&seen->change);
	pthread_mutex_unlock(&seen->lock);
}

void seen_init(struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	pthread_mutex_init(&seen->lock, NULL);
	pthread_cond_init(&seen->change, NULL);
}

void seen_done(struct seen *seen)
{
	for (int i = 0; i < seen->held_count; i++)
		eg_frame_unref(seen->held[i]);
	pthread_cond_destroy(&seen->change);
	pthread_mutex_destroy(&seen->lock);
}

struct eg_camera_sink seen_sink(struct seen *seen)
{
	return (struct eg_camera_sink){.frame = on_frame, .event = on_event, .user = seen};
}

static bool has_event_locked(const struct seen *seen, enum eg_camera_event event)
{
	for (int i = 0; i < seen->events; i++)
		if (seen->event[i] == event)
			return true;
	return false;
}

static void wait_for(struct seen *seen, int count, int event)
{
	struct timespec until;
	bool there = false;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&seen->lock);
	for (int r = 0; r == 0 && !there;) {
		there = event >= 0 ? has_event_locked(seen, (enum eg_camera_event)event)
				   : seen->count >= count;
		if (!there)
			r = pthread_cond_timedwait(&seen->change, &seen->lock, &until);
	}
	pthread_mutex_unlock(&seen->lock);
	assert_true(there);
}

void wait_frames(struct seen *seen, int count)
{
	wait_for(seen, count, -1);
}

void wait_event(struct seen *seen, enum eg_camera_event event)
{
	wait_for(seen, 0, (int)event);
}

bool has_event(struct seen *seen, enum eg_camera_event event)
{
	bool there;

	pthread_mutex_lock(&seen->lock);
	there = has_event_locked(seen, event);
	pthread_mutex_unlock(&seen->lock);
	return there;
}

int count_frames(struct seen *seen)
{
	int count;

	pthread_mutex_lock(&seen->lock);
	count = seen->count;
	pthread_mutex_unlock(&seen->lock);
	return count;
}
