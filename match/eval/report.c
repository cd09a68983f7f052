// SPDX-License-Identifier: Apache-2.0
//
// Writing report.html. Drawings are inline SVG.

#include "match/eval/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"
#include "firmware/base/mem.h"
#include "match/calib.h"
#include "match/kernel.h"

#define PAGE_MAX (8u << 20)
#define BINS	 60
#define DET_LOW	 -6.0 // log10 of the least rate drawn
#define WIDTH	 640
#define HEIGHT	 400
#define LEFT	 70
#define BOTTOM	 350
#define RIGHT	 620
#define TOP	 20

struct page {
	struct eg_buf buf;
	int r;
};

#define PUT(page, ...)                                                        \
	do {                                                                  \
		if ((page)->r == 0)                                           \
			(page)->r = eg_buf_printf(&(page)->buf, __VA_ARGS__); \
	} while (0)

void report_choose_threshold(struct report *report)
{
	const struct eg_pack *pack = eval_faces_pack(report->faces);
	struct eg_calib *calib = NULL;
	size_t count;
	const struct eg_pack_point *points = eg_pack_calibration(pack, &count);

	report->threshold = NAN;
	report->threshold_is = "none: too few impostors, and the pack has no calibration";
	if (count > 1 &&
	    eg_calib_new(points, count, eg_pack_calibration_floor(pack), &calib, NULL) == 0) {
		report->threshold = eg_calib_threshold(calib, 1e-4, NULL);
		report->threshold_is = "the booth's own for FMR 1e-4, from the pack's calibration";
		eg_calib_free(calib);
		return;
	}
	for (size_t i = 0; i < EVAL_LEVELS; i++) {
		static const char *const texts[EVAL_LEVELS] = {"this run's own at FMR 1e-2",
							       "this run's own at FMR 1e-3",
							       "this run's own at FMR 1e-4",
							       "this run's own at FMR 1e-5",
							       "this run's own at FMR 1e-6"};

		if (isnan(report->stats->threshold[i]))
			continue;
		report->threshold = report->stats->threshold[i];
		report->threshold_is = texts[i];
	}
}

static void put_escaped(struct page *page, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			PUT(page, "&lt;");
			break;
		case '>':
			PUT(page, "&gt;");
			break;
		case '&':
			PUT(page, "&amp;");
			break;
		case '"':
			PUT(page, "&quot;");
			break;
		default:
			PUT(page, "%c", *text);
		}
	}
}

