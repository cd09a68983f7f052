// SPDX-License-Identifier: Apache-2.0
//
// What vision.c and vision_book.c share.
//
// Thread: the vision worker.

#ifndef EG_VISION_INTERNAL_H
#define EG_VISION_INTERNAL_H

#include "firmware/boothd/book.h"
#include "firmware/boothd/subject.h"
#include "firmware/boothd/vision.h"

struct eg_vision {
	struct eg_worker_config config;
	struct eg_pack *pack;
	struct eg_capture *capture, *stills;
	struct eg_extractor *extractor;
	struct eg_calib *calib;
	struct eg_subjects *subjects;
	struct eg_book *book;	     // in use; NULL: none
	struct eg_book_maker *maker; // in the making; NULL: none
	uint64_t last_digest, duplicates;
	uint32_t generation; // of the last frame
	size_t waiting;	     // tracks in the zone without a verdict, as of the last frame
};

#endif
