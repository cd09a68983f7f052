// SPDX-License-Identifier: Apache-2.0
//
// Writing a page. Colours are variables that the style sets for light, dark and paper.

#include "match/eval/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/file.h"

#define PAGE_MAX (8u << 20)

// Drawings, in their own units.
#define WIDTH  660
#define HEIGHT 400
#define LEFT   74
#define BOTTOM 346
#define RIGHT  626
#define TOP    14
#define BINS   70
#define STEPS  400 // places along the axis at which a curve is worked out

static const char style[] =
	":root{color-scheme:light dark;--ink:#1a2129;--soft:#5b6672;--line:#d5dbe1;--paper:#fff;"
	"--card:#f4f6f8;--good:#0b6e99;--bad:#c2570c;--mark:#1a2129}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#9aa6b2;--line:#333d47;"
	"--paper:#12171c;--card:#1b2229;--good:#5cb8e0;--bad:#f0a060;--mark:#e6eaee}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:16px/1.5 system-ui,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif;margin:0 auto;"
	"max-width:88rem;padding:2rem 2rem 4rem;color:var(--ink);background:var(--paper);"
	"font-variant-numeric:tabular-nums}\n"
	"h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem}"
	"h2{font-size:1.25rem;margin:2.5rem 0 .5rem;padding-top:.75rem;"
	"border-top:1px solid var(--line)}h3{font-size:1rem;margin:1.5rem 0 .25rem}\n"
	"p{max-width:68ch;margin:.5rem 0}.soft,small,figcaption{color:var(--soft)}"
	"small{font-size:.8125rem}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem;"
	"margin:1.5rem 0;padding:0;list-style:none}.tiles li{background:var(--card);"
	"border-radius:.5rem;padding:.9rem 1.1rem}.tiles b{display:block;font-size:1.75rem;"
	"line-height:1.25;font-weight:600}\n"
	".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(28rem,100%),1fr));"
	"gap:2rem}figure{margin:1rem 0}figcaption{font-size:.875rem;max-width:68ch}\n"
	"svg{width:100%;height:auto;display:block}svg text{font-size:13px;fill:var(--soft)}\n"
	".middle{text-anchor:middle}.end{text-anchor:end}.frame{fill:none;stroke:var(--soft)}"
	".grid{stroke:var(--line)}.curve{fill:none;stroke:var(--good);stroke-width:2}"
	".band{fill:var(--good);opacity:.18}\n"
	".wanted{fill:var(--good);fill-opacity:.35;stroke:var(--good)}"
	".unwanted{fill:var(--bad);fill-opacity:.35;stroke:var(--bad)}"
	".threshold{stroke:var(--mark);stroke-dasharray:5 4}"
	".dot{fill:var(--mark)}.bar{stroke:var(--good);stroke-width:6;stroke-opacity:.45}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;margin:.75rem 0;min-width:32rem}"
	"th,td{padding:.4rem 1.1rem .4rem 0;text-align:left;vertical-align:middle;"
	"border-bottom:1px solid var(--line);white-space:nowrap}th{font-weight:600;"
	"border-bottom-color:var(--soft)}td.number{text-align:right}\n"
	"td svg{width:12rem;height:.6rem}td.text{white-space:normal}"
	"code{font:13px/1.5 ui-monospace,\"DejaVu Sans Mono\",monospace;word-break:break-all}\n"
	"@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;"
	"--card:#fff;--good:#0b5c80;--bad:#a84a08;--mark:#000}@page{margin:15mm}"
	"body{font-size:9pt;padding:0;max-width:none}svg "
	"text{font-size:17px}table{break-inside:avoid}"
	".tiles{grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.5rem}.tiles "
	"li{border:1px solid var(--line)}"
	".charts{grid-template-columns:1fr 1fr;gap:1rem}h2,h3{break-after:avoid}"
	"figure,tr,.tiles li{break-inside:avoid}.wide{overflow:visible}"
	"th,td{white-space:normal;padding-right:.6rem}table{min-width:0}td svg{width:8rem}}\n";