static void put_rate(struct page *page, double bad, double n)
{
	struct eval_interval i = eval_wilson(bad, n);

	if (!(n > 0))
		PUT(page, "<td>no data</td>");
	else
		PUT(page, "<td>%.3g&nbsp;%% <small>(%.3g to %.3g; %.0f of %.0f)</small></td>",
		    100 * bad / n, 100 * i.low, 100 * i.high, bad, n);
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

// Both kinds' scores, each sorted, in one allocation; failed pairs left out.
static int sort_scores(const struct report *r, float **ret_scores, size_t *ret_genuine,
		       size_t *ret_impostors)
{
	float *scores = eg_calloc(r->count + 1, sizeof(*scores));
	size_t g = 0, i = 0;

	if (!scores)
		return EG_ENOMEM;
	for (size_t k = 0; k < r->count; k++)
		if (r->pair[k].genuine && !isnan(r->pair[k].score))
			scores[g++] = r->pair[k].score;
	for (size_t k = 0; k < r->count; k++)
		if (!r->pair[k].genuine && !isnan(r->pair[k].score))
			scores[g + i++] = r->pair[k].score;
	if (g > 0)
		qsort(scores, g, sizeof(*scores), by_float);
	if (i > 0)
		qsort(scores + g, i, sizeof(*scores), by_float);
	*ret_scores = scores;
	*ret_genuine = g;
	*ret_impostors = i;
	return 0;
}

// ---- drawings ---------------------------------------------------------------------------------

static void put_axes(struct page *page, const char *title, const char *across, const char *up)
{
	PUT(page,
	    "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>%s</title>\n"
	    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n"
	    "<text x=\"%d\" y=\"%d\" class=\"middle\">%s</text>\n"
	    "<text transform=\"translate(16 %d) rotate(-90)\" class=\"middle\">%s</text>\n",
	    WIDTH, HEIGHT, title, LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, (LEFT + RIGHT) / 2,
	    HEIGHT - 8, across, (TOP + BOTTOM) / 2, up);
}

static double det_x(double rate)
{
	double at = log10(fmax(rate, pow(10, DET_LOW)));

	return LEFT + (RIGHT - LEFT) * (at - DET_LOW) / -DET_LOW;
}

static double det_y(double rate)
{
	double at = log10(fmax(rate, 1e-4));

	return BOTTOM - (BOTTOM - TOP) * (at + 4) / 4;
}

// FNMR over FMR as the threshold rises; steps, on logarithmic axes.
static void put_det(struct page *page, const struct report *r, const float *genuine, size_t g,
		    const float *impostors, size_t n)
{
	size_t missed = 0;

	put_axes(page, "DET curve", "false match rate", "false non-match rate");
	for (int k = (int)DET_LOW; k <= 0; k++)
		PUT(page,
		    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"grid\"/>"
		    "<text x=\"%.1f\" y=\"%d\" class=\"middle\">1e%d</text>\n",
		    det_x(pow(10, k)), det_x(pow(10, k)), TOP, BOTTOM, det_x(pow(10, k)),
		    BOTTOM + 18, k);
	for (int k = -4; k <= 0; k++)
		PUT(page,
		    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>"
		    "<text x=\"%d\" y=\"%.1f\" class=\"end\">%g&#8239;%%</text>\n",
		    LEFT, RIGHT, det_y(pow(10, k)), det_y(pow(10, k)), LEFT - 6,
		    det_y(pow(10, k)) + 4, 100 * pow(10, k));
	PUT(page, "<polyline class=\"curve\" points=\"");
	// one point for each impostor score from the lowest, thinned to those that can be told
	// apart
	for (size_t i = 0, last = SIZE_MAX; i < n && g > 0; i++) {
		double x = det_x((double)(n - i) / (double)n);

		while (missed < g && genuine[missed] < impostors[i])
			missed++;
		if (last != SIZE_MAX && i + 1 < n && i + 1000 < n && (size_t)(x * 2) == last)
			continue;
		last = (size_t)(x * 2);
		PUT(page, "%.1f,%.1f ", x,
		    det_y((double)(missed + r->stats->genuine_failed) / (double)r->stats->genuine));
	}
	PUT(page, "\"/>\n</svg>\n");
}

static void put_bars(struct page *page, const float *scores, size_t n, const char *kind)
{
	double share[BINS] = {0}, most = 0;

	for (size_t i = 0; i < n; i++) {
		int bin = (int)((scores[i] + 0.4f) / 1.4f * BINS);

		bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
		share[bin] += 1 / (double)n;
	}
	for (int i = 0; i < BINS; i++)
		most = fmax(most, share[i]);
	PUT(page, "<path class=\"%s\" d=\"M%d %d", kind, LEFT, BOTTOM);
	for (int i = 0; i < BINS && most > 0; i++)
		PUT(page, "V%.1fH%.1f", BOTTOM - (BOTTOM - TOP - 10) * share[i] / most,
		    LEFT + (RIGHT - LEFT) * (i + 1) / (double)BINS);
	PUT(page, "V%dZ\"/>\n", BOTTOM);
}

static void put_histogram(struct page *page, const struct report *r, const float *genuine, size_t g,
			  const float *impostors, size_t n)
{
	put_axes(page, "Comparison scores", "comparison score", "share, each kind to its highest");
	for (int k = -4; k <= 10; k += 2)
		PUT(page, "<text x=\"%.1f\" y=\"%d\" class=\"middle\">%.1f</text>\n",
		    LEFT + (RIGHT - LEFT) * (k + 4) / 14.0, BOTTOM + 18, k / 10.0);
	put_bars(page, impostors, n, "impostor");
	put_bars(page, genuine, g, "genuine");
	if (r->threshold > -0.4 && r->threshold < 1) {
		double x = LEFT + (RIGHT - LEFT) * (r->threshold + 0.4) / 1.4;

		PUT(page,
		    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"threshold\"/>\n", x,
		    x, TOP, BOTTOM);
	}
	PUT(page,
	    "<rect x=\"480\" y=\"30\" width=\"12\" height=\"12\" class=\"genuine\"/>"
	    "<text x=\"498\" y=\"41\">genuine (%zu)</text>\n"
	    "<rect x=\"480\" y=\"50\" width=\"12\" height=\"12\" class=\"impostor\"/>"
	    "<text x=\"498\" y=\"61\">impostors (%zu)</text>\n</svg>\n",
	    g, n);
}

// ---- tables -----------------------------------------------------------------------------------

static void put_levels(struct page *page, const struct eval_stats *s)
{
	PUT(page, "<table><tr><th>FMR</th><th>threshold</th><th>FNMR (95&nbsp;%%; of)</th></tr>\n");
	for (size_t i = 0; i < EVAL_LEVELS; i++) {
		PUT(page, "<tr><td>%s</td>", eval_level_names[i]);
		if (isnan(s->threshold[i])) {
			PUT(page, "<td colspan=\"2\">too few impostors to say</td></tr>\n");
			continue;
		}
		PUT(page, "<td>%.4f</td>", s->threshold[i]);
		put_rate(page, rint(s->fnmr[i] * (double)s->genuine), (double)s->genuine);
		PUT(page, "</tr>\n");
	}
	PUT(page, "</table>\n");
}

static void put_group(struct page *page, const struct report *r, const struct report_group *g)
{
	bool known = !isnan(r->threshold);

	PUT(page, "<tr><td>");
	put_escaped(page, g->name);
	PUT(page, "</td>");
	put_rate(page, (double)(g->missed + g->genuine_failed),
		 known ? (double)(g->genuine + g->genuine_failed) : 0);
	put_rate(page, (double)g->matched, known ? (double)g->impostors : 0);
	put_rate(page, (double)g->captures_failed, (double)g->captures);
	PUT(page, "</tr>\n");
}

static void put_groups(struct page *page, const struct report *r)
{
	struct report_group all = {.name = "all"};

	for (size_t i = 0; i < r->count; i++) {
		bool failed = isnan(r->pair[i].score);
		bool over = !failed && (double)r->pair[i].score >= r->threshold;

		all.genuine += r->pair[i].genuine && !failed;
		all.genuine_failed += r->pair[i].genuine && failed;
		all.missed += r->pair[i].genuine && !failed && !over;
		all.impostors += !r->pair[i].genuine && !failed;
		all.matched += !r->pair[i].genuine && over;
	}
	eval_faces_count(r->faces, &all.captures, &all.captures_failed);
	PUT(page,
	    "<table><tr><th>group</th><th>FNMR (95&nbsp;%%; of)</th>"
	    "<th>FMR (95&nbsp;%%; of)</th><th>failure to acquire (95&nbsp;%%; of)</th></tr>\n");
	put_group(page, r, &all);
	for (size_t i = 0; i < r->group_count; i++)
		put_group(page, r, &r->group[i]);
	PUT(page, "</table>\n");
}

static void put_digest(struct page *page, const char *name, const uint8_t *digest)
{
	char text[2 * EG_SHA256_SIZE + 1];

	if (!digest)
		return;
	eg_hex(digest, EG_SHA256_SIZE, text);
	PUT(page, "<tr><td>%s</td><td><code>%s</code></td></tr>\n", name, text);
}

static void put_models(struct page *page, const struct report *r)
{
	const struct eg_pack *pack = eval_faces_pack(r->faces);

	PUT(page, "<table><tr><th>what</th><th>SHA-256</th></tr>\n");
	put_digest(page, "pack.json (with the calibration)", eg_pack_digest(pack));
	put_digest(page, "detector", eg_pack_model_digest(pack, EG_MODEL_DETECT));
	put_digest(page, "landmarks", eg_pack_model_digest(pack, EG_MODEL_LANDMARK));
	put_digest(page, "recogniser", eg_pack_model_digest(pack, EG_MODEL_FEATURE));
	PUT(page, "</table>\n<p>Pack ");
	put_escaped(page, eg_pack_name(pack));
	PUT(page, ", Egress %s, %d warp(s) a template, kernel %s.</p>\n", EG_VERSION,
	    eval_faces_fast(r->faces) ? 1 : 5, eg_kernel_name());
}

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Egress: accuracy report</title>\n<style>\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
	"color:#1b1f24;background:#fff}\n"
	"svg{width:100%;max-width:640px;height:auto;display:block}\n"
	"svg text{font-size:13px;fill:#444}.middle{text-anchor:middle}.end{text-anchor:end}\n"
	".frame{fill:none;stroke:#888}.grid{stroke:#ddd}"
	".curve{fill:none;stroke:#0b5cad;stroke-width:2}\n"
	".genuine{fill:#2b8a5799;stroke:#1d6b41}.impostor{fill:#c76b1499;stroke:#8f4a08}"
	".threshold{stroke:#111;stroke-dasharray:5 4}\n"
	"table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;"
	"padding:.3rem .6rem;text-align:left;vertical-align:top}\n"
	"code{font-size:12px;word-break:break-all}\n</style></head><body>\n";

static void put_page(struct page *page, const struct report *r, const float *genuine, size_t g,
		     size_t n)
{
	struct eval_interval accuracy =
		eval_wilson(r->stats->accuracy * (double)r->count, (double)r->count);

	if (page->r == 0)
		page->r = eg_buf_put(&page->buf, head, sizeof(head) - 1);
	PUT(page, "<h1>Accuracy report</h1>\n<p>List ");
	put_escaped(page, r->list);
	PUT(page,
	    ": %zu genuine and %zu impostor pairs. Intervals are Wilson's, 95&nbsp;%%, with "
	    "pairs taken as independent; those of one person are not, so the true ones are "
	    "wider. A failure to acquire counts as a non-match.</p>\n",
	    r->stats->genuine, r->stats->impostors);
	if (!isnan(r->stats->accuracy))
		PUT(page, "<p>Accuracy, ten folds: %.2f&nbsp;%% (%.2f to %.2f). ",
		    100 * r->stats->accuracy, 100 * accuracy.low, 100 * accuracy.high);
	if (!isnan(r->stats->eer))
		PUT(page, "Equal error rate %.2f&nbsp;%%.", 100 * r->stats->eer);
	PUT(page, "</p>\n<h2>Errors against each other</h2>\n");
	put_det(page, r, genuine, g, genuine + g, n);
	put_levels(page, r->stats);
	PUT(page, "<h2>Comparison scores</h2>\n");
	put_histogram(page, r, genuine, g, genuine + g, n);
	PUT(page, "<h2>By group</h2>\n<p>At ");
	if (!isnan(r->threshold))
		PUT(page, "threshold %.4f: ", r->threshold);
	put_escaped(page, r->threshold_is);
	PUT(page, ". A group with few pairs has a wide interval: that is what is known of it, and "
		  "a difference within it is none.</p>\n");
	put_groups(page, r);
	PUT(page, "<h2>Models</h2>\n");
	put_models(page, r);
	PUT(page, "</body></html>\n");
}

int report_write(const struct report *report, const char *dir, struct eg_err *err)
{
	struct page page = {.r = 0};
	float *scores = NULL;
	char *path = NULL;
	size_t g = 0, n = 0;
	int r = sort_scores(report, &scores, &g, &n);

	eg_buf_init(&page.buf, PAGE_MAX);
	if (r == 0)
		put_page(&page, report, scores, g, n);
	if (r != 0 || page.r != 0 || asprintf(&path, "%s/report.html", dir) < 0)
		r = eg_err_set(err, EG_ENOMEM, "%s/report.html: out of memory or over %u bytes",
			       dir, PAGE_MAX);
	else
		r = eg_file_write(path, eg_buf_bytes(&page.buf), 0644, err);
	free(path);
	free(scores);
	eg_buf_done(&page.buf);
	return r;
}
