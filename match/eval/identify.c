// SPDX-License-Identifier: Apache-2.0
//
// eg-eval identify: a folder of references as a gallery, a folder of probes against it; identity is
// the file name up to the first "_" (or up to the "." where there is none). What decides is the
// booth's own gallery at the target FPIR, so poor references, near twins and the raised threshold
// count as they would in service. With --frames N, each N probe files of one person, in the order
// of their names, are one probe, fused as on a track (faces.h); what is left over is left out.
//
// accuracy  probes decided rightly: of a person in the gallery confirmed as that person, of others
//           not confirmed
// fnir      probes of people in the gallery that were not confirmed as themselves (failures to
//           acquire included)
// fpir      probes of people not in the gallery that were confirmed as somebody
// fnmr, threshold, eer: over all probe × gallery-person scores, one best score each

#include "match/eval/eval.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"
#include "match/eval/identify_report.h"
#include "match/gallery.h"

struct file {
	char *name;
	size_t identity; // length of the name's part that says who
};

struct folder {
	const char *path;
	struct file *files; // sorted by name
	size_t count;
};

struct person {			 // of the gallery; an entry
	const struct file *file; // the first one
	size_t count;		 // references
};

struct identify {
	const struct eval_options *options;
	struct folder gallery, probes;
	struct eval_faces *faces;
	struct person *people;
	size_t people_count;
	struct eg_calib *calib;
	struct eg_gallery *reference;
	float *genuine, *impostors;
	size_t genuine_count, genuine_failed, impostor_count;
	size_t mated, mated_right, rank1, foreign, foreign_confirmed;
	struct report report;
	struct identify_causes causes;
};

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void free_folder(struct folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free(folder->files[i].name);
	free(folder->files);
}

static int add_file(struct folder *folder, const char *name)
{
	struct file *more = eg_realloc(folder->files, folder->count + 1, sizeof(*more));
	size_t identity = strcspn(name, "_");

	if (!more)
		return EG_ENOMEM;
	folder->files = more;
	if (name[identity] == '\0')
		identity = strcspn(name, ".");
	more[folder->count] = (struct file){eg_strdup(name), identity};
	if (!more[folder->count].name)
		return EG_ENOMEM;
	folder->count++;
	return 0;
}

