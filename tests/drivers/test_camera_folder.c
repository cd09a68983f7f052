// SPDX-License-Identifier: Apache-2.0

#include "camera_support.h"

#include <unistd.h>

static struct eg_camera_config config_of(const char *folder, bool loop)
{
	return (struct eg_camera_config){.source = folder,
					 .width = WIDTH,
					 .height = HEIGHT,
					 .frame_rate = 100,
					 .loop = loop,
					 .clock = eg_clock_system()};
}

static struct eg_camera *run(struct seen *seen, const struct eg_camera_config *config)
{
	struct eg_camera_sink sink = seen_sink(seen);
	struct eg_camera *camera = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_camera_folder.open(config, &sink, &camera, &err) != 0 ||
	    eg_camera_folder.start(camera, &err) != 0)
		fail_msg("%s", err.text);
	return camera;
}

static void files_come_once_in_name_order_then_it_ends(void **state)
{
	struct eg_camera_config config = config_of("five", false);
	struct seen seen;
	struct eg_camera *camera;

	(void)state;
	make_folder("five", 5);
	seen_init(&seen);
	camera = run(&seen, &config);
	wait_event(&seen, EG_CAMERA_ENDED);
	eg_camera_folder.stop(camera);
	assert_int_equal(seen.count, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(seen.frame[i].number, i);
		assert_int_equal(seen.frame[i].sequence, i + 1);
		if (i > 0)
			assert_true(seen.frame[i].digest != seen.frame[i - 1].digest);
	}
	// 100 a second: four intervals of 10 ms lie between the first and the fifth.
	assert_true(seen.frame[4].captured_ns - seen.frame[0].captured_ns > 20 * EG_NS_PER_MS);
	assert_in_range(seen.worst, 0, 8);
	eg_camera_folder.close(camera);
	seen_done(&seen);
}

static void a_loop_begins_again_and_restarting_raises_the_generation(void **state)
{
	struct eg_camera_config config = config_of("three", true);
	struct seen seen;
	struct eg_camera *camera;
	int count;

	(void)state;
	make_folder("three", 3);
	seen_init(&seen);
	camera = run(&seen, &config);
	wait_frames(&seen, 8);
	eg_camera_folder.stop(camera);
	count = count_frames(&seen);
	for (int i = 0; i < count; i++)
		assert_int_equal(seen.frame[i].number, i % 3);
	assert_int_equal(seen.frame[0].digest, seen.frame[3].digest);
	(void)usleep(30000);
	assert_int_equal(count_frames(&seen), count);
	assert_int_equal(eg_camera_folder.start(camera, NULL), 0);
	wait_frames(&seen, count + 1);
	eg_camera_folder.close(camera);
	assert_true(seen.frame[count].generation > seen.frame[0].generation);
	assert_false(has_event(&seen, EG_CAMERA_ENDED));
	seen_done(&seen);
}

static void a_full_pool_drops_and_counts_and_held_frames_stay_valid(void **state)
{
	struct eg_camera_config config = config_of("hold", true);
	struct eg_camera_stats stats = {0};
	struct seen seen;
	struct eg_camera *camera;

	(void)state;
	make_folder("hold", 3);
	seen_init(&seen);
	seen.hold = SEEN_MAX;
	camera = run(&seen, &config);
	for (int i = 0; i < 2000 && stats.dropped < 3; i++) {
		(void)usleep(10000);
		eg_camera_folder.stats(camera, &stats);
	}
	eg_camera_folder.close(camera);
	assert_true(stats.dropped >= 3);
	assert_int_equal(seen.count, 6);
	for (int i = 0; i < seen.held_count; i++)
		assert_int_equal(number_of(seen.held[i]), i % 3);
	seen_done(&seen);
}

static void a_bad_file_in_the_middle_is_a_fault_and_a_restart_goes_on_behind_it(void **state)
{
	struct eg_camera_config config = config_of("bad", false);
	struct seen seen;
	struct eg_camera *camera;
	FILE *file;

	(void)state;
	make_folder("bad", 5);
	file = fopen("bad/002.jpg", "we");
	assert_non_null(file);
	assert_true(fputs("\xff\xd8\xffnot a picture", file) >= 0);
	assert_int_equal(fclose(file), 0);
	seen_init(&seen);
	camera = run(&seen, &config);
	wait_event(&seen, EG_CAMERA_FAULT);
	assert_non_null(strstr(seen.text, "bad/002.jpg"));
	(void)usleep(30000);
	assert_int_equal(count_frames(&seen), 2);
	assert_false(has_event(&seen, EG_CAMERA_ENDED));
	eg_camera_folder.stop(camera);
	assert_int_equal(eg_camera_folder.start(camera, NULL), 0);
	wait_event(&seen, EG_CAMERA_ENDED);
	eg_camera_folder.close(camera);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.frame[2].number, 3);
	assert_int_equal(seen.frame[3].number, 4);
	assert_true(seen.frame[2].generation > seen.frame[1].generation);
	assert_int_equal(seen.event[0], EG_CAMERA_STARTED);
	assert_int_equal(seen.event[seen.events - 1], EG_CAMERA_STOPPED);
	seen_done(&seen);
}

static void refuse(const struct eg_camera_config *config, int code, const char *word)
{
	struct eg_camera *camera = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_camera_sink sink;
	struct seen seen;

	seen_init(&seen);
	sink = seen_sink(&seen);
	assert_int_equal(eg_camera_folder.open(config, &sink, &camera, &err), code);
	assert_non_null(strstr(err.text, word));
	assert_null(camera);
	seen_done(&seen);
}

static void what_cannot_be_played_is_refused_by_name(void **state)
{
	struct eg_camera_config config = config_of("wrong", false);

	(void)state;
	make_folder("wrong", 1);
	config.width = 640;
	refuse(&config, EG_EINVAL, "wrong/000.jpg");
	config = config_of("wrong", false);
	config.frame_rate = 0;
	refuse(&config, EG_EINVAL, "frame rate");
	config = config_of("missing", false);
	refuse(&config, EG_ENOENT, "missing");
	make_folder("empty", 0);
	config = config_of("empty", false);
	refuse(&config, EG_ENOENT, "empty");
	eg_camera_folder.close(NULL);
}

static void backends_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(eg_camera_backend("folder"), &eg_camera_folder);
	assert_ptr_equal(eg_camera_backend("libcamera"), &eg_camera_libcamera);
	assert_null(eg_camera_backend("webcam"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_once_in_name_order_then_it_ends),
		cmocka_unit_test(a_loop_begins_again_and_restarting_raises_the_generation),
		cmocka_unit_test(a_full_pool_drops_and_counts_and_held_frames_stay_valid),
		cmocka_unit_test(
			a_bad_file_in_the_middle_is_a_fault_and_a_restart_goes_on_behind_it),
		cmocka_unit_test(what_cannot_be_played_is_refused_by_name),
		cmocka_unit_test(backends_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
