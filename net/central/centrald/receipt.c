// SPDX-License-Identifier: Apache-2.0
//
// The one page for people: paste or scan an exit receipt, read whether it is real. No account, no
// cookie, no script, no request to anybody else; what is asked is kept nowhere. The text comes in
// the body of a POST and so stands in no address bar and no log.

#include <ctype.h>
#include <string.h>

#include "net/central/centrald/request.h"
#include "net/central/receipt.h"

#define PAGE_MAX (32u << 10) // bytes

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"robots\" content=\"noindex\">\n<title>%s</title>\n"
	"<link rel=\"stylesheet\" href=\"/receipt.css\">\n</head>\n<body>\n<main>\n"
	"<h1>Exit receipt</h1>\n";

static const char form[] =
	"<form method=\"post\" action=\"/receipt\">\n"
	"<label for=\"text\">Text of the receipt's QR code</label>\n"
	"<p id=\"hint\">Scan the code with any QR reader and paste what it says. "
	"It begins with EGX1:</p>\n"
	"<textarea id=\"text\" name=\"text\" rows=\"6\" maxlength=\"2048\" required "
	"aria-describedby=\"hint\" autocomplete=\"off\" autocapitalize=\"off\" "
	"spellcheck=\"false\"></textarea>\n"
	"<button>Check</button>\n</form>\n"
	"<p class=\"small\">The receipt is checked here and now. Neither it nor who asked is "
	"kept.</p>\n"
	"</main>\n</body>\n</html>\n";

static const char style[] =
	":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}\n"
	"body{margin:0;padding:1.5rem}\nmain{max-width:38rem;margin:0 auto}\n"
	"h1{font-size:1.75rem}\nlabel{font-weight:600}\n#hint{margin:.25rem 0 .5rem}\n"
	"textarea{box-sizing:border-box;width:100%;font:1rem/1.4 ui-monospace,monospace;"
	"padding:.75rem;border:2px solid #767676;border-radius:.5rem}\n"
	"button{margin-top:1rem;padding:.75rem 2rem;font:inherit;font-weight:600;border:0;"
	"border-radius:.5rem;background:#0b4f8a;color:#fff;cursor:pointer}\n"
	"button:focus-visible,textarea:focus-visible{outline:3px solid "
	"#e08a00;outline-offset:2px}\n"
	".result{border:3px solid;border-radius:.75rem;padding:0 1.25rem 1rem;margin-bottom:2rem}\n"
	".result "
	"h2{font-size:1.375rem}\n.valid{border-color:#1b7f3b}\n.invalid{border-color:#0b4f8a}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:0}\n"
	"dt{font-weight:600}\ndd{margin:0;overflow-wrap:anywhere}\n.small{font-size:1rem}\n";

