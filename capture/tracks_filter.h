// SPDX-License-Identifier: Apache-2.0
//
// Where a face will be: a Kalman filter on its box's centre, area and shape with constant velocity,
// as in SORT (Bewley et al. 2016), but in seconds, since a camera's frames are not evenly spaced,
// and with noise in units of the box's own width, since a face twice as near moves twice as far.
// Pure. Inside capture/ only.
//
// Thread: any.

#ifndef EG_TRACKS_FILTER_H
#define EG_TRACKS_FILTER_H

#include "capture/face.h"

// One coordinate: value and velocity with their covariance. The noise of different coordinates is
// taken as independent, which parts SORT's matrices into these.
struct eg_tracks_axis {
	float value, rate; // pixels (or pixels²), per second
	float vv, vr, rr;  // covariance
};

struct eg_tracks_filter {
	struct eg_tracks_axis x, y, area; // of the centre
	float shape;			  // width / height: a slow mean, without velocity
	int64_t seen_ns;		  // the last measurement
};

void eg_tracks_filter_begin(struct eg_tracks_filter *filter, struct eg_box box, int64_t now_ns);

// Takes in a measurement. Times rise.
void eg_tracks_filter_see(struct eg_tracks_filter *filter, struct eg_box box, int64_t now_ns);

// The box expected at a time not before the last measurement.
struct eg_box eg_tracks_filter_at(const struct eg_tracks_filter *filter, int64_t now_ns);

#endif
