// SPDX-License-Identifier: Apache-2.0
//
// counts: what the booths counted by group, a table for each booth and one in total.
//
// Booths hide small counts (store/counts_suppress.c). A sum over weeks and booths holds what is
// shown, with a "+" when some of it is hidden; a rate is taken only over those weeks in which both
// of its parts are shown, so its "of" can be smaller than the sum. Hiding leaves out small weeks,
// so rates of rare groups and rare causes are of their busier weeks.

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/wilson.h"
#include "net/central/centralctl/ctl.h"
#include "net/tally.h"

struct rate {
	int64_t part, whole;
};

struct row {
	int64_t encounters;
	bool hidden, any; // some weeks' encounters are hidden; there is something to show
	struct rate of[EG_MEASURES];
	int64_t comparisons;
	struct rate level[EG_COUNT_LEVELS];
};

struct sums {
	char booth[EG_NAME_MAX]; // "" : in total
	int64_t first_ms, last_ms;
	size_t weeks;
	struct row all, group[EG_AXES][EG_GROUPS_MAX];
};

struct tables {
	struct sums booth, total;
	struct eg_err *err;
};

static void add(struct rate *rate, int64_t part, int64_t whole)
{
	if (part < 0 || whole < 0)
		return;
	rate->part += part;
	rate->whole += whole;
}

static void add_row(struct row *row, const int64_t *measures, const int64_t *impostors)
{
	int64_t encounters = measures[EG_COUNT_ENCOUNTERS];

	row->encounters += encounters > 0 ? encounters : 0;
	row->hidden = row->hidden || encounters < 0;
	row->any = row->any || encounters != 0 || (impostors && impostors[0] > 0);
	for (size_t m = EG_COUNT_CAPTURES; m < EG_MEASURES; m++)
		add(&row->of[m], measures[m], encounters);
	if (!impostors || impostors[0] < 0)
		return;
	row->comparisons += impostors[0];
	for (size_t l = 0; l < EG_COUNT_LEVELS; l++)
		add(&row->level[l], impostors[1 + l], impostors[0]);
}

static void add_week(struct sums *sums, const struct eg_counts *counts)
{
	if (sums->weeks == 0 || counts->from_ms < sums->first_ms)
		sums->first_ms = counts->from_ms;
	if (counts->from_ms > sums->last_ms)
		sums->last_ms = counts->from_ms;
	sums->weeks++;
	add_row(&sums->all, counts->all, NULL);
	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++)
			add_row(&sums->group[a][g], counts->group[a][g], counts->impostors[a][g]);
}

static void print_rate(const struct rate *rate, int width)
{
	struct eg_interval interval = eg_wilson((double)rate->part, (double)rate->whole);
	char text[64] = "-";

	if (rate->whole > 0)
		(void)snprintf(text, sizeof(text), "%.2f %% (%.2f to %.2f of %" PRId64 ")",
			       100 * (double)rate->part / (double)rate->whole, 100 * interval.low,
			       100 * interval.high, rate->whole);
	(void)printf("  %-*s", width, text);
}

static void print_row(const char *name, const struct row *row)
{
	bool first = true;
	char encounters[32];

	if (!row->any)
		return;
	(void)snprintf(encounters, sizeof(encounters), "%" PRId64 "%s", row->encounters,
		       row->hidden ? "+" : "");
	(void)printf("%-24s %10s", name, encounters);
	print_rate(&row->of[EG_COUNT_CAPTURES], 36);
	print_rate(&row->of[EG_COUNT_CONFIRMED], 36);
	for (int c = 1; c < EG_CAUSE_COUNT; c++) {
		const struct rate *rate = &row->of[EG_COUNT_OF_CAUSE(c)];

		if (rate->part == 0)
			continue;
		(void)printf("%s%s", first ? "  " : "; ", eg_cause_name((enum eg_cause)c));
		print_rate(rate, 0);
		first = false;
	}
	(void)putchar('\n');
}

static bool compared(const struct sums *sums)
{
	bool any = false;

	for (size_t a = 0; a < EG_AXES; a++)
		for (size_t g = 0; g < EG_GROUPS_MAX; g++)
			any = any || sums->group[a][g].comparisons > 0;
	return any;
}