static int read_folder(struct folder *folder, struct eg_err *err)
{
	DIR *dir = opendir(folder->path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return eg_err_set(err, EG_ENOENT, "%s: is not a folder that can be read",
				  folder->path);
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			r = add_file(folder, entry->d_name);
	closedir(dir);
	if (r != 0)
		return eg_err_set(err, r, "out of memory");
	if (folder->count == 0)
		return eg_err_set(err, EG_EINVAL, "%s: the folder has no images", folder->path);
	qsort(folder->files, folder->count, sizeof(*folder->files), compare_files);
	return 0;
}

static bool same_identity(const struct file *a, const struct file *b)
{
	return a->identity == b->identity && strncmp(a->name, b->name, a->identity) == 0;
}

// Files first … first + count − 1 as one, by names parted by commas.
static char *join(const struct folder *folder, size_t first, size_t count)
{
	char *joined = eg_strdup(folder->files[first].name), *longer;

	for (size_t i = 1; joined && i < count; i++) {
		if (asprintf(&longer, "%s,%s", joined, folder->files[first + i].name) < 0)
			longer = NULL;
		free(joined);
		joined = longer;
	}
	return joined;
}

static int join_frames(struct folder *folder, size_t frames, struct eg_err *err)
{
	size_t first = 0, joined = 0;
	struct file *file = folder->files;
	struct folder whole = *folder;

	whole.files = eg_calloc(folder->count, sizeof(*whole.files));
	whole.count = 0;
	if (!whole.files)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	while (first < folder->count) {
		size_t count = 1;

		while (count < frames && first + count < folder->count &&
		       same_identity(&file[first], &file[first + count]))
			count++;
		if (count == frames) {
			struct file *probe = &whole.files[joined++];

			*probe = (struct file){join(folder, first, count), file[first].identity};
			whole.count = joined;
			if (!probe->name)
				break;
		}
		first += count;
	}
	free_folder(folder);
	*folder = whole;
	if (joined > 0 && !whole.files[joined - 1].name)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	if (joined == 0)
		return eg_err_set(err, EG_EINVAL, "%s: nobody has %zu frames", folder->path,
				  frames);
	return 0;
}

static int find_people(struct identify *x, struct eg_err *err)
{
	x->people = eg_calloc(x->gallery.count, sizeof(*x->people));
	if (!x->people)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	// Sorted by whole names one person's files need not stand together ("a", "a-b", "a_2").
	for (size_t i = 0; i < x->gallery.count; i++) {
		size_t k = 0;

		while (k < x->people_count &&
		       !same_identity(x->people[k].file, &x->gallery.files[i]))
			k++;
		if (k == x->people_count)
			x->people[x->people_count++].file = &x->gallery.files[i];
		x->people[k].count++;
	}
	return 0;
}

// The entry of `file`'s person, people_count when nobody.
static size_t entry_of(const struct identify *x, const struct file *file)
{
	size_t k = 0;

	while (k < x->people_count && !same_identity(x->people[k].file, file))
		k++;
	return k;
}

static int enrol(struct identify *x, struct eg_err *err)
{
	const struct eg_pack_point *points;
	size_t count, refused = 0;
	const struct eg_pack *pack = eval_faces_pack(x->faces);
	int r;

	points = eg_pack_calibration(pack, &count);
	if ((r = eg_calib_new(points, count, eg_pack_calibration_floor(pack), &x->calib, err)) != 0)
		return eg_err_prefix(err, r, "%s/pack.json", x->options->pack);
	if ((r = eg_gallery_new(x->people_count, x->calib, &x->reference, err)) != 0)
		return r;
	for (size_t i = 0; i < x->gallery.count && r == 0; i++) {
		const struct file *file = &x->gallery.files[i];
		const struct eval_capture *capture;

		r = eval_faces_get(x->faces, x->gallery.path, file->name, &capture, err);
		if (r == 0 && capture->found)
			r = eg_gallery_add(x->reference, entry_of(x, file), &capture->template,
					   capture->quality, err);
		refused += r == EG_EFULL;
		r = r == EG_EFULL ? 0 : r;
		eval_progress("references", i + 1, x->gallery.count);
	}
	if (refused > 0)
		fprintf(stderr, "eg-eval: %zu references over %d of one person left out\n", refused,
			EG_GALLERY_REFERENCES_MAX);
	return r == 0 ? eg_gallery_seal(x->reference, err) : r;
}

// The probe's best score with every person, for fnmr and threshold.
static int score_people(struct identify *x, const struct file *probe_file,
			const struct eval_capture *probe, struct eg_err *err)
{
	float *best = eg_calloc(x->people_count, sizeof(*best));
	size_t own = entry_of(x, probe_file);
	int r = 0;

	if (!best)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	for (size_t k = 0; k < x->people_count; k++)
		best[k] = NAN;
	for (size_t i = 0; i < x->gallery.count && r == 0; i++) {
		const struct eval_capture *reference;
		size_t entry = entry_of(x, &x->gallery.files[i]);
		float score;

		r = eval_faces_get(x->faces, x->gallery.path, x->gallery.files[i].name, &reference,
				   err);
		if (r != 0 || !reference->found || !probe->found)
			continue;
		r = eg_template_compare(&probe->template, &reference->template, &score);
		if (r == 0)
			best[entry] = fmaxf(best[entry], score);
	}
	for (size_t k = 0; k < x->people_count; k++) {
		if (k == own && isnan(best[k]))
			x->genuine_failed++;
		else if (k == own)
			x->genuine[x->genuine_count++] = best[k];
		else if (!isnan(best[k]))
			x->impostors[x->impostor_count++] = best[k];
	}
	free(best);
	return r;
}

static void print_verdict(FILE *file, const struct identify *x, const struct file *probe,
			  const struct eg_verdict *verdict)
{
	const struct file *named = verdict->entry >= 0 ? x->people[verdict->entry].file : NULL;

	fprintf(file, "%s\t%.*s\t%s\t%s\t%.*s\t%.9g\t%.9g\t%.9g\n", probe->name,
		(int)probe->identity, probe->name, eg_verdict_name(verdict->kind),
		eg_cause_name(verdict->cause), named ? (int)named->identity : 0,
		named ? named->name : "", (double)verdict->score, (double)verdict->second,
		(double)verdict->threshold);
}

// The page's share of one probe. Mated ones are "genuine": what they miss is a confirmation.
static int audit_one(struct identify *x, size_t number, const struct eval_capture *capture,
		     const struct eg_verdict *verdict)
{
	struct report *report = &x->report;
	const struct file *file = &x->probes.files[number];
	bool mated = entry_of(x, file) < x->people_count;
	bool confirmed = verdict->kind == EG_VERDICT_CONFIRMED;
	bool right = confirmed && mated && (size_t)verdict->entry == entry_of(x, file);
	size_t line = eval_groups_find(&report->groups, file->name, NULL);
	struct report_example example = {verdict->score, number + 1, 0, capture->quality, NAN};

	x->causes.of[mated][confirmed ? right ? EG_CAUSE_NONE : EG_CAUSE_COUNT : verdict->cause]++;
	if (capture->found && !isnan(verdict->threshold) && verdict->threshold <= 1)
		report->scores.threshold = (double)verdict->threshold;
	if (mated && !right && isfinite(verdict->score))
		report_keep(&report->missed, true, example);
	if (!mated && isfinite(verdict->score))
		report_keep(&report->matched, false, example);
	if (eval_groups_pair(&report->groups, line, line, NULL, mated, mated && !capture->found,
			     mated ? right : confirmed) != 0)
		return EG_ENOMEM;
	return eval_groups_capture(&report->groups, capture, capture->found, line, NULL);
}

static int probe_one(struct identify *x, size_t number, FILE *out, struct eg_err *err)
{
	const struct file *file = &x->probes.files[number];
	struct eg_verdict verdict = {.kind = EG_VERDICT_REFER,
				     .cause = EG_CAUSE_NO_FACE,
				     .entry = -1,
				     .score = NAN,
				     .second = NAN,
				     .threshold = NAN};
	const struct eval_capture *capture;
	size_t own = entry_of(x, file);
	bool confirmed;
	int r = eval_faces_get(x->faces, x->probes.path, file->name, &capture, err);

	if (r == 0)
		r = score_people(x, file, capture, err);
	if (r != 0)
		return r;
	if (capture->found)
		eg_gallery_identify(x->reference, &capture->template, x->options->fpir, &verdict);
	confirmed = verdict.kind == EG_VERDICT_CONFIRMED;
	if (own < x->people_count) {
		x->mated++;
		x->mated_right += confirmed && (size_t)verdict.entry == own;
		x->rank1 += verdict.entry >= 0 && (size_t)verdict.entry == own;
	} else {
		x->foreign++;
		x->foreign_confirmed += confirmed;
	}
	print_verdict(out, x, file, &verdict);
	r = audit_one(x, number, capture, &verdict);
	return r == 0 ? 0 : eg_err_set(err, r, "out of memory");
}

static int probe_all(struct identify *x, struct eg_err *err)
{
	FILE *out;
	int closed, r = eval_create(x->options->out, "scores.tsv", &out, err);

	if (r != 0)
		return r;
	fprintf(out, "#probe\tidentity\tverdict\tcause\tnamed\tscore\tsecond\tthreshold\n");
	for (size_t i = 0; i < x->probes.count && r == 0; i++) {
		r = probe_one(x, i, out, err);
		eval_progress("probes", i + 1, x->probes.count);
	}
	closed = eval_close(out, x->options->out, "scores.tsv", r == 0 ? err : NULL);
	return r == 0 ? closed : r;
}

static double ratio(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

static int write_report(struct identify *x, const struct eg_gallery_facts *facts,
			struct eg_err *err)
{
	struct report *report = &x->report;

	report->faces = x->faces;
	report_set_scores(&report->scores, true, x->genuine, x->genuine_count);
	report_set_scores(&report->scores, false, x->impostors, x->impostor_count);
	report->scores.wanted_failed = x->genuine_failed;
	return identify_report(report, facts, &x->causes, err);
}

static int write_summary(struct identify *x, struct eg_err *err)
{
	size_t right = x->mated_right + x->foreign - x->foreign_confirmed;
	struct eg_gallery_facts facts;
	struct eval_stats stats;
	struct json json;
	int r;

	eg_gallery_facts(x->reference, &facts);
	eval_stats_of_scores(x->genuine, x->genuine_count, x->genuine_failed, x->impostors,
			     x->impostor_count, &stats);
	stats.accuracy = ratio(right, x->probes.count);
	json_init(&json);
	summary_figures(&json, &stats, x->faces);
	json_number(&json, "fnir", ratio(x->mated - x->mated_right, x->mated));
	json_number(&json, "fpir", ratio(x->foreign_confirmed, x->foreign));
	json_number(&json, "named_right", ratio(x->rank1, x->mated));
	json_open(&json, "gallery", '{');
	json_number(&json, "fpir_target", x->options->fpir);
	json_number(&json, "people", (double)facts.entries);
	json_number(&json, "people_with_reference", (double)facts.with_reference);
	json_number(&json, "references", (double)facts.references);
	json_number(&json, "near_twins", (double)facts.near_twins);
	json_number(&json, "threshold_raise", (double)facts.threshold_raise);
	json_number(&json, "probes_mated", (double)x->mated);
	json_number(&json, "probes_foreign", (double)x->foreign);
	json_close(&json, '}');
	json_open(&json, "groups", '{');
	json_close(&json, '}');
	x->report.without_group = eval_groups_finish(&x->report.groups);
	eval_groups_summary(&json, &x->report.groups, x->report.scores.threshold, "fnir", "fpir");
	summary_intervals(&json, &stats, x->faces);
	summary_models(&json, x->faces);
	r = summary_write(&json, x->options->out, err);
	json_done(&json);
	if (r == 0 && x->options->report)
		r = write_report(x, &facts, err);
	return r;
}

int eval_identify(const struct eval_options *options, struct eg_err *err)
{
	struct identify x = {.options = options,
			     .gallery.path = options->gallery,
			     .probes.path = options->probes,
			     .report = {.options = options,
					.title = "Accuracy report: identify",
					.scores = REPORT_COMPARISON_SCORES,
					.threshold_is = "the gallery's own for the target FPIR"}};
	int r;

	x.report.scores.threshold = NAN;
	if ((r = eval_groups_open(&x.report.groups, options->groups, NULL, err)) != 0 ||
	    (r = read_folder(&x.gallery, err)) != 0 || (r = read_folder(&x.probes, err)) != 0 ||
	    (options->frames > 1 && (r = join_frames(&x.probes, options->frames, err)) != 0) ||
	    (r = find_people(&x, err)) != 0 ||
	    (r = eval_faces_new(options->pack, options->fast, true, &x.faces, err)) != 0 ||
	    (r = enrol(&x, err)) != 0)
		goto out;
	x.genuine = eg_calloc(x.probes.count, sizeof(float));
	x.impostors = eg_calloc(x.probes.count * x.people_count, sizeof(float));
	if (!x.genuine || !x.impostors)
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
	if (r == 0 && (r = probe_all(&x, err)) == 0)
		r = write_summary(&x, err);
out:
	report_done(&x.report);
	free(x.impostors);
	free(x.genuine);
	eg_gallery_free(x.reference);
	eg_calib_free(x.calib);
	eval_faces_free(x.faces);
	free(x.people);
	free_folder(&x.probes);
	free_folder(&x.gallery);
	return r;
}
