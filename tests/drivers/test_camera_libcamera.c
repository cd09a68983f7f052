// SPDX-License-Identifier: Apache-2.0
//
// The libcamera backend on libcamera's virtual camera, which plays pictures made here. The program
// starts itself again inside with-virtual-camera. libcamera 0.4's virtual camera shows each picture
// four times (its kFrameRepeat), beginning with the first when it is opened.

#include "camera_support.h"

#include <limits.h>
#include <unistd.h>

#include "drivers/codec.h"

#define PICTURES 8
#define REPEAT	 4

static struct eg_camera_config config = {
	.source = "", .width = WIDTH, .height = HEIGHT, .frame_rate = 60};

// Of the case that runs; tear_down closes what a failed one left open, so that it fails alone.
static struct seen seen;
static struct eg_camera *camera;

static int set_up(void **state)
{
	(void)state;
	seen_init(&seen);
	return 0;
}

static void close_camera(void)
{
	eg_camera_libcamera.close(camera);
	camera = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	close_camera();
	seen_done(&seen);
	return 0;
}

static void open_camera(void)
{
	struct eg_camera_sink sink = seen_sink(&seen);
	struct eg_err err = EG_ERR_INIT;

	if (eg_camera_libcamera.open(&config, &sink, &camera, &err) != 0)
		fail_msg("%s", err.text);
}

static void start(void)
{
	struct eg_err err = EG_ERR_INIT;

	if (eg_camera_libcamera.start(camera, &err) != 0)
		fail_msg("%s", err.text);
}

// The largest, of any channel, away from edges, where each decoder smooths chroma its own way.
static int difference(const struct eg_image *a, const struct eg_image *b)
{
	int worst = 0;

	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (int y = 20; y < HEIGHT; y += 40) {
		for (int x = 20; x < WIDTH; x += 40) {
			for (int c = 0; c < 3; c++) {
				int d = abs(a->data[y * a->stride + 3 * x + c] -
					    b->data[y * b->stride + 3 * x + c]);

				worst = d > worst ? d : worst;
			}
		}
	}
	return worst;
}

static void pictures_come_in_order_and_paced(void **state)
{
	const struct seen_frame *first, *last;
	struct eg_camera_stats stats;

	(void)state;
	open_camera();
	start();
	wait_frames(&seen, 2 * REPEAT * PICTURES);
	eg_camera_libcamera.stop(camera);
	assert_true(has_event(&seen, EG_CAMERA_STARTED));
	assert_true(has_event(&seen, EG_CAMERA_STOPPED));
	assert_false(has_event(&seen, EG_CAMERA_FAULT));
	for (int i = 0; i < seen.count; i++) {
		// A dropped picture shows in both, the number and the sequence.
		assert_int_equal(seen.frame[i].number,
				 (seen.frame[i].sequence - 1) / REPEAT % PICTURES);
		assert_int_equal(seen.frame[i].generation, seen.frame[0].generation);
		if (i == 0)
			continue;
		assert_true(seen.frame[i].sequence > seen.frame[i - 1].sequence);
		assert_true(seen.frame[i].captured_ns > seen.frame[i - 1].captured_ns);
		// Repeated pictures are told from new ones by their digest alone.
		assert_int_equal(seen.frame[i].digest == seen.frame[i - 1].digest,
				 seen.frame[i].number == seen.frame[i - 1].number);
	}
	// 60 a second, though the virtual camera would give them at once. A late start may be
	// caught up with by a picture or two.
	first = &seen.frame[0], last = &seen.frame[seen.count - 1];
	assert_true(last->captured_ns - first->captured_ns >
		    (int64_t)(last->sequence - first->sequence - 2) * EG_NS_PER_MS * 16);
	eg_camera_libcamera.stats(camera, &stats);
	assert_int_equal(stats.frames, seen.count);
	assert_true(stats.model[0] != '\0');
}

