// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the whole system: puts encounters into records.db as boothd would, signed with
// the booth's own key and sealed to the centre, and prints the id of each once it is on disk.
//
// usage: system_put TRUST RECORD_KEY RECORDS COUNT [PAUSE_MS [FACE_BYTES]]

#include "sealing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "store/records.h"

#define FACE_BYTES 20000 // when nothing else is said

static int put_one(struct sealing *sealing, size_t face_bytes, struct eg_records *records,
		   struct eg_err *err)
{
	char text[EG_ID_TEXT_MAX];
	struct eg_id id;
	int r = sealing_one(sealing, face_bytes, &id, err);
	if (r == 0)
		r = eg_records_put(records, &id, eg_buf_bytes(&sealing->envelope),
				   eg_wall_ms(eg_clock_system()), err);
	if (r != 0)
		return r;
	eg_id_text(&id, text);
	(void)puts(text);
	return fflush(stdout) == 0 ? 0 : eg_err_set(err, EG_EIO, "standard output");
}

int main(int argc, char **argv)
{
	static struct sealing sealing;
	struct eg_records *records = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (argc < 5 || argc > 7) {
		(void)fputs("usage: system_put TRUST RECORD_KEY RECORDS COUNT "
			    "[PAUSE_MS [FACE_BYTES]]\n",
			    stderr);
		return 2;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	unsigned long count = strtoul(argv[4], NULL, 10);
	unsigned long pause_ms = argc >= 6 ? strtoul(argv[5], NULL, 10) : 0;
	unsigned long face_bytes = argc == 7 ? strtoul(argv[6], NULL, 10) : FACE_BYTES;
	if (face_bytes > SEALING_FACE_MAX)
		return 2;
	int r = sealing_init(&sealing, argv[1], argv[2], &err);
	if (r == 0)
		r = eg_records_open(argv[3], &records, &err);
	for (unsigned long i = 0; r == 0 && i < count; i++) {
		r = put_one(&sealing, face_bytes, records, &err);
		if (pause_ms > 0)
			(void)usleep((useconds_t)pause_ms * 1000);
	}
	eg_records_close(records);
	sealing_done(&sealing);
	if (r != 0)
		(void)fprintf(stderr, "system_put: %s\n", err.text);
	return r == 0 ? 0 : 1;
}
