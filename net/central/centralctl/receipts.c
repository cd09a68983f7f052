// SPDX-License-Identifier: Apache-2.0
//
// receipt verify: a traveller's exit receipt, from the command line, a file or standard input.

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/file.h"
#include "net/central/centralctl/ctl.h"
#include "net/central/receipt.h"

#define PREFIX "EGX1:"

static int read_stdin(struct eg_buf *text, struct eg_err *err)
{
	char piece[512];
	ssize_t n;
	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return eg_err_errno(err, errno, "standard input");
		if (eg_buf_put(text, piece, (size_t)n) != 0)
			return eg_err_set(err, EG_ETOOBIG,
					  "standard input: longer than any receipt");
	}
	return 0;
}

static int read_text(const char *operand, struct eg_buf *text, struct eg_err *err)
{
	if (strcmp(operand, "-") == 0)
		return read_stdin(text, err);
	if (strncmp(operand, PREFIX, strlen(PREFIX)) != 0)
		return eg_file_read(operand, text, err);
	if (eg_buf_put(text, operand, strlen(operand)) != 0)
		return eg_err_set(err, EG_ETOOBIG, "longer than any receipt");
	return 0;
}

static void print(const struct eg_exit_receipt *receipt)
{
	char id[EG_ID_TEXT_MAX], at[EG_TIME_TEXT_MAX];
	eg_id_text(&receipt->id, id);
	eg_time_text(receipt->decided_ms, at);
	(void)printf("valid: signed by booth %s\n", receipt->booth);
	(void)printf("port      %s\nflight    %s\ndate      %s\n", receipt->port, receipt->flight,
		     at);
	(void)printf("how       %s\n", eg_receipt_how(receipt->how));
	if (receipt->name[0] != '\0')
		(void)printf("name      %s\n", receipt->name);
	(void)printf("manifest  %s\nreceipt   %s\n", receipt->manifest, id);
}

int ctl_receipt_verify(struct ctl *ctl, int argc, char **argv)
{
	struct eg_exit_receipt receipt;
	struct eg_ledger *ledger = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	if (argc != 2)
		return ctl_usage("receipt verify TEXT|FILE|-");
	eg_buf_init_secret(&text, (size_t)2 * EG_EXIT_TEXT_MAX); // lines may be broken
	int r = read_text(argv[1], &text, &err);
	if (r == 0)
		r = eg_centre_open_ledger(ctl->folder, &ledger, &err);
	if (r == 0)
		r = eg_receipt_check(ledger, eg_buf_bytes(&text), &receipt, &err);
	if (r == 0)
		print(&receipt);
	eg_ledger_close(ledger);
	eg_buf_done(&text);
	return r == 0 ? 0 : ctl_fail(&err);
}