void page_put(struct page *page, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	int n;

	if (page->r != 0)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	page->r = n < 0 || (size_t)n >= sizeof(text) ? EG_ETOOBIG
						     : eg_buf_put(&page->buf, text, (size_t)n);
}

static void put_whole(struct page *page, const char *text)
{
	if (page->r == 0)
		page->r = eg_buf_put(&page->buf, text, strlen(text));
}

void page_escaped(struct page *page, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			put_whole(page, "&lt;");
			break;
		case '>':
			put_whole(page, "&gt;");
			break;
		case '&':
			put_whole(page, "&amp;");
			break;
		case '"':
			put_whole(page, "&quot;");
			break;
		default:
			page_put(page, "%c", *text);
		}
	}
}

void page_begin(struct page *page, const char *title)
{
	*page = (struct page){0};
	eg_buf_init(&page->buf, PAGE_MAX);
	put_whole(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<title>");
	page_escaped(page, title);
	put_whole(page, "</title>\n<style>\n");
	put_whole(page, style);
	put_whole(page, "</style></head><body>\n");
}

int page_write(struct page *page, const char *dir, struct eg_err *err)
{
	char *path = NULL;
	int r;

	put_whole(page, "</body></html>\n");
	if (page->r != 0 || asprintf(&path, "%s/report.html", dir) < 0)
		r = eg_err_set(err, page->r ? page->r : EG_ENOMEM,
			       "%s/report.html: out of memory or over %u bytes", dir, PAGE_MAX);
	else
		r = eg_file_write(path, eg_buf_bytes(&page->buf), 0644, err);
	free(path);
	eg_buf_done(&page->buf);
	return r;
}

// Three figures, and no exponent where a reader would stumble over it.
void page_percent(struct page *page, double share)
{
	double percent = share < 1e-12 ? 0 : 100 * share;
	int digits = percent >= 99.95 || percent == 0 ? 0 : 2 - (int)floor(log10(percent));

	page_put(page, "%.*f", digits > 7 ? 7 : digits < 0 ? 0 : digits, percent);
}

static void put_whisker(struct page *page, double rate, struct eval_interval interval, double most)
{
	double scale = most > 0 ? 192 / most : 0;

	page_put(page,
		 "<svg viewBox=\"0 0 200 10\" aria-hidden=\"true\"><line x1=\"4\" x2=\"196\" "
		 "y1=\"5\" y2=\"5\" class=\"grid\"/><line x1=\"%.1f\" x2=\"%.1f\" y1=\"5\" "
		 "y2=\"5\" class=\"bar\"/><circle cx=\"%.1f\" cy=\"5\" r=\"3.5\" "
		 "class=\"dot\"/></svg>",
		 4 + scale * interval.low, 4 + scale * interval.high, 4 + scale * rate);
}

void page_rate(struct page *page, double bad, double n, double most)
{
	struct eval_interval interval = eval_wilson(bad, n);

	if (!(n > 0)) {
		page_put(page, "<td class=\"soft\">no data</td>");
		return;
	}
	page_put(page, "<td>");
	page_percent(page, bad / n);
	page_put(page, "&nbsp;%% <small>(");
	page_percent(page, interval.low);
	page_put(page, " to ");
	page_percent(page, interval.high);
	page_put(page, "; %.0f of %.0f)</small>", bad, n);
	if (most > 0)
		put_whisker(page, bad / n, interval, most);
	page_put(page, "</td>");
}

// ---- drawings ---------------------------------------------------------------------------------

static void put_axes(struct page *page, const char *title, const char *across, const char *up)
{
	page_put(page, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\"><title>%s</title>\n", WIDTH,
		 HEIGHT, title);
	page_put(page,
		 "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n"
		 "<text x=\"%d\" y=\"%d\" class=\"middle\">%s</text>\n"
		 "<text transform=\"translate(16 %d) rotate(-90)\" class=\"middle\">%s</text>\n",
		 LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, (LEFT + RIGHT) / 2, HEIGHT - 10, across,
		 (TOP + BOTTOM) / 2, up);
}

static void put_x_mark(struct page *page, double x, const char *text)
{
	page_put(page,
		 "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"grid\"/>"
		 "<text x=\"%.1f\" y=\"%d\" class=\"middle\">%s</text>\n",
		 x, x, TOP, BOTTOM, x, BOTTOM + 19, text);
}

// A decade of a logarithmic axis upwards, from 10^low at the bottom to 1 on top.
static double log_y(double rate, int low)
{
	double at = log10(fmax(rate, pow(10, low)));

	return BOTTOM - (BOTTOM - TOP) * (at - low) / -low;
}

static const char *decade(int k)
{
	static const char *const texts[] = {"100 %",  "10 %",	 "1 %",	   "0.1 %",
					    "0.01 %", "0.001 %", "1e-4 %", "1e-5 %"};

	return texts[-k];
}

static void put_y_marks(struct page *page, int low)
{
	for (int k = low; k <= 0; k++)
		page_put(page,
			 "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>"
			 "<text x=\"%d\" y=\"%.1f\" class=\"end\">%s</text>\n",
			 LEFT, RIGHT, log_y(pow(10, k), low), log_y(pow(10, k), low), LEFT - 8,
			 log_y(pow(10, k), low) + 4, decade(k));
}

// The least decade that `n` tries can show, between −2 and −7.
static int least_decade(size_t n)
{
	int k = -2;

	while (k > -7 && pow(10, -k) < (double)n)
		k--;
	return k;
}

struct det {
	const struct page_scores *s;
	int low_x, low_y;
};

static double det_x(const struct det *d, double rate)
{
	double at = log10(fmax(rate, pow(10, d->low_x)));

	return LEFT + (RIGHT - LEFT) * (at - d->low_x) / -d->low_x;
}

// Unwanted scores that pass at the curve's step i, and wanted ones that don't.
static void det_at(const struct det *d, size_t i, size_t *ret_matched, double *ret_missed)
{
	const struct page_scores *s = d->s;
	double rate = pow(10, d->low_x + -d->low_x * (double)i / STEPS);
	size_t k = (size_t)(rate * (double)s->unwanted_count + 0.5);

	if (k >= s->unwanted_count) {
		*ret_matched = s->unwanted_count;
		*ret_missed =
			(double)(s->wanted_failed + eval_count_below(s->wanted, s->wanted_count,
								     (double)s->unwanted[0]));
		return;
	}
	double at = (double)nextafterf(s->unwanted[s->unwanted_count - 1 - k], INFINITY);

	*ret_missed = (double)(s->wanted_failed + eval_count_below(s->wanted, s->wanted_count, at));
	*ret_matched = s->unwanted_count - eval_count_below(s->unwanted, s->unwanted_count, at);
}

// Steps at which the number of unwanted scores changes: a curve over fewer would be made up.
static void put_det_line(struct page *page, const struct det *d, int side)
{
	double n = (double)(d->s->wanted_count + d->s->wanted_failed);

	for (size_t k = 0; k <= STEPS; k++) {
		size_t i = side > 0 ? STEPS - k : k, matched;
		double missed;
		struct eval_interval interval;

		det_at(d, i, &matched, &missed);
		if (matched == 0)
			continue;
		interval = eval_wilson(missed, n);
		page_put(page, "%.1f,%.1f ",
			 det_x(d, (double)matched / (double)d->s->unwanted_count),
			 log_y(side == 0  ? missed / n
			       : side < 0 ? interval.low
					  : interval.high,
			       d->low_y));
	}
}

static void put_threshold_dot(struct page *page, const struct det *d)
{
	const struct page_scores *s = d->s;
	double missed, matched, n = (double)(s->wanted_count + s->wanted_failed);

	if (isnan(s->threshold))
		return;
	missed = (double)(s->wanted_failed +
			  eval_count_below(s->wanted, s->wanted_count, s->threshold));
	matched = (double)(s->unwanted_count -
			   eval_count_below(s->unwanted, s->unwanted_count, s->threshold));
	page_put(page, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" class=\"dot\"/>\n",
		 det_x(d, matched / (double)s->unwanted_count), log_y(missed / n, d->low_y));
}

void page_det(struct page *page, const struct page_scores *s)
{
	struct det d = {s, least_decade(s->unwanted_count),
			least_decade(s->wanted_count + s->wanted_failed)};

	if (s->unwanted_count == 0 || s->wanted_count + s->wanted_failed == 0) {
		page_put(page, "<p class=\"soft\">No DET curve: it takes %s and %s scores.</p>\n",
			 s->wanted_name, s->unwanted_name);
		return;
	}
	put_axes(page, "DET curve", s->matched, s->missed);
	for (int k = d.low_x; k <= 0; k++)
		put_x_mark(page, det_x(&d, pow(10, k)), decade(k));
	put_y_marks(page, d.low_y);
	page_put(page, "<polygon class=\"band\" points=\"");
	put_det_line(page, &d, -1);
	put_det_line(page, &d, 1);
	page_put(page, "\"/>\n<polyline class=\"curve\" points=\"");
	put_det_line(page, &d, 0);
	page_put(page, "\"/>\n");
	put_threshold_dot(page, &d);
	page_put(page,
		 "</svg>\n<figcaption>DET: %s over %s as the threshold moves, with its 95&nbsp;%% "
		 "band%s. A value on an axis' lower end may be nought.</figcaption></figure>\n",
		 s->missed, s->matched,
		 isnan(s->threshold) ? "" : "; the dot is the threshold of this report");
}

static double score_x(const struct page_scores *s, double score)
{
	return LEFT +
	       (RIGHT - LEFT) * (fmin(fmax(score, s->low), s->high) - s->low) / (s->high - s->low);
}

static void put_bars(struct page *page, const struct page_scores *s, bool wanted, int low)
{
	const float *scores = wanted ? s->wanted : s->unwanted;
	size_t n = wanted ? s->wanted_count : s->unwanted_count, bins[BINS] = {0};

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		double bin = ((double)scores[i] - s->low) / (s->high - s->low) * BINS;

		bins[(size_t)fmin(fmax(bin, 0), BINS - 1)]++;
	}
	page_put(page, "<path class=\"%s\" d=\"M%d %d", wanted ? "wanted" : "unwanted", LEFT,
		 BOTTOM);
	for (size_t i = 0; i < BINS; i++)
		page_put(page, "V%.1fH%.1f",
			 bins[i] ? log_y((double)bins[i] / (double)n, low) : (double)BOTTOM,
			 LEFT + (RIGHT - LEFT) * (double)(i + 1) / BINS);
	page_put(page, "V%dZ\"/>\n", BOTTOM);
}