// The frames, converted with the range they claim, against the JPEG files as libjpeg decodes them.
// A wrong range or matrix would cost 12 steps or more in one of the four fields and the two greys.
static void colours_are_those_of_the_files_played(void **state)
{
	struct eg_image played = {0}, file = {0};
	struct eg_err err = EG_ERR_INIT;
	char path[PATH_MAX];

	(void)state;
	seen.hold = 2;
	open_camera();
	start();
	wait_frames(&seen, 2);
	close_camera();
	for (int i = 0; i < seen.held_count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%03d.jpg", getenv("EGRESS_VIRTUAL_CAMERA"),
			       number_of(seen.held[i]));
		if (eg_codec_load(path, EG_CODEC_LIMITS_DESK, &file, &err) != 0)
			fail_msg("%s", err.text);
		assert_int_equal(eg_frame_to_bgr(seen.held[i], &played), 0);
		assert_in_range(difference(&played, &file), 0, 4);
		assert_false(seen.held[i]->limited_range);
	}
	eg_image_done(&file);
	eg_image_done(&played);
}

static void no_picture_comes_after_stop_and_a_start_is_a_new_generation(void **state)
{
	uint32_t before = 0;

	(void)state;
	open_camera();
	for (int i = 0; i < 20; i++) {
		int count = count_frames(&seen);

		start();
		wait_frames(&seen, count + 1);
		assert_true(seen.frame[count].generation > before);
		eg_camera_libcamera.stop(camera);
		before = seen.frame[seen.count - 1].generation;
		count = count_frames(&seen);
		(void)usleep(20000);
		assert_int_equal(count_frames(&seen), count);
	}
	assert_false(has_event(&seen, EG_CAMERA_FAULT));
	assert_int_equal(seen.events, 40); // started and stopped, in turn
	for (int i = 0; i < 40; i++)
		assert_int_equal(seen.event[i], i % 2 == 0 ? EG_CAMERA_STARTED : EG_CAMERA_STOPPED);
}

static void a_camera_can_be_closed_and_opened_again_at_any_moment(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		open_camera();
		if (i % 2 == 0) {
			start();
			if (i % 4 == 0)
				wait_frames(&seen, count_frames(&seen) + 1);
		}
		close_camera();
	}
	assert_false(has_event(&seen, EG_CAMERA_FAULT));
}

static void a_held_frame_outlives_its_camera(void **state)
{
	struct eg_image bgr = {0};

	(void)state;
	seen.hold = 2;
	open_camera();
	start();
	wait_frames(&seen, 5);
	close_camera();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(number_of(seen.held[i]), seen.frame[i].number);
		assert_int_equal(eg_frame_to_bgr(seen.held[i], &bgr), 0);
		assert_in_range(colour_error(&bgr), 0, 8);
	}
	eg_image_done(&bgr);
}

static void a_consumer_that_holds_all_frames_costs_pictures_and_they_are_counted(void **state)
{
	struct eg_camera_stats stats = {0};

	(void)state;
	seen.hold = SEEN_MAX;
	open_camera();
	start();
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
}

static void what_cannot_be_opened_is_said(void **state)
{
	struct eg_camera_config wrong = config;
	struct eg_camera_sink sink = seen_sink(&seen);
	struct eg_err err = EG_ERR_INIT;

	(void)state;
	wrong.source = "no such camera";
	assert_int_equal(eg_camera_libcamera.open(&wrong, &sink, &camera, &err), EG_ENOENT);
	assert_non_null(strstr(err.text, "no such camera"));
	wrong = config;
	wrong.frame_rate = 0;
	assert_int_equal(eg_camera_libcamera.open(&wrong, &sink, &camera, &err), EG_EINVAL);
	assert_null(camera);
	eg_camera_libcamera.close(NULL);
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
		cmocka_unit_test_setup_teardown(pictures_come_in_order_and_paced, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(colours_are_those_of_the_files_played, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			no_picture_comes_after_stop_and_a_start_is_a_new_generation, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_camera_can_be_closed_and_opened_again_at_any_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_held_frame_outlives_its_camera, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			a_consumer_that_holds_all_frames_costs_pictures_and_they_are_counted,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_said, set_up, tear_down),
	};

	(void)argc;
	if (getenv("EGRESS_VIRTUAL_CAMERA") == NULL)
		return enter(argv[0]);
	config.clock = eg_clock_system();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
