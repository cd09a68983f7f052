// SPDX-License-Identifier: Apache-2.0
//
// What the camera tests share: synthetic numbered pictures, and a sink that reads them back.
//
// A picture carries its number (0 … 255) as eight black or white blocks along its top, and below
// them four fields of known colour, so that order, loss and colours can be told from pixels alone.

#ifndef EG_TEST_CAMERA_H
#define EG_TEST_CAMERA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "drivers/camera.h"

#define WIDTH	 320
#define HEIGHT	 240
#define SEEN_MAX 256

struct seen {
	pthread_mutex_t lock;
	pthread_cond_t change;
	int count, events;
	struct seen_frame {
		int number;
		uint64_t sequence, digest;
		uint32_t generation;
		int64_t captured_ns;
	} frame[SEEN_MAX];
	enum eg_camera_event event[SEEN_MAX];
	char text[256];			 // of the last event
	struct eg_frame *held[SEEN_MAX]; // instead of giving them back
	int hold, held_count;		 // how many to hold
	int worst;			 // colour error over all frames
};

// The picture with this number, as BGR.
void make_picture(struct eg_image *image, int number);

// Writes pictures 0 … count - 1 as FOLDER/000.jpg …; makes the folder.
void make_folder(const char *folder, int count);

int number_of(const struct eg_frame *frame);

// The largest difference, of any channel, between the four fields and their true colours.
int colour_error(const struct eg_image *image);

void seen_init(struct seen *seen);
void seen_done(struct seen *seen); // gives back what is held
struct eg_camera_sink seen_sink(struct seen *seen);

// Waits up to 20 s, which only a broken camera needs.
void wait_frames(struct seen *seen, int count);
void wait_event(struct seen *seen, enum eg_camera_event event);
bool has_event(struct seen *seen, enum eg_camera_event event);
int count_frames(struct seen *seen);

#endif