void page_histogram(struct page *page, const struct page_scores *s, const char *axis)
{
	size_t most = s->wanted_count > s->unwanted_count ? s->wanted_count : s->unwanted_count;
	int low = least_decade(most);
	double step = s->high > 10 ? 20 : 0.2;

	put_axes(page, "Score histogram", axis, "share of scores per bar");
	put_y_marks(page, low);
	for (double at = s->low; at < s->high + step / 2; at += step) {
		char text[16];

		snprintf(text, sizeof(text), "%.3g", fabs(at) < 1e-9 ? 0 : at);
		put_x_mark(page, score_x(s, at), text);
	}
	put_bars(page, s, false, low);
	put_bars(page, s, true, low);
	if (!isnan(s->threshold))
		page_put(page,
			 "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" "
			 "class=\"threshold\"/>\n",
			 score_x(s, s->threshold), score_x(s, s->threshold), TOP, BOTTOM);
	page_put(page,
		 "</svg>\n<figcaption><svg viewBox=\"0 0 12 12\" style=\"width:.8em;"
		 "display:inline\"><rect width=\"12\" height=\"12\" class=\"wanted\"/></svg> "
		 "%s (%zu)",
		 s->wanted_name, s->wanted_count);
	if (s->unwanted_name)
		page_put(page,
			 " &ensp;<svg viewBox=\"0 0 12 12\" style=\"width:.8em;display:inline\">"
			 "<rect width=\"12\" height=\"12\" class=\"unwanted\"/></svg> %s (%zu)",
			 s->unwanted_name, s->unwanted_count);
	page_put(page, "%s. Logarithmic, so that tails show.</figcaption></figure>\n",
		 isnan(s->threshold) ? "" : "; dashed: the threshold of this report");
}