static enum MHD_Result reply_page(struct request *request, unsigned int status, const char *type,
				  struct eg_bytes bytes)
{
	static const struct {
		const char *name, *value;
	} headers[] = {
		{MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY,
		 "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
		 "frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	};
	struct MHD_Response *response =
		MHD_create_response_from_buffer_copy(bytes.size, bytes.data);
	if (response != NULL)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; response != NULL && i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)MHD_add_response_header(response, headers[i].name, headers[i].value);
	return reply_with(request, status, response);
}

static int put_escaped(struct eg_buf *page, const char *text)
{
	int r = 0;
	for (const char *c = text; r == 0 && *c != '\0'; c++) {
		const char *entity = *c == '&'	  ? "&amp;"
				     : *c == '<'  ? "&lt;"
				     : *c == '>'  ? "&gt;"
				     : *c == '"'  ? "&quot;"
				     : *c == '\'' ? "&#39;"
						  : NULL;
		r = entity != NULL ? eg_buf_put(page, entity, strlen(entity))
				   : eg_buf_put(page, c, 1);
	}
	return r;
}

static int put_row(struct eg_buf *page, const char *name, const char *value)
{
	int r = eg_buf_printf(page, "<dt>%s</dt><dd>", name);
	if (r == 0)
		r = put_escaped(page, value);
	return r != 0 ? r : eg_buf_printf(page, "</dd>\n");
}

// "2026-11-24 10:15 UTC"
static int put_time(struct eg_buf *page, int64_t wall_ms)
{
	char at[EG_TIME_TEXT_MAX];
	eg_time_text(wall_ms, at);
	return eg_buf_printf(page,
			     "<dt>Date</dt><dd><time datetime=\"%s\">%.10s %.5s UTC</time></dd>\n",
			     at, at, at + strlen("2026-11-24T"));
}

static int put_valid(struct eg_buf *page, const struct eg_exit_receipt *receipt)
{
	char id[EG_ID_TEXT_MAX];
	eg_id_text(&receipt->id, id);
	int r = eg_buf_printf(page, "<section class=\"result valid\" role=\"status\">\n"
				    "<h2>&#10003; Valid</h2>\n<dl>\n");
	if (r == 0)
		r = put_row(page, "Left from", receipt->port);
	if (r == 0)
		r = put_row(page, "Flight", receipt->flight);
	if (r == 0)
		r = put_time(page, receipt->decided_ms);
	if (r == 0)
		r = put_row(page, "How", eg_receipt_how(receipt->how));
	if (r == 0 && receipt->name[0] != '\0')
		r = put_row(page, "Name", receipt->name);
	if (r == 0)
		r = put_row(page, "Booth", receipt->booth);
	if (r == 0)
		r = put_row(page, "Manifest", receipt->manifest);
	if (r == 0)
		r = put_row(page, "Receipt", id);
	return r != 0 ? r : eg_buf_printf(page, "</dl>\n</section>\n");
}

static int put_invalid(struct eg_buf *page, const char *why)
{
	int r = eg_buf_printf(page,
			      "<section class=\"result invalid\" role=\"status\">\n"
			      "<h2>Not confirmed</h2>\n<p>%c",
			      toupper((unsigned char)why[0]));
	if (r == 0)
		r = put_escaped(page, why + 1);
	return r != 0 ? r
		      : eg_buf_printf(page,
				      ".</p>\n<p>A code that was scanned or copied only in part "
				      "cannot be checked either: try once more.</p>\n</section>\n");
}

// `receipt` and `why` NULL: the form alone.
static enum MHD_Result reply_checked(struct request *request, unsigned int status,
				     const struct eg_exit_receipt *receipt, const char *why)
{
	const char *title = receipt != NULL ? "Valid exit receipt"
			    : why != NULL   ? "Exit receipt not confirmed"
					    : "Check an exit receipt";
	enum MHD_Result result = MHD_NO;
	struct eg_buf page;
	eg_buf_init_secret(&page, PAGE_MAX);
	int r = eg_buf_printf(&page, head, title);
	if (r == 0 && receipt != NULL)
		r = put_valid(&page, receipt);
	if (r == 0 && why != NULL)
		r = put_invalid(&page, why);
	if (r == 0)
		r = eg_buf_put(&page, form, strlen(form));
	if (r == 0)
		result = reply_page(request, status, "text/html; charset=utf-8",
				    eg_buf_bytes(&page));
	eg_buf_done(&page);
	return result;
}

enum MHD_Result receipt_form(struct request *request)
{
	return reply_checked(request, MHD_HTTP_OK, NULL, NULL);
}

enum MHD_Result receipt_style(struct request *request)
{
	return reply_page(request, MHD_HTTP_OK, "text/css; charset=utf-8", EG_BYTES_STR(style));
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

// The form's only field, "text=…", without its escapes (WHATWG URL §5.1). EG_EINVAL.
static int read_field(struct eg_bytes body, struct eg_buf *text)
{
	static const char name[] = "text=";
	const size_t begin = strlen(name);
	if (body.size < begin || memcmp(body.data, name, begin) != 0)
		return EG_EINVAL;
	for (size_t i = begin; i < body.size; i++) {
		uint8_t c = body.data[i];
		if (c == '&')
			return EG_EINVAL;
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < body.size ? hex_digit(body.data[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(body.data[i + 2]) : -1;
			if (low < 0)
				return EG_EINVAL;
			c = (uint8_t)(high * 16 + low);
			i += 2;
		}
		if (eg_buf_put_u8(text, c) != 0)
			return EG_EINVAL;
	}
	return 0;
}

enum MHD_Result receipt_check(struct request *request)
{
	struct eg_exit_receipt receipt;
	struct eg_err err = EG_ERR_INIT;
	enum MHD_Result result;
	struct eg_buf text;
	eg_buf_init_secret(&text, request->body.size);
	int r = read_field(eg_buf_bytes(&request->body), &text);
	if (r != 0)
		(void)eg_err_set(&err, r, "the form was not filled in as this page has it");
	else
		r = eg_receipt_check(request->server->ledger, eg_buf_bytes(&text), &receipt, &err);
	if (r == 0)
		result = reply_checked(request, MHD_HTTP_OK, &receipt, NULL);
	else if (r == EG_EINVAL || r == EG_EAUTH)
		result = reply_checked(request, MHD_HTTP_UNPROCESSABLE_CONTENT, NULL, err.text);
	else
		result = reply_failure(request, &err);
	eg_buf_done(&text);
	return result;
}
