// SPDX-License-Identifier: Apache-2.0
//
// See code.h.

#include "firmware/consoled/code.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>

#define QUIET 4 // modules of white round the code, as the standard asks

// One row as a path of its dark runs.
static int put_row(const QRcode *code, int y, struct eg_buf *out)
{
	char text[48];
	int r = 0;

	for (int x = 0; r == 0 && x < code->width; x++) {
		int from = x;

		while (x < code->width && (code->data[y * code->width + x] & 1) != 0)
			x++;
		if (x == from)
			continue;
		(void)snprintf(text, sizeof(text), "M%d %dh%dv1h-%dz", from + QUIET, y + QUIET,
			       x - from, x - from);
		r = eg_buf_put(out, text, strlen(text));
	}
	return r;
}

static int put_svg(const QRcode *code, struct eg_buf *out)
{
	int side = code->width + 2 * QUIET;
	char head[256];
	int r;

	(void)snprintf(head, sizeof(head),
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		       "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
		       "<path d=\"",
		       side, side, side, side);
	r = eg_buf_put(out, head, strlen(head));
	for (int y = 0; r == 0 && y < code->width; y++)
		r = put_row(code, y, out);
	return r == 0 ? eg_buf_put(out, "\"/></svg>", 9) : r;
}

int code_svg(const char *text, struct eg_buf *out, struct eg_err *err)
{
	// The receipt is base45, so that the code's alphanumeric mode holds it; the prefix too.
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	int r;

	if (code == NULL && errno == ERANGE)
		return eg_err_set(err, EG_ETOOBIG, "a receipt of %zu characters fits in no code",
				  strlen(text));
	if (code == NULL)
		return eg_err_set(err, EG_ENOMEM, "drawing a code: out of memory");
	r = put_svg(code, out);
	QRcode_free(code);
	return r == 0 ? 0 : eg_err_set(err, r, "drawing a code: %s", eg_code_name(r));
}
