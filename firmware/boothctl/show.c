// SPDX-License-Identifier: Apache-2.0
//
// status, watch, manifest, self-test, document, opt-out, resume: what boothd and syncd say, for
// people or (--json) for programs.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "firmware/base/buf.h"
#include "firmware/base/clock.h"
#include "firmware/base/file.h"
#include "firmware/boothctl/ctl.h"

static int print_json(sd_json_variant *v)
{
	(void)sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE | SD_JSON_FORMAT_FLUSH, stdout, NULL);
	return 0;
}

static void line(const char *name, const char *text)
{
	(void)printf("  %-12s %s\n", name, text);
}

static void show_memory(sd_json_variant *program)
{
	if (!eg_ctl_bool(program, "memoryLocked"))
		line("memory", "NOT LOCKED: keys and faces may be swapped to a disk; raise "
			       "LimitMEMLOCK= of the unit");
}

static void show_camera(sd_json_variant *booth)
{
	sd_json_variant *c = sd_json_variant_by_key(booth, "camera");
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "%s, %.0f frames/s, last new one %" PRId64 " ms ago (%s %s)",
		       eg_ctl_text(c, "state"), eg_ctl_real(c, "framesPerSecond"),
		       eg_ctl_int(c, "frameAgeMs"), eg_ctl_text(c, "backend"),
		       eg_ctl_text(c, "model"));
	line("camera", text);
}

static void show_manifest_line(sd_json_variant *booth)
{
	sd_json_variant *m = sd_json_variant_by_key(booth, "manifest");
	char text[512];
	int n;

	if (eg_ctl_text(m, "id")[0] == '\0')
		n = snprintf(text, sizeof(text), "none");
	else
		n = snprintf(text, sizeof(text),
			     "%s version %" PRId64 ", %" PRId64 " of %" PRId64
			     " travellers with a usable photo%s",
			     eg_ctl_text(m, "id"), eg_ctl_int(m, "version"),
			     eg_ctl_int(m, "withReference"), eg_ctl_int(m, "travellers"),
			     eg_ctl_bool(m, "stale") ? ", STALE" : "");
	if (eg_ctl_int(m, "loadingTotal") > 0 && n > 0 && (size_t)n < sizeof(text))
		(void)snprintf(text + n, sizeof(text) - (size_t)n,
			       "; loading %" PRId64 " of %" PRId64, eg_ctl_int(m, "loading"),
			       eg_ctl_int(m, "loadingTotal"));
	line("manifest", text);
}

static void show_liveness(sd_json_variant *booth)
{
	sd_json_variant *l = sd_json_variant_by_key(booth, "liveness");
	char text[256];

	if (eg_ctl_bool(l, "calibrating"))
		(void)snprintf(text, sizeof(text),
			       "BEING MEASURED: nobody is served until boothctl calibrate ends");
	else if (eg_ctl_has(l, "measured"))
		(void)snprintf(text, sizeof(text),
			       "from %.2f (policy %.2f), measured here %s with %" PRId64
			       " people and %" PRId64 " photos",
			       eg_ctl_real(l, "threshold"), eg_ctl_real(l, "policyThreshold"),
			       eg_ctl_text(l, "measured"), eg_ctl_int(l, "live"),
			       eg_ctl_int(l, "attacks"));
	else
		(void)snprintf(text, sizeof(text),
			       "from %.2f (policy); not measured here, see boothctl calibrate",
			       eg_ctl_real(l, "threshold"));
	line("liveness", eg_ctl_bool(l, "needed") ? text : "not needed, by configuration");
}

static void show_booth(sd_json_variant *booth)
{
	char text[EG_ERR_TEXT_MAX + 32], span[EG_SPAN_TEXT_MAX];

	(void)printf("booth %s   boothd %s, up %s\n", eg_ctl_text(booth, "booth"),
		     eg_ctl_text(booth, "version"), eg_ctl_span(eg_ctl_int(booth, "upMs"), span));
	line("mode", eg_ctl_text(booth, "mode"));
	show_camera(booth);
	line("light", eg_ctl_text(booth, "light"));
	show_manifest_line(booth);
	(void)snprintf(text, sizeof(text),
		       "%" PRId64 " confirmed, %" PRId64 " to the officer, %" PRId64
		       " being served",
		       eg_ctl_int(booth, "confirmed"), eg_ctl_int(booth, "referred"),
		       eg_ctl_int(booth, "sessions"));
	line("travellers", text);
	line("models", eg_ctl_text(booth, "modelPack"));
	show_liveness(booth);
	show_memory(booth);
	if (eg_ctl_text(booth, "fault")[0] != '\0')
		line("LAST FAULT", eg_ctl_text(booth, "fault"));
}

