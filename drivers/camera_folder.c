// SPDX-License-Identifier: Apache-2.0
//
// A folder of JPEG files as a camera, for tests and benchmarks: files in name order, each of
// exactly the configured size, at the configured rate, on a thread of its own.

#include "drivers/camera.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/codec.h"
#include "drivers/frame_internal.h"
#include "firmware/base/mem.h"

#define POOL_FRAMES 6

struct eg_camera {
	char *folder;
	int width, height, frame_rate;
	bool loop;
	const struct eg_clock *clock;
	struct eg_camera_sink sink;
	struct dirent **entries;
	int count, next;
	struct eg_frame_pool *pool;
	struct eg_image image;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; // protects quit
	pthread_cond_t wake;
	bool quit;
	uint64_t sequence;
	uint32_t generation;
	atomic_ullong frames, dropped;
};

static int is_jpeg(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && (strcmp(dot, ".jpg") == 0 || strcmp(dot, ".jpeg") == 0);
}

static int load(struct eg_camera *camera, int index, struct eg_err *err)
{
	char path[4096];
	int n, r;

	n = snprintf(path, sizeof(path), "%s/%s", camera->folder, camera->entries[index]->d_name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return eg_err_set(err, EG_ETOOBIG, "%s: the path is too long", camera->folder);
	r = eg_codec_load(path, EG_CODEC_LIMITS_DESK, &camera->image, err);
	if (r == 0 &&
	    (camera->image.width != camera->width || camera->image.height != camera->height))
		r = eg_err_set(err, EG_EINVAL, "%s is %d×%d pixels, but the camera is set to %d×%d",
			       path, camera->image.width, camera->image.height, camera->width,
			       camera->height);
	return r;
}

static void post(struct eg_camera *camera)
{
	uint8_t *plane[2];
	struct eg_frame *frame = eg_frame_pool_take(camera->pool, plane);

	camera->sequence++;
	if (frame == NULL) {
		atomic_fetch_add(&camera->dropped, 1);
		return;
	}
	eg_frame_from_bgr(&camera->image, plane);
	frame->sequence = camera->sequence;
	frame->generation = camera->generation;
	frame->captured_ns = eg_boot_ns(camera->clock);
	frame->limited_range = false;
	frame->digest =
		eg_frame_digest_of(plane[0], (size_t)camera->width * (size_t)camera->height);
	atomic_fetch_add(&camera->frames, 1);
	camera->sink.frame(camera->sink.user, frame);
}

// Waits until `until`; true when the camera is to stop.
static bool wait_or_quit(struct eg_camera *camera, const struct timespec *until)
{
	bool quit;

	pthread_mutex_lock(&camera->lock);
	while (!camera->quit &&
	       pthread_cond_timedwait(&camera->wake, &camera->lock, until) != ETIMEDOUT)
		;
	quit = camera->quit;
	pthread_mutex_unlock(&camera->lock);
	return quit;
}

static void *run(void *user)
{
	struct eg_camera *camera = user;
	long interval_ns = 1000000000L / camera->frame_rate;
	struct eg_err err = EG_ERR_INIT;
	struct timespec due;

	(void)pthread_setname_np(pthread_self(), "camera");
	(void)clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		if (camera->next == camera->count && !camera->loop) {
			camera->sink.event(camera->sink.user, EG_CAMERA_ENDED,
					   "the last file was sent");
			break;
		}
		camera->next %= camera->count;
		if (load(camera, camera->next++, &err) != 0) {
			camera->sink.event(camera->sink.user, EG_CAMERA_FAULT, err.text);
			break;
		}
		due.tv_nsec += interval_ns;
		if (due.tv_nsec >= 1000000000L) {
			due.tv_nsec -= 1000000000L;
			due.tv_sec++;
		}
		if (wait_or_quit(camera, &due))
			break;
		post(camera);
	}
	return NULL;
}

static void folder_stop(struct eg_camera *camera)
{
	if (!camera->running)
		return;
	pthread_mutex_lock(&camera->lock);
	camera->quit = true;
	pthread_cond_signal(&camera->wake);
	pthread_mutex_unlock(&camera->lock);
	pthread_join(camera->thread, NULL);
	camera->running = false;
	camera->sink.event(camera->sink.user, EG_CAMERA_STOPPED, "stopped");
}

static void folder_close(struct eg_camera *camera)
{
	if (camera == NULL)
		return;
	folder_stop(camera);
	eg_frame_pool_free(camera->pool);
	eg_image_done(&camera->image);
	for (int i = 0; i < camera->count; i++)
		free(camera->entries[i]);
	free(camera->entries);
	pthread_cond_destroy(&camera->wake);
	pthread_mutex_destroy(&camera->lock);
	free(camera->folder);
	free(camera);
}

static int folder_open(const struct eg_camera_config *config, const struct eg_camera_sink *sink,
		       struct eg_camera **ret_camera, struct eg_err *err)
{
	pthread_condattr_t monotonic;
	struct eg_camera *camera;
	int r;

	r = eg_camera_check(config, err);
	if (r != 0)
		return r;
	camera = eg_calloc(1, sizeof(*camera));
	if (camera == NULL)
		return eg_err_set(err, EG_ENOMEM, "camera: out of memory");
	pthread_mutex_init(&camera->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&camera->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	camera->width = config->width;
	camera->height = config->height;
	camera->frame_rate = config->frame_rate;
	camera->loop = config->loop;
	camera->clock = config->clock;
	camera->sink = *sink;
	camera->folder = eg_strdup(config->source);
	if (camera->folder == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "camera: out of memory");
		goto fail;
	}
	camera->count = scandir(camera->folder, &camera->entries, is_jpeg, alphasort);
	if (camera->count < 0) {
		camera->count = 0;
		r = eg_err_errno(err, errno, "camera folder %s", camera->folder);
		goto fail;
	}
	if (camera->count == 0) {
		r = eg_err_set(err, EG_ENOENT, "camera folder %s holds no .jpg file",
			       camera->folder);
		goto fail;
	}
	r = load(camera, 0, err); // a wrong size shows at once, not in the stream
	if (r == 0)
		r = eg_frame_pool_new(POOL_FRAMES, camera->width, camera->height, NULL,
				      &camera->pool, err);
	if (r != 0)
		goto fail;
	*ret_camera = camera;
	return 0;
fail:
	folder_close(camera);
	return r;
}

static int folder_start(struct eg_camera *camera, struct eg_err *err)
{
	int r;

	if (camera->running)
		return 0;
	camera->quit = false;
	camera->generation = eg_camera_generation();
	camera->sink.event(camera->sink.user, EG_CAMERA_STARTED, "started"); // before any frame
	r = pthread_create(&camera->thread, NULL, run, camera);
	if (r != 0) {
		camera->sink.event(camera->sink.user, EG_CAMERA_STOPPED, "no thread");
		return eg_err_errno(err, r, "camera: no thread");
	}
	camera->running = true;
	return 0;
}

static void folder_stats(const struct eg_camera *camera, struct eg_camera_stats *ret_stats)
{
	*ret_stats = (struct eg_camera_stats){.frames = atomic_load(&camera->frames),
					      .dropped = atomic_load(&camera->dropped)};
	(void)snprintf(ret_stats->model, sizeof(ret_stats->model), "%d files", camera->count);
}

const struct eg_camera_ops eg_camera_folder = {
	.name = "folder",
	.open = folder_open,
	.start = folder_start,
	.stop = folder_stop,
	.stats = folder_stats,
	.close = folder_close,
};