static void print_impostors(const struct sums *sums)
{
	if (!compared(sums))
		return;
	(void)printf("\nManifest photos of different people within a group, at the booth's "
		     "threshold for FMR\n%-24s %10s",
		     "", "COMPARED");
	for (size_t l = 0; l < EG_COUNT_LEVELS; l++)
		(void)printf("  %-36s", eg_count_level_names[l]);
	(void)putchar('\n');
	for (size_t a = 0; a < EG_AXES; a++) {
		for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++) {
			const struct row *row = &sums->group[a][g];

			if (row->comparisons == 0)
				continue;
			(void)printf("%-24s %10" PRId64, eg_group_name((enum eg_axis)a, g),
				     row->comparisons);
			for (size_t l = 0; l < EG_COUNT_LEVELS; l++)
				print_rate(&row->level[l], 36);
			(void)putchar('\n');
		}
	}
}

static void print_sums(const struct sums *sums)
{
	char first[EG_WEEK_TEXT_MAX], last[EG_WEEK_TEXT_MAX];

	eg_week_text(sums->first_ms, first);
	eg_week_text(sums->last_ms, last);
	(void)printf("%s%s: %zu week%s, from the week of %s to that of %s\n\n",
		     sums->booth[0] ? "Booth " : "All booths", sums->booth, sums->weeks,
		     sums->weeks == 1 ? "" : "s", first, last);
	(void)printf("%-24s %10s  %-36s  %-36s  %s\n", "GROUP", "ENCOUNTERS", "CAPTURED",
		     "CONFIRMED", "REFERRED");
	print_row("all", &sums->all);
	for (size_t a = 0; a < EG_AXES; a++) {
		(void)printf("%s\n", eg_axis_name((enum eg_axis)a));
		for (size_t g = 0; g < eg_axis_groups((enum eg_axis)a); g++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "  %s",
				       eg_group_name((enum eg_axis)a, g));
			print_row(name, &sums->group[a][g]);
		}
	}
	print_impostors(sums);
	(void)putchar('\n');
}

static int take(void *user, const char *booth, struct eg_bytes json)
{
	struct tables *t = user;
	struct eg_counts counts;
	int r = eg_tally_parse(json, &counts, t->err);

	if (r != 0)
		return eg_err_prefix(t->err, EG_ECORRUPT, "the ledger's counts of booth '%s'",
				     booth);
	if (t->booth.weeks > 0 && strcmp(t->booth.booth, booth) != 0) {
		print_sums(&t->booth);
		t->booth = (struct sums){0};
	}
	(void)snprintf(t->booth.booth, sizeof(t->booth.booth), "%s", booth);
	add_week(&t->booth, &counts);
	add_week(&t->total, &counts);
	return 0;
}

static int print_all(struct ctl *ctl, const char *booth, int64_t from_ms, struct eg_err *err)
{
	struct tables *t = eg_calloc(1, sizeof(*t));
	struct eg_ledger *ledger = NULL;
	int r = t ? 0 : eg_err_set(err, EG_ENOMEM, "out of memory");

	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &ledger, err);
	if (r == 0) {
		t->err = err;
		r = eg_ledger_list_counts(ledger, booth, from_ms, take, t, err);
	}
	if (r == 0 && t->booth.weeks > 0) {
		print_sums(&t->booth);
		if (!booth)
			print_sums(&t->total);
		(void)puts("95 % intervals (Wilson). Booths hide counts of 1 to 9 and what would "
			   "give them away; \"+\": some are hidden.");
	} else if (r == 0) {
		(void)puts("No booth has sent counts yet: they come with the first heartbeat "
			   "after a week (Monday, UTC) is over.");
	}
	eg_ledger_close(ledger);
	free(t);
	return r;
}

int ctl_counts(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"booth", required_argument, NULL, 'b'},
		{"from", required_argument, NULL, 'f'},
		{0},
	};
	const char *booth = NULL, *from = NULL;
	struct eg_err err = EG_ERR_INIT;
	int64_t from_ms = 0;
	bool good = true;
	int option, r = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			booth = optarg;
		else if (option == 'f')
			from = optarg;
		else
			good = false;
	}
	if (!good || optind != argc)
		return ctl_usage("counts [--booth BOOTH] [--from DATE]");
	if (booth)
		r = ctl_check_booth(booth, &err);
	if (r == 0 && from) {
		char time[32];

		(void)snprintf(time, sizeof(time), "%.20sT00:00:00Z", from);
		if (eg_time_parse(time, &from_ms) != 0)
			r = eg_err_set(&err, EG_EINVAL,
				       "--from '%.40s': must be a date like 2026-11-23", from);
	}
	if (r == 0)
		r = print_all(ctl, booth, from_ms, &err);
	return r == 0 ? 0 : ctl_fail(&err);
}
