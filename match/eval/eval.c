// SPDX-License-Identifier: Apache-2.0
//
// eg-eval: measures accuracy on pictures. The command line; each command is a file of its own.

#include "match/eval/eval.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/base/file.h"
#include "firmware/base/log.h"

static const char usage_text[] =
	"usage: eg-eval [--pack DIR] COMMAND\n"
	"\n"
	"  pairs PAIRS.tsv --out DIR         probe<TAB>reference<TAB>0|1[<TAB>group]; 1: same "
	"person;\n"
	"                                    a probe may be several images (frames of one "
	"capture)\n"
	"                                    parted by commas\n"
	"  matrix LIST.tsv --out DIR         image<TAB>identity; every image against every other\n"
	"  identify --gallery DIR --probes DIR --out DIR [--fpir 0.003] [--frames 1]\n"
	"                                    identity is the file name up to the first \"_\"; "
	"frames: so\n"
	"                                    many pictures of a person are one probe\n"
	"  detect LIST.tsv --out DIR         image[<TAB>group]; failures to acquire by group\n"
	"  pad LIST.tsv --out DIR [--threshold 0.5]\n"
	"                                    image[,image...]<TAB>live|attack<TAB>kind; "
	"presentation\n"
	"                                    attack detection (ISO/IEC 30107-3)\n"
	"  calibrate LARGE/histogram.tsv PORTRAITS/histogram.tsv --out FILE.json\n"
	"                                    match/calibration.json out of two runs of matrix\n"
	"\n"
	"  --pack DIR   the model pack; default: the environment's EGRESS_PACK\n"
	"  --fast       templates of one warp instead of five (what a live track gets per frame)\n"
	"  --report     also DIR/report.html: one page for an audit with DET curve, histograms, "
	"figures\n"
	"               by group, hardest comparisons by number, digests; no faces, no names\n"
	"  --groups FILE.tsv  groups by person or picture. First line: a name for the key, then "
	"one for\n"
	"               each group (\"id<TAB>age<TAB>gender\"); then one line a key. A key is a "
	"picture's\n"
	"               path or file name, the list's identity, the file name up to the first "
	"\"_\", or its\n"
	"               folder. A column called age holds years and is counted in bands; NA: not "
	"stated\n"
	"\n"
	"Relative image paths are looked for beside the list, then where you stand. Each command\n"
	"writes scores.tsv and summary.json into DIR, which is made when missing, with accuracy, "
	"eer,\n"
	"fta, fnmr and threshold by FMR (null: fewer than 3 / FMR impostors), groups, intervals\n"
	"(95 %) and models. A failure to acquire counts as a non-match. Templates stay in "
	"memory.\n";

void eval_progress(const char *what, size_t done, size_t total)
{
	static struct timespec last;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	double since =
		(double)(now.tv_sec - last.tv_sec) + 1e-9 * (double)(now.tv_nsec - last.tv_nsec);

	if (done != total && since < 0.5)
		return;
	last = now;
	fprintf(stderr, "eg-eval: %s %zu of %zu\n", what, done, total);
}

int eval_create(const char *dir, const char *name, FILE **ret_file, struct eg_err *err)
{
	char *path = NULL;
	FILE *file;
	int r = 0;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	file = fopen(path, "we");
	if (!file)
		r = eg_err_errno(err, errno, "%s", path);
	else
		*ret_file = file;
	free(path);
	return r;
}

int eval_close(FILE *file, const char *dir, const char *name, struct eg_err *err)
{
	bool bad = ferror(file) != 0;

	if (fclose(file) != 0 || bad)
		return eg_err_set(err, EG_EIO, "%s/%s: could not be written; is the disk full?",
				  dir, name);
	return 0;
}

static const struct command {
	const char *name;
	int (*run)(const struct eval_options *options, struct eg_err *err);
	int files; // that are named after it
	bool out_is_file;
} commands[] = {
	{"pairs", eval_pairs, 1, false},	{"matrix", eval_matrix, 1, false},
	{"identify", eval_identify, 0, false},	{"detect", eval_detect, 1, false},
	{"calibrate", eval_calibrate, 2, true}, {"pad", eval_pad, 1, false},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int wrong(const char *what, const char *which)
{
	fprintf(stderr, "eg-eval: %s%s; see eg-eval --help\n", what, which ? which : "");
	return 2;
}

static int parse_frames(const char *text, size_t *ret_frames)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 1 || value > 100)
		return -1;
	*ret_frames = (size_t)value;
	return 0;
}

