// SPDX-License-Identifier: Apache-2.0
//
// What capture knows of a face: where it is, its landmarks, its quality, whether it looks alive.
// Plain values, no memory of their own.

#ifndef EG_FACE_H
#define EG_FACE_H

#include <stdbool.h>
#include <stdint.h>

#define EG_LANDMARKS 68

struct eg_point {
	float x, y; // pixels of the frame
};

struct eg_box {
	float x, y, width, height; // pixels of the frame; may reach outside of it
};

// Components under the names of ISO/IEC 29794-5, each 0 (worst) … 100 (best); -1: not measured.
enum eg_quality_component {
	EG_QUALITY_SHARPNESS,
	EG_QUALITY_LUMINANCE_MEAN,
	EG_QUALITY_LUMINANCE_VARIANCE,
	EG_QUALITY_UNDER_EXPOSURE,
	EG_QUALITY_OVER_EXPOSURE,
	EG_QUALITY_DYNAMIC_RANGE,
	EG_QUALITY_ILLUMINATION_UNIFORMITY,
	EG_QUALITY_INTER_EYE_DISTANCE,
	EG_QUALITY_HEAD_SIZE,
	EG_QUALITY_CROP_MARGINS,
	EG_QUALITY_POSE_YAW,
	EG_QUALITY_POSE_PITCH,
	EG_QUALITY_POSE_ROLL,
	EG_QUALITY_EYES_OPEN,
	EG_QUALITY_MOUTH_CLOSED,
	EG_QUALITY_SINGLE_FACE,
	EG_QUALITY_COUNT,
};

const char *eg_quality_name(enum eg_quality_component component); // "sharpness", "pose_yaw", ...

struct eg_quality {
	int8_t component[EG_QUALITY_COUNT];
	int8_t overall;			    // 0 … 100: unified score
	float inter_eye_px;		    // pixels of the frame
	float yaw_deg, pitch_deg, roll_deg; // as seen: positive yaw = subject's head to image right
};

struct eg_face {
	struct eg_box box;
	float score; // detector's, 0 … 1
	bool has_landmarks;
	struct eg_point landmark[EG_LANDMARKS]; // iBUG order: 36–41 and 42–47 eyes, 30 nose tip
	struct eg_quality quality;
};

// Evidence on presentation attacks; policy decides what it is worth.
struct eg_liveness {
	float score;	  // 0 = attack … 1 = live; NaN: not measured
	uint32_t frames;  // how many frames it rests on
	uint32_t reasons; // bits of enum eg_liveness_reason
};

enum eg_liveness_reason {
	EG_LIVENESS_MODEL = 1u << 0,	// the model says attack
	EG_LIVENESS_MOIRE = 1u << 1,	// periodic pattern of a screen or print
	EG_LIVENESS_BORDER = 1u << 2,	// edge of a sheet or device round the face
	EG_LIVENESS_SPECULAR = 1u << 3, // glare of a flat surface
	EG_LIVENESS_MOTION = 1u << 4,	// face moves with its background
	EG_LIVENESS_UNSTEADY = 1u << 5, // frames contradict each other
};
#define EG_LIVENESS_REASONS 6 // bits

// The reason of one bit, 0 … EG_LIVENESS_REASONS − 1: "model", "moire", …
const char *eg_liveness_reason_name(unsigned int bit);

#endif
