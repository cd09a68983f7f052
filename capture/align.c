// SPDX-License-Identifier: Apache-2.0
//
// Least squares on landmarks.

#include "capture/align.h"

#include <assert.h>
#include <math.h>

const struct eg_point eg_align_targets[5] = {
	{38.2946f, 51.6963f}, {73.5318f, 51.5014f}, {56.0252f, 71.7366f},
	{41.5493f, 92.3655f}, {70.7299f, 92.2041f},
};

static struct eg_point mean(const struct eg_point *p, size_t count)
{
	struct eg_point sum = {0, 0};

	for (size_t i = 0; i < count; i++)
		sum = (struct eg_point){sum.x + p[i].x, sum.y + p[i].y};
	return (struct eg_point){sum.x / (float)count, sum.y / (float)count};
}

void eg_align_points(const struct eg_face *face, struct eg_point ret_points[5])
{
	ret_points[0] = mean(&face->landmark[36], 6);
	ret_points[1] = mean(&face->landmark[42], 6);
	ret_points[2] = face->landmark[30];
	ret_points[3] = face->landmark[48];
	ret_points[4] = face->landmark[54];
}

// In the plane, turn and scale are one complex number a: to ≈ a · from + b. We want the way back,
// from ≈ (to − b) / a; a comes from the sums of conj(from) · to and |from|².
int eg_align_map(const struct eg_point *from, const struct eg_point *to, size_t count,
		 struct eg_affine *ret_map)
{
	const struct eg_point f0 = mean(from, count), t0 = mean(to, count);
	double re = 0, im = 0, norm = 0, back_re, back_im;

	for (size_t i = 0; i < count; i++) {
		double fx = from[i].x - f0.x, fy = from[i].y - f0.y;
		double tx = to[i].x - t0.x, ty = to[i].y - t0.y;

		re += fx * tx + fy * ty;
		im += fx * ty - fy * tx;
		norm += fx * fx + fy * fy;
	}
	re /= norm;
	im /= norm;
	norm = re * re + im * im;
	if (!(norm > 1e-12) || !isfinite(norm))
		return EG_EINVAL;
	back_re = re / norm;
	back_im = -im / norm;
	*ret_map = (struct eg_affine){{back_re, -back_im, f0.x - back_re * t0.x + back_im * t0.y,
				       back_im, back_re, f0.y - back_im * t0.x - back_re * t0.y}};
	return 0;
}

int eg_align_into(const struct eg_image *image, const struct eg_face *face,
		  struct eg_image *scratch, struct eg_image *ret_aligned)
{
	struct eg_point points[5];
	struct eg_affine map;
	int r;

	if (!face->has_landmarks || image->channels != 3)
		return EG_EINVAL;
	eg_align_points(face, points);
	r = eg_align_map(points, eg_align_targets, 5, &map);
	if (r == 0)
		r = eg_image_resize(ret_aligned, EG_ALIGNED_SIDE, EG_ALIGNED_SIDE, 3);
	if (r == 0)
		r = eg_sample(image, &map, EG_BORDER_GREY, scratch, ret_aligned);
	return r;
}

int eg_align(const struct eg_image *image, const struct eg_face *face, struct eg_image *ret_aligned)
{
	struct eg_image scratch = {0};
	int r = eg_align_into(image, face, &scratch, ret_aligned);

	eg_image_done(&scratch);
	return r;
}

// ---- pose -------------------------------------------------------------------------------------

// A mean head in millimetres: x to the subject's left (image right), y down, z towards the camera.
static const struct {
	int landmark;
	double x, y, z;
} head[] = {
	{36, -45, -34, -27}, {39, -18, -34, -22}, {42, 18, -34, -22}, {45, 45, -34, -27},
	{30, 0, 0, 0},	     {48, -27, 30, -24},  {54, 27, 30, -24},  {8, 0, 66, -18},
};
#define HEAD_POINTS (sizeof(head) / sizeof(head[0]))

// Solves the symmetric 3×3 system m·x = v by Cramer's rule.
static void solve3(const double m[3][3], const double v[3], double x[3])
{
	double c0 = m[1][1] * m[2][2] - m[1][2] * m[2][1];
	double c1 = m[1][2] * m[2][0] - m[1][0] * m[2][2];
	double c2 = m[1][0] * m[2][1] - m[1][1] * m[2][0];
	double det = m[0][0] * c0 + m[0][1] * c1 + m[0][2] * c2;

	x[0] = (v[0] * c0 + v[1] * (m[0][2] * m[2][1] - m[0][1] * m[2][2]) +
		v[2] * (m[0][1] * m[1][2] - m[0][2] * m[1][1])) /
	       det;
	x[1] = (v[0] * c1 + v[1] * (m[0][0] * m[2][2] - m[0][2] * m[2][0]) +
		v[2] * (m[0][2] * m[1][0] - m[0][0] * m[1][2])) /
	       det;
	x[2] = (v[0] * c2 + v[1] * (m[0][1] * m[2][0] - m[0][0] * m[2][1]) +
		v[2] * (m[0][0] * m[1][1] - m[0][1] * m[1][0])) /
	       det;
}

void eg_align_pose(const struct eg_face *face, float *ret_yaw, float *ret_pitch, float *ret_roll)
{
	const double degrees = 180 / acos(-1.0);
	double h0[3] = {0}, u0 = 0, v0 = 0, m[3][3] = {{0}}, mu[3] = {0}, mv[3] = {0};
	double a[3], b[3], na, nb, z[3];

	for (size_t i = 0; i < HEAD_POINTS; i++) {
		h0[0] += head[i].x / HEAD_POINTS;
		h0[1] += head[i].y / HEAD_POINTS;
		h0[2] += head[i].z / HEAD_POINTS;
		u0 += (double)face->landmark[head[i].landmark].x / HEAD_POINTS;
		v0 += (double)face->landmark[head[i].landmark].y / HEAD_POINTS;
	}
	for (size_t i = 0; i < HEAD_POINTS; i++) {
		const double p[3] = {head[i].x - h0[0], head[i].y - h0[1], head[i].z - h0[2]};

		for (int r = 0; r < 3; r++) {
			for (int c = 0; c < 3; c++)
				m[r][c] += p[r] * p[c];
			mu[r] += p[r] * ((double)face->landmark[head[i].landmark].x - u0);
			mv[r] += p[r] * ((double)face->landmark[head[i].landmark].y - v0);
		}
	}
	solve3(m, mu, a); // image x of each head axis, times the scale
	solve3(m, mv, b);
	na = sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
	nb = sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]);
	if (!(na > 1e-9 && nb > 1e-9)) {
		*ret_yaw = *ret_pitch = *ret_roll = 0;
		return;
	}
	for (int i = 0; i < 3; i++) {
		a[i] /= na;
		b[i] /= nb;
	}
	// the direction in which the nose points, in the image
	z[0] = a[2];
	z[1] = b[2];
	z[2] = a[0] * b[1] - a[1] * b[0];
	*ret_yaw = (float)(atan2(z[0], fabs(z[2])) * degrees);
	*ret_pitch = (float)(-asin(fmax(-1, fmin(1, z[1]))) * degrees);
	*ret_roll = (float)(atan2(b[0], a[0]) * degrees);
}
