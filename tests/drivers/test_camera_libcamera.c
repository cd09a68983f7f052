// SPDX-License-Identifier: Apache-2.0
//
// The libcamera backend on libcamera's virtual camera, which plays pictures made here. The program
// starts itself again inside with-virtual-camera.

#include "camera_support.h"

#include <limits.h>
#include <unistd.h>

#define PICTURES 8

static struct eg_camera_config config = {
	.source = "", .width = WIDTH, .height = HEIGHT, .frame_rate = 60};

static struct eg_camera *open_camera(struct seen *seen)
{
	struct eg_camera_sink sink = seen_sink(seen);
	struct eg_camera *camera = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_camera_libcamera.open(&config, &sink, &camera, &err) != 0)
		fail_msg("%s", err.text);
	return camera;
}

static void start(struct eg_camera *camera)
{
	struct eg_err err = EG_ERR_INIT;

	if (eg_camera_libcamera.start(camera, &err) != 0)
		fail_msg("%s", err.text);
}

static void pictures_come_in_order_and_colour(void **state)
{
	struct eg_camera_stats stats;
	struct seen seen;
	struct eg_camera *camera;

	(void)state;
	seen_init(&seen);
	camera = open_camera(&seen);
	start(camera);
	wait_frames(&seen, 2 * PICTURES);
	eg_camera_libcamera.stop(camera);
	assert_true(has_event(&seen, EG_CAMERA_STARTED));
	assert_true(has_event(&seen, EG_CAMERA_STOPPED));
	assert_false(has_event(&seen, EG_CAMERA_FAULT));
	for (int i = 1; i < seen.count; i++) {
		uint64_t step = seen.frame[i].sequence - seen.frame[i - 1].sequence;

		// A dropped picture shows in both, the number and the sequence.
		assert_int_equal(seen.frame[i].number,
				 (seen.frame[i - 1].number + (int)step) % PICTURES);
		assert_int_equal(seen.frame[i].generation, seen.frame[0].generation);
		assert_true(seen.frame[i].captured_ns > seen.frame[i - 1].captured_ns);
	}
	// JPEG and halved chroma cost a few steps; a wrong range or matrix would cost over 12.
	assert_in_range(seen.worst, 0, 8);
	eg_camera_libcamera.stats(camera, &stats);
	assert_int_equal(stats.frames, seen.count);
	assert_true(stats.model[0] != '\0');
	eg_camera_libcamera.close(camera);
	seen_done(&seen);
}

static void no_picture_comes_after_stop_and_a_start_is_a_new_generation(void **state)
{
	struct seen seen;
	struct eg_camera *camera;
	uint32_t before = 0;

	(void)state;
	seen_init(&seen);
	camera = open_camera(&seen);
	for (int i = 0; i < 20; i++) {
		int count = count_frames(&seen);

		start(camera);
		wait_frames(&seen, count + 1);
		assert_true(seen.frame[count].generation > before);
		eg_camera_libcamera.stop(camera);
		before = seen.frame[seen.count - 1].generation;
		count = count_frames(&seen);
		(void)usleep(20000);
		assert_int_equal(count_frames(&seen), count);
	}
	assert_false(has_event(&seen, EG_CAMERA_FAULT));
	eg_camera_libcamera.close(camera);
	seen_done(&seen);
}

static void a_held_frame_outlives_its_camera(void **state)
{
	struct seen seen;
	struct eg_camera *camera;
	struct eg_image bgr = {0};

	(void)state;
	seen_init(&seen);
	seen.hold = 2;
	camera = open_camera(&seen);
	start(camera);
	wait_frames(&seen, 5);
	eg_camera_libcamera.close(camera);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(number_of(seen.held[i]), seen.frame[i].number);
		assert_int_equal(eg_frame_to_bgr(seen.held[i], &bgr), 0);
		assert_in_range(colour_error(&bgr), 0, 8);
	}
	eg_image_done(&bgr);
	seen_done(&seen);
}

static void a_consumer_that_holds_all_frames_costs_pictures_and_they_are_counted(void **state)
{
	struct eg_camera_stats stats = {0};
	struct seen seen;
	struct eg_camera *camera;

	(void)state;
	seen_init(&seen);
	seen.hold = SEEN_MAX;
	camera = open_camera(&seen);
	start(camera);
	for (int i = 0; i < 2000 && stats.dropped < 3; i++) {
		(void)usleep(10000);
		eg_camera_libcamera.stats(camera, &stats);
	}
	assert_true(stats.dropped >= 3);
	assert_int_equal(count_frames(&seen), 6);
	// Given back, pictures flow again.
	pthread_mutex_lock(&seen.lock);
	seen.hold = 0;
	for (int i = 0; i < seen.held_count; i++)
		eg_frame_unref(seen.held[i]);
	seen.held_count = 0;
	pthread_mutex_unlock(&seen.lock);
	wait_frames(&seen, 8);
	eg_camera_libcamera.close(camera);
	seen_done(&seen);
}

static void what_cannot_be_opened_is_said(void **state)
{
	struct eg_camera_config wrong = config;
	struct eg_camera *camera = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_camera_sink sink;
	struct seen seen;

	(void)state;
	seen_init(&seen);
	sink = seen_sink(&seen);
	wrong.source = "no such camera";
	assert_int_equal(eg_camera_libcamera.open(&wrong, &sink, &camera, &err), EG_ENOENT);
	assert_non_null(strstr(err.text, "no such camera"));
	wrong = config;
	wrong.frame_rate = 0;
	assert_int_equal(eg_camera_libcamera.open(&wrong, &sink, &camera, &err), EG_EINVAL);
	assert_null(camera);
	eg_camera_libcamera.close(NULL);
	seen_done(&seen);
}

static int enter(const char *self)
{
	char folder[PATH_MAX - 16], frames[PATH_MAX], script[PATH_MAX];
	const char *source = getenv("EGRESS_SOURCE");

	if (source == NULL || getcwd(folder, sizeof(folder)) == NULL) {
		fprintf(stderr, "EGRESS_SOURCE is not set: run me by ctest\n");
		return 77;
	}
	(void)snprintf(frames, sizeof(frames), "%s/frames", folder);
	(void)snprintf(script, sizeof(script), "%s/tests/drivers/with-virtual-camera", source);
	make_folder(frames, PICTURES);
	(void)execl(script, script, frames, "320", "240", self, (char *)NULL);
	perror(script);
	return 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_come_in_order_and_colour),
		cmocka_unit_test(no_picture_comes_after_stop_and_a_start_is_a_new_generation),
		cmocka_unit_test(a_held_frame_outlives_its_camera),
		cmocka_unit_test(
			a_consumer_that_holds_all_frames_costs_pictures_and_they_are_counted),
		cmocka_unit_test(what_cannot_be_opened_is_said),
	};

	(void)argc;
	if (getenv("EGRESS_VIRTUAL_CAMERA") == NULL)
		return enter(argv[0]);
	config.clock = eg_clock_system();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
