// SPDX-License-Identifier: Apache-2.0
//
// See receipt.h.

#include "net/central/receipt.h"

#define KEYS_MAX 16 // of one booth, its older ones too

const char *eg_receipt_how(enum eg_exit_how how)
{
	return how == EG_EXIT_BIOMETRIC ? "confirmed by the booth"
	       : how == EG_EXIT_OFFICER ? "confirmed by an officer, by document"
					: "unknown";
}

// Who took a booth's key with the booth can sign what he likes, but hardly for a flight that had
// left by the time it was missed: so receipts from before the revocation stand.
static int check_revoked(struct eg_ledger *ledger, const struct eg_exit_receipt *receipt,
			 struct eg_err *err)
{
	char at[EG_TIME_TEXT_MAX];
	int64_t revoked_ms = 0;
	int r = eg_ledger_revoked(ledger, receipt->booth, &revoked_ms, err);
	if (r != 0 || revoked_ms == 0 || receipt->decided_ms < revoked_ms)
		return r;
	eg_time_text(revoked_ms, at);
	return eg_err_set(err, EG_EAUTH,
			  "not valid: booth %s was revoked on %s, before the time that the receipt "
			  "names",
			  receipt->booth, at);
}

static int verify(struct eg_ledger *ledger, struct eg_bytes message,
		  struct eg_exit_receipt *ret_receipt, struct eg_err *err)
{
	struct eg_trusted_key keys[KEYS_MAX];
	char booth[EG_NAME_MAX];
	size_t count = 0;
	int r = eg_exit_receipt_peek(message, booth, err);
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "this is not a whole exit receipt");
	r = eg_ledger_signing_keys(ledger, booth, keys, KEYS_MAX, &count, err);
	if (r == EG_ENOENT)
		return eg_err_set(err, EG_EAUTH,
				  "not valid: it names booth %s, which this centre does not know",
				  booth);
	if (r != 0)
		return r;
	r = eg_exit_receipt_verify(message, keys, count, ret_receipt, err);
	if (r != 0)
		return eg_err_set(err, EG_EAUTH,
				  "not valid: it was changed, or not made by booth %s", booth);
	return check_revoked(ledger, ret_receipt, err);
}

int eg_receipt_check(struct eg_ledger *ledger, struct eg_bytes text,
		     struct eg_exit_receipt *ret_receipt, struct eg_err *err)
{
	struct eg_exit_receipt receipt;
	struct eg_buf message;
	eg_buf_init_secret(&message, EG_EXIT_MESSAGE_MAX);
	int r = eg_exit_receipt_parse(text, &message, err);
	if (r == 0)
		r = verify(ledger, eg_buf_bytes(&message), &receipt, err);
	if (r == 0)
		*ret_receipt = receipt;
	eg_buf_done(&message);
	return r;
}