static const char *key_kept(const char *kept)
{
	static const char *const texts[][2] = {
		{"none", "none yet"},
		{"file", "in a file, as it is: this machine has no TPM in use"},
		{"sealed", "in a file, encrypted under the device key"},
		{"tpm", "in the TPM"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(kept, texts[i][0]) == 0)
			return texts[i][1];
	return kept;
}

static void show_sync(sd_json_variant *reply)
{
	sd_json_variant *s = sd_json_variant_by_key(reply, "state");
	sd_json_variant *q = sd_json_variant_by_key(s, "queue");
	int64_t now = eg_wall_ms(eg_clock_system());
	char text[256], span[EG_SPAN_TEXT_MAX];
	int64_t oldest = eg_ctl_int(q, "oldestMs"), end = eg_ctl_int(s, "certificateEndMs");

	(void)snprintf(text, sizeof(text), "%s (%s)", eg_ctl_text(s, "link"),
		       eg_ctl_text(s, "url"));
	line("link", text);
	(void)snprintf(text, sizeof(text),
		       "%" PRId64 " waiting%s%s, %" PRId64 " stuck, %" PRId64 " delivered",
		       eg_ctl_int(q, "queued"), oldest > 0 ? ", oldest " : "",
		       oldest > 0 ? eg_ctl_span(now - oldest, span) : "", eg_ctl_int(q, "dead"),
		       eg_ctl_int(q, "acknowledged"));
	line("queue", text);
	line("certificate", end == 0	? "none yet"
			    : end < now ? "EXPIRED; the booth needs a new token"
					: eg_ctl_span(end - now, span));
	line("its key", key_kept(eg_ctl_text(s, "keyKept")));
	show_memory(s);
	if (eg_ctl_text(s, "problem")[0] != '\0')
		line("problem", eg_ctl_text(s, "problem"));
}

int eg_ctl_status(const struct eg_ctl *ctl, int argc, char **argv)
{
	sd_json_variant *booth = NULL, *sync = NULL, *both = NULL;
	struct eg_err booth_err = EG_ERR_INIT, sync_err = EG_ERR_INIT;
	int status;

	(void)argc;
	(void)argv;
	if (eg_ctl_call(ctl->booth_socket, "boothd", "io.egress.Booth.GetStatus", NULL, &booth,
			&booth_err) == 0 &&
	    !ctl->json)
		show_booth(booth);
	if (eg_ctl_call(ctl->sync_socket, "syncd", "io.egress.Sync.Status", NULL, &sync,
			&sync_err) == 0 &&
	    !ctl->json)
		show_sync(sync);
	if (ctl->json &&
	    sd_json_buildo(&both,
			   SD_JSON_BUILD_PAIR_CONDITION(booth != NULL, "booth",
							SD_JSON_BUILD_VARIANT(booth)),
			   SD_JSON_BUILD_PAIR_CONDITION(sync != NULL, "sync",
							SD_JSON_BUILD_VARIANT(sync))) >= 0)
		(void)print_json(both);
	status = booth == NULL || sync == NULL ? 1 : 0;
	if (booth == NULL)
		(void)eg_ctl_fail(&booth_err);
	if (sync == NULL)
		(void)eg_ctl_fail(&sync_err);
	sd_json_variant_unref(booth);
	sd_json_variant_unref(sync);
	sd_json_variant_unref(both);
	return status;
}

static void print_liveness(sd_json_variant *e)
{
	sd_json_variant *reasons = sd_json_variant_by_key(e, "livenessReasons");
	size_t i, count = reasons != NULL ? sd_json_variant_elements(reasons) : 0;

	(void)printf("  alive %.2f", eg_ctl_real(e, "liveness"));
	for (i = 0; i < count; i++)
		(void)printf("%s%s", i == 0 ? " (against it: " : ", ",
			     sd_json_variant_string(sd_json_variant_by_index(reasons, i)));
	if (count > 0)
		(void)putchar(')');
}

static void print_verdict(sd_json_variant *e)
{
	(void)printf("%s %s", eg_ctl_text(e, "mode"), eg_ctl_text(e, "verdict"));
	if (eg_ctl_has(e, "cause"))
		(void)printf(" (%s)", eg_ctl_text(e, "cause"));
	if (eg_ctl_has(e, "traveller"))
		(void)printf("  traveller %s", eg_ctl_text(e, "traveller"));
	if (eg_ctl_has(e, "score"))
		(void)printf("  score %.3f of %.3f", eg_ctl_real(e, "score"),
			     eg_ctl_real(e, "threshold"));
	if (eg_ctl_has(e, "liveness"))
		print_liveness(e);
	if (eg_ctl_has(e, "tookMs"))
		(void)printf("  in %" PRId64 " ms", eg_ctl_int(e, "tookMs"));
}

static int on_event(void *user, sd_json_variant *reply)
{
	const struct eg_ctl *ctl = user;
	sd_json_variant *e = sd_json_variant_by_key(reply, "event");
	const char *type = eg_ctl_text(e, "type"), *time = eg_ctl_text(e, "time");

	if (ctl->json)
		return print_json(e);
	(void)printf("%.8s  ", strlen(time) > 11 ? time + 11 : time);
	if (eg_ctl_has(e, "session"))
		(void)printf("#%-4" PRId64 " ", eg_ctl_int(e, "session"));
	else
		(void)printf("%-6s", "");
	if (strcmp(type, "verdict") == 0)
		print_verdict(e);
	else if (strcmp(type, "state") == 0)
		(void)printf("%s", eg_ctl_text(e, "state"));
	else if (strcmp(type, "hint") == 0)
		(void)printf("hint: %s", eg_ctl_text(e, "hint"));
	else
		(void)printf("%s: %s", type, eg_ctl_text(e, "text"));
	(void)putchar('\n');
	(void)fflush(stdout);
	return 0;
}

int eg_ctl_watch(const struct eg_ctl *ctl, int argc, char **argv)
{
	struct eg_err err = EG_ERR_INIT;
	struct eg_ctl copy = *ctl;

	(void)argc;
	(void)argv;
	if (eg_ctl_observe(ctl->booth_socket, "boothd", "io.egress.Booth.Watch", on_event, &copy,
			   &err) != 0)
		return eg_ctl_fail(&err);
	return 0;
}

int eg_ctl_manifest(const struct eg_ctl *ctl, int argc, char **argv)
{
	sd_json_variant *booth = NULL, *m;
	struct eg_err err = EG_ERR_INIT;
	char text[64];

	if (argc != 2 || strcmp(argv[1], "show") != 0) {
		(void)fputs("usage: boothctl manifest show\n", stderr);
		return 2;
	}
	if (eg_ctl_call(ctl->booth_socket, "boothd", "io.egress.Booth.GetStatus", NULL, &booth,
			&err) != 0)
		return eg_ctl_fail(&err);
	m = sd_json_variant_by_key(booth, "manifest");
	if (ctl->json) {
		(void)print_json(m);
	} else if (eg_ctl_text(m, "id")[0] == '\0' && eg_ctl_int(m, "loadingTotal") == 0) {
		(void)puts("no manifest is held; see that one is published for this booth and that "
			   "syncd has a link (boothctl status)");
	} else {
		line("manifest", eg_ctl_text(m, "id"));
		line("flight", eg_ctl_text(m, "flight"));
		(void)printf("  %-12s %" PRId64 "\n", "version", eg_ctl_int(m, "version"));
		line("expires", eg_ctl_text(m, "expires"));
		line("state",
		     eg_ctl_bool(m, "stale") ? "STALE: everybody goes to the officer" : "valid");
		(void)printf("  %-12s %" PRId64 ", with a usable photo %" PRId64 ", photos %" PRId64
			     ", near-twins %" PRId64 "\n",
			     "travellers", eg_ctl_int(m, "travellers"),
			     eg_ctl_int(m, "withReference"), eg_ctl_int(m, "references"),
			     eg_ctl_int(m, "nearTwins"));
		(void)snprintf(text, sizeof(text), "%.4f", eg_ctl_real(m, "threshold"));
		line("threshold", text);
		if (eg_ctl_int(m, "loadingTotal") > 0)
			(void)printf("  %-12s %" PRId64 " of %" PRId64 " travellers\n", "loading",
				     eg_ctl_int(m, "loading"), eg_ctl_int(m, "loadingTotal"));
	}
	sd_json_variant_unref(booth);
	return 0;
}

int eg_ctl_self_test(const struct eg_ctl *ctl, int argc, char **argv)
{
	sd_json_variant *reply = NULL, *checks;
	struct eg_err err = EG_ERR_INIT;
	size_t i;
	bool ok;

	(void)argc;
	(void)argv;
	if (eg_ctl_call(ctl->booth_socket, "boothd", "io.egress.Booth.SelfTest", NULL, &reply,
			&err) != 0)
		return eg_ctl_fail(&err);
	ok = eg_ctl_bool(reply, "ok");
	checks = sd_json_variant_by_key(reply, "checks");
	if (ctl->json)
		(void)print_json(reply);
	for (i = 0; !ctl->json && i < sd_json_variant_elements(checks); i++) {
		sd_json_variant *c = sd_json_variant_by_index(checks, i);

		(void)printf("  %-4s %-10s %s\n", eg_ctl_bool(c, "ok") ? "ok" : "BAD",
			     eg_ctl_text(c, "name"), eg_ctl_text(c, "text"));
	}
	if (!ctl->json)
		(void)puts(ok ? "self-test passed" : "self-test FAILED: see the lines marked BAD");
	sd_json_variant_unref(reply);
	return ok ? 0 : 1;
}

// Text of the argument, or of standard input when it is "-".
static int document_text(const char *argument, struct eg_buf *text, struct eg_err *err)
{
	char chunk[512];
	size_t n;
	int r = 0;

	if (strcmp(argument, "-") != 0)
		return eg_buf_put(text, argument, strlen(argument));
	while (r == 0 && (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		r = eg_buf_put(text, chunk, n);
	return r == 0 ? 0 : eg_err_set(err, r, "standard input: more than %zu bytes", text->max);
}

int eg_ctl_document(const struct eg_ctl *ctl, int argc, char **argv)
{
	sd_json_variant *parameters = NULL, *reply = NULL;
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf text;
	const char *string;
	int r;

	if (argc != 2) {
		(void)fputs("usage: boothctl document TEXT|-     MRZ lines or a boarding pass "
			    "string; - reads standard input\n",
			    stderr);
		return 2;
	}
	eg_buf_init_secret(&text, 4096);
	r = document_text(argv[1], &text, &err);
	string = r == 0 ? eg_buf_text(&text) : NULL;
	if (r == 0 && (string == NULL ||
		       sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("text", string)) < 0))
		r = eg_err_set(&err, EG_EINVAL, "the document is no text");
	if (r == 0)
		r = eg_ctl_call(ctl->booth_socket, "boothd", "io.egress.Booth.PresentDocument",
				parameters, &reply, &err);
	if (r == 0)
		(void)printf("read: %s\n", strcmp(eg_ctl_text(reply, "kind"), "mrz") == 0
						   ? "a travel document"
						   : "a boarding pass");
	else if (err.text[0] == '\0')
		(void)eg_err_set(&err, r, "the document is longer than 4096 bytes");
	eg_buf_done(&text);
	sd_json_variant_unref(parameters);
	sd_json_variant_unref(reply);
	return r == 0 ? 0 : eg_ctl_fail(&err);
}

static int plain_call(const struct eg_ctl *ctl, const char *method, const char *done)
{
	sd_json_variant *reply = NULL;
	struct eg_err err = EG_ERR_INIT;

	if (eg_ctl_call(ctl->booth_socket, "boothd", method, NULL, &reply, &err) != 0)
		return eg_ctl_fail(&err);
	sd_json_variant_unref(reply);
	(void)puts(done);
	return 0;
}

int eg_ctl_opt_out(const struct eg_ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return plain_call(ctl, "io.egress.Booth.OptOut",
			  "the camera is off; the traveller goes to the officer");
}

int eg_ctl_resume(const struct eg_ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return plain_call(ctl, "io.egress.Booth.Resume", "the camera is on again");
}
