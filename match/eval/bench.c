// SPDX-License-Identifier: Apache-2.0
//
// eg-bench: what each stage costs on this machine, one thread, and what others' libraries take for
// the same: FAISS for identify, OpenCV's DNN for the networks.

#include "match/eval/bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/crypto.h"
#include "firmware/base/log.h"

bool bench_wants(const struct bench *bench, const char *stage)
{
	if (bench->list)
		return false;
	for (size_t i = 0; i < bench->wanted_count; i++)
		if (strcmp(bench->wanted[i], stage) == 0)
			return true;
	return bench->wanted_count == 0;
}

bool bench_group(struct bench *bench, const char *const *stages)
{
	bool any = false;

	for (; *stages; stages++) {
		if (bench->list)
			printf("%s\n", *stages);
		else if (bench_wants(bench, *stages))
			any = true;
		bench->known += any && bench->wanted_count > 0 && bench_wants(bench, *stages);
	}
	return any;
}

static const char usage_text[] =
	"usage: eg-bench [--pack DIR] [--faces DIR] [STAGE...]\n"
	"\n"
	"Processor time of each stage (or those named), one thread: JSON lines with the median and "
	"the\n"
	"95th percentile in microseconds on stdout, a table on stderr. Where several do the same "
	"work\n"
	"(kernels, FAISS IndexFlatIP, OpenCV DNN) they run in turn, and the table says how many "
	"times\n"
	"longer each takes than the first.\n"
	"\n"
	"  --pack DIR    the model pack; default: the environment's EGRESS_PACK\n"
	"  --faces DIR   folder with sample1.jpg; default: the environment's EGRESS_FACES\n"
	"  --list        names of the stages\n";

int main(int argc, char **argv)
{
	static const struct option table[] = {{"pack", required_argument, NULL, 'p'},
					      {"faces", required_argument, NULL, 'f'},
					      {"list", no_argument, NULL, 'l'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	struct bench bench = {.pack = getenv("EGRESS_PACK"), .faces = getenv("EGRESS_FACES")};
	struct eg_err err = EG_ERR_INIT;
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			bench.pack = optarg;
			break;
		case 'f':
			bench.faces = optarg;
			break;
		case 'l':
			bench.list = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs("eg-bench: unknown option; see eg-bench --help\n", stderr);
			return 2;
		}
	}
	bench.wanted = argv + optind;
	bench.wanted_count = (size_t)(argc - optind);
	eg_log_init("eg-bench", EG_LOG_INFO);
	if (eg_crypto_init(&err) != 0) {
		fprintf(stderr, "eg-bench: %s\n", err.text);
		return 1;
	}
	bench_capture(&bench);
	bench_nets(&bench);
	bench_match(&bench);
	bench_seal(&bench);
	if (!bench.list)
		bench_table();
	if (!bench.list && bench.known < bench.wanted_count) {
		fputs("eg-bench: a stage was named that there is not (or named twice); see "
		      "eg-bench --list\n",
		      stderr);
		return 2;
	}
	return bench.failed ? 1 : 0;
}