static int parse_share(const char *text, double *ret_share)
{
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(value > 0 && value < 1))
		return -1;
	*ret_share = value;
	return 0;
}

// −1: go on; else the exit status.
static int parse_options(int argc, char **argv, struct eval_options *options)
{
	static const struct option table[] = {
		{"pack", required_argument, NULL, 'p'},
		{"out", required_argument, NULL, 'o'},
		{"gallery", required_argument, NULL, 'g'},
		{"probes", required_argument, NULL, 'r'},
		{"report", no_argument, NULL, 'R'},
		{"groups", required_argument, NULL, 'G'},
		{"fpir", required_argument, NULL, 'f'},
		{"frames", required_argument, NULL, 'n'},
		{"fast", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{"threshold", required_argument, NULL, 't'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			options->pack = optarg;
			break;
		case 'o':
			options->out = optarg;
			break;
		case 'g':
			options->gallery = optarg;
			break;
		case 'r':
			options->probes = optarg;
			break;
		case 'R':
			options->report = true;
			break;
		case 'G':
			options->groups = optarg;
			break;
		case 'q':
			options->fast = true;
			break;
		case 'f':
			if (parse_share(optarg, &options->fpir) != 0)
				return wrong("--fpir must lie between 0 and 1, not ", optarg);
			break;
		case 'n':
			if (parse_frames(optarg, &options->frames) != 0)
				return wrong("--frames must lie between 1 and 100, not ", optarg);
			break;
		case 't':
			if (parse_share(optarg, &options->threshold) != 0)
				return wrong("--threshold must lie between 0 and 1, not ", optarg);
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			return wrong("unknown option", NULL);
		}
	}
	return -1;
}

static int check_arguments(int argc, char **argv, const struct command *command,
			   struct eval_options *options)
{
	if (!command)
		return wrong(optind < argc ? "there is no command " : "a command is missing",
			     optind < argc ? argv[optind] : NULL);
	if (argc - optind - 1 != command->files)
		return wrong("wrong number of files named after ", command->name);
	if (!options->out)
		return wrong("--out is missing", NULL);
	if (!options->pack || !*options->pack)
		return wrong("--pack is missing and EGRESS_PACK is not set", NULL);
	if ((options->report || options->groups) && command->out_is_file)
		return wrong("--report and --groups do not go with ", command->name);
	if (command->run == eval_identify && (!options->gallery || !options->probes))
		return wrong("identify needs --gallery and --probes", NULL);
	options->list = command->files > 0 ? argv[optind + 1] : NULL;
	options->portraits = command->files > 1 ? argv[optind + 2] : NULL;
	return -1;
}

// As it was typed, for the report.
static char *join(int argc, char **argv)
{
	struct eg_buf buf;
	uint8_t *text = NULL;
	size_t size;
	int r = 0;

	eg_buf_init(&buf, 1u << 20);
	for (int i = 0; i < argc && r == 0; i++)
		r = eg_buf_printf(&buf, "%s%s", i ? " " : "", argv[i]);
	if (r == 0 && eg_buf_text(&buf))
		eg_buf_take(&buf, &text, &size);
	eg_buf_done(&buf);
	return (char *)text;
}

int main(int argc, char **argv)
{
	struct eval_options options = {
		.pack = getenv("EGRESS_PACK"), .fpir = 0.003, .threshold = 0.5};
	struct eg_err err = EG_ERR_INIT;
	const struct command *command;
	char *command_line = join(argc, argv); // before the options are permuted
	int status = parse_options(argc, argv, &options);

	options.command_line = command_line ? command_line : "eg-eval";
	if (status >= 0)
		goto out;
	command = find_command(optind < argc ? argv[optind] : NULL);
	status = check_arguments(argc, argv, command, &options);
	if (status >= 0)
		goto out;
	status = 0;
	eg_log_init("eg-eval", EG_LOG_INFO);
	if (eg_crypto_init(&err) != 0 ||
	    (!command->out_is_file && eg_dir_make(options.out, 0755, &err) != 0) ||
	    command->run(&options, &err) != 0) {
		fprintf(stderr, "eg-eval: %s\n", err.text);
		status = 1;
	}
out:
	free(command_line);
	return status;
}
