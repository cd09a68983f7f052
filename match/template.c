// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on templates: compare, fuse, round to int8, wipe.

#include "match/template.h"

#include <math.h>
#include <string.h>

#include "firmware/base/mem.h"

#define LENGTH_MIN   0.1 // (weak / strong)^power is never less
#define LENGTH_SLACK 1e-3

void eg_template_wipe(struct eg_template *t)
{
	if (t)
		eg_wipe(t, sizeof(*t));
}

static double length_of(const struct eg_template *t)
{
	double sum = 0;

	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		sum += (double)t->value[k] * (double)t->value[k];
	return sqrt(sum);
}

int eg_template_check(const struct eg_template *t)
{
	double length = length_of(t);

	// also false when a value was NaN or infinite
	return length >= LENGTH_MIN && length <= 1 + LENGTH_SLACK ? 0 : EG_EINVAL;
}

int eg_template_compare(const struct eg_template *a, const struct eg_template *b, float *ret_score)
{
	float score;

	if (memcmp(a->model, b->model, sizeof(a->model)) != 0 || eg_template_check(a) != 0 ||
	    eg_template_check(b) != 0)
		return EG_EINVAL;
	eg_kernel()->dot_float(a->value, b->value, 1, &score);
	if (!isfinite(score))
		return EG_EINVAL;
	*ret_score = fminf(1, fmaxf(-1, score)); // rounding may step over 1
	return 0;
}

int eg_template_fuse(const struct eg_template *const *templates, const float *weights, size_t count,
		     struct eg_template *ret_template)
{
	double sum[EG_TEMPLATE_SIZE] = {0};
	double length = 0, weights_sum = 0, mean_length = 0;
	int r = count > 0 ? 0 : EG_EINVAL;

	for (size_t i = 0; i < count && r == 0; i++) {
		double weight = weights ? (double)weights[i] : 1;
		double own = length_of(templates[i]);

		if (!(weight > 0 && isfinite(weight)) || eg_template_check(templates[i]) != 0 ||
		    memcmp(templates[i]->model, templates[0]->model, EG_SHA256_SIZE) != 0)
			r = EG_EINVAL;
		for (size_t k = 0; k < EG_TEMPLATE_SIZE && r == 0; k++)
			sum[k] += weight / own * (double)templates[i]->value[k];
		mean_length += weight * own;
		weights_sum += weight;
	}
	mean_length /= weights_sum;
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		length += sum[k] * sum[k];
	length = sqrt(length);
	if (r == 0 && !(isfinite(length) && length > 1e-9))
		r = EG_EINVAL; // templates that point away from each other
	if (r == 0) {
		memmove(ret_template->model, templates[0]->model, EG_SHA256_SIZE);
		for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
			ret_template->value[k] = (float)(sum[k] * mean_length / length);
	}
	eg_wipe(sum, sizeof(sum));
	return r;
}

void eg_template_quantise(const struct eg_template *t, int8_t ret_values[EG_TEMPLATE_SIZE],
			  float *ret_scale, float *ret_error)
{
	double largest = 0, scale, error = 0;

	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++)
		largest = fmax(largest, fabs((double)t->value[k]));
	scale = (double)(float)(largest / 127); // as it will be used
	for (size_t k = 0; k < EG_TEMPLATE_SIZE; k++) {
		double q = fmin(127, fmax(-127, round((double)t->value[k] / scale)));
		double off = (double)t->value[k] - scale * q;

		ret_values[k] = (int8_t)q;
		error += off * off;
	}
	*ret_scale = (float)scale;
	*ret_error = (float)sqrt(error);
}
