// SPDX-License-Identifier: Apache-2.0
//
// Sealing and opening one encounter's worth of bytes (HPKE, 50 kB).

#include "match/eval/bench.h"

#include <stdio.h>
#include <string.h>

#include "firmware/base/hpke.h"

#define PLAIN_BYTES 50000
#define INFO	    EG_BYTES_STR("egress/bench/v1")

struct sealing {
	struct eg_key *key;
	struct eg_buf plain, sealed, opened;
};

static int once_seal(void *user)
{
	struct sealing *s = user;

	eg_buf_reset(&s->sealed);
	return eg_hpke_seal(eg_key_public(s->key), INFO, EG_BYTES(NULL, 0), eg_buf_bytes(&s->plain),
			    &s->sealed, NULL);
}

static int once_open(void *user)
{
	struct sealing *s = user;

	eg_buf_reset(&s->opened);
	return eg_hpke_open(s->key, INFO, EG_BYTES(NULL, 0), eg_buf_bytes(&s->sealed), &s->opened,
			    NULL);
}

void bench_seal(struct bench *bench)
{
	static const char *const stages[] = {"seal", "open", NULL};
	struct sealing s = {0};
	uint8_t *space;

	if (!bench_group(bench, stages))
		return;
	eg_buf_init(&s.plain, PLAIN_BYTES);
	eg_buf_init(&s.sealed, PLAIN_BYTES + EG_HPKE_OVERHEAD);
	eg_buf_init_secret(&s.opened, PLAIN_BYTES);
	if (eg_key_generate(&s.key, NULL) != 0 ||
	    eg_buf_extend(&s.plain, PLAIN_BYTES, &space) != 0) {
		fprintf(stderr, "eg-bench: no key or no memory for sealing\n");
		bench->failed++;
		goto out;
	}
	memset(space, 0x5a, PLAIN_BYTES);
	bench_stage(bench, "seal", NULL, PLAIN_BYTES, once_seal, &s);
	if (once_seal(&s) != 0)
		bench->failed++;
	else
		bench_stage(bench, "open", NULL, PLAIN_BYTES, once_open, &s);
out:
	eg_key_free(s.key);
	eg_buf_done(&s.opened);
	eg_buf_done(&s.sealed);
	eg_buf_done(&s.plain);
}
