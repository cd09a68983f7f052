// SPDX-License-Identifier: Apache-2.0
//
// calibrate liveness: asks for people, then for printed photos, one after another, takes the scores
// that boothd gives them, and moves this site's threshold between the two groups. boothd serves
// nobody meanwhile, and says numbers only.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/base/clock.h"
#include "firmware/base/crypto.h"
#include "firmware/boothctl/ctl.h"
#include "store/site.h"

#define METHOD	   "io.egress.Booth.CalibrateLiveness"
#define EACH_MAX   50
#define LOOKS	   5  // that a full score rests on
#define TAKE	   10 // scores of one presentation; their median counts
#define WAIT_MS	   30000
#define SERVING_MS 60000

static const char usage[] =
	"usage: boothctl calibrate liveness [--people N] [--photos N] [--site FILE]\n"
	"\n"
	"Wanted: 5 people or more (default 6, each once) and printed photos of faces, life-size "
	"and\n"
	"larger, on matt and glossy paper, to be held up 5 times or more (default 6); a phone or\n"
	"tablet with a face on it if there is one. Nobody is served meanwhile, and nothing is\n"
	"recorded. FILE is /etc/egress/site.conf unless boothd is configured otherwise.\n";

struct group {
	const char *what; // "people"
	double score[2 * EACH_MAX];
	size_t count;
};

struct measure {
	sd_varlink *link;
	struct eg_err *err;
	int result; // not 0: the connection is over
	bool serving;
	// the newest reply
	uint64_t replies;
	size_t faces;
	int64_t track, looks;
	double score;
	char hint[64], against[128];
	double policy;
	char pack[65], camera[128];
};

// ---- what boothd says -----------------------------------------------------------------------

static void take_face(struct measure *m, sd_json_variant *face)
{
	sd_json_variant *reasons = sd_json_variant_by_key(face, "reasons");
	size_t i, used = 0, count = reasons != NULL ? sd_json_variant_elements(reasons) : 0;

	m->track = eg_ctl_int(face, "track");
	m->looks = eg_ctl_int(face, "looks");
	m->score = eg_ctl_real(face, "score");
	(void)snprintf(m->hint, sizeof(m->hint), "%s", eg_ctl_text(face, "hint"));
	m->against[0] = '\0';
	for (i = 0; i < count && used < sizeof(m->against); i++)
		used += (size_t)snprintf(
			m->against + used, sizeof(m->against) - used, "%s%s", i > 0 ? ", " : "",
			sd_json_variant_string(sd_json_variant_by_index(reasons, i)));
}

static int on_reply(sd_varlink *link, sd_json_variant *reply, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *user)
{
	struct measure *m = user;
	sd_json_variant *faces;

	(void)link;
	(void)flags;
	if (error_id != NULL) {
		m->serving = strcmp(error_id, EG_CTL_SERVING) == 0;
		m->result = strcmp(error_id, SD_VARLINK_ERROR_DISCONNECTED) == 0
				    ? eg_err_set(m->err, EG_ENET, "boothd ended the connection")
				    : eg_ctl_method_error(METHOD, error_id, reply, m->err);
		return 0;
	}
	faces = sd_json_variant_by_key(reply, "faces");
	m->replies++;
	m->policy = eg_ctl_real(reply, "policyThreshold");
	(void)snprintf(m->pack, sizeof(m->pack), "%s", eg_ctl_text(reply, "pack"));
	(void)snprintf(m->camera, sizeof(m->camera), "%s", eg_ctl_text(reply, "camera"));
	m->faces = faces != NULL ? sd_json_variant_elements(faces) : 0;
	if (m->faces == 1)
		take_face(m, sd_json_variant_by_index(faces, 0));
	return 0;
}

static int64_t now_ms(void)
{
	return eg_boot_ms(eg_clock_system());
}

// Waits a tenth of a second at most, for boothd or (with `key`) for standard input as well. What
// was typed is in *key, 0 when nothing was.
static int turn(struct measure *m, char *key)
{
	struct pollfd fds[2] = {{.fd = sd_varlink_get_fd(m->link), .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};
	int events = sd_varlink_get_events(m->link), r;
	ssize_t n;

	if (events > 0)
		fds[0].events = (short)events;
	if (poll(fds, key != NULL ? 2 : 1, 100) < 0 && errno != EINTR)
		return eg_err_errno(m->err, errno, "poll");
	do
		r = sd_varlink_process(m->link);
	while (r > 0 && m->result == 0);
	if (r < 0 && m->result == 0)
		m->result = eg_err_errno(m->err, -r, "boothd");
	if (m->result != 0 || key == NULL)
		return m->result;
	*key = '\0';
	if (fds[1].revents == 0)
		return 0;
	n = read(STDIN_FILENO, key, 1);
	if (n == 1)
		return 0;
	return eg_err_set(m->err, EG_EINVAL,
			  "the input ended before the measurement did; nothing "
			  "was changed");
}

// The first character of the next line that is typed, '\n' for an empty one.
static int ask(struct measure *m, char *ret_answer)
{
	char key, first = '\0';
	int r;

	(void)fflush(stdout);
	do {
		r = turn(m, &key);
		if (first == '\0')
			first = key;
	} while (r == 0 && key != '\n');
	*ret_answer = first;
	return r;
}

// ---- the measurement ------------------------------------------------------------------------

static int begin(const struct eg_ctl *ctl, struct measure *m)
{
	int64_t until = now_ms() + SERVING_MS;
	bool told = false;
	int r;

	for (;;) {
		m->result = 0;
		m->serving = false;
		r = eg_ctl_connect(ctl->booth_socket, "boothd", &m->link, m->err);
		if (r != 0)
			return r;
		(void)sd_varlink_set_relative_timeout(m->link, UINT64_MAX);
		(void)sd_varlink_set_userdata(m->link, m);
		r = sd_varlink_bind_reply(m->link, on_reply);
		if (r >= 0)
			r = sd_varlink_observe(m->link, METHOD, NULL);
		if (r < 0)
			return eg_err_errno(m->err, -r, "boothd");
		while ((r = turn(m, NULL)) == 0 && m->replies == 0)
			if (now_ms() >= until)
				return eg_err_set(m->err, EG_EFOREIGN,
						  "boothd sees no pictures; see boothctl status");
		if (r == 0 || !m->serving || now_ms() >= until)
			return r;
		if (!told)
			(void)puts("waiting: a traveller is being served");
		told = true;
		(void)fflush(stdout);
		m->link = sd_varlink_close_unref(m->link);
		(void)poll(NULL, 0, 1000);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void say(char said[64], const char *text)
{
	if (strcmp(said, text) == 0)
		return;
	(void)snprintf(said, 64, "%s", text);
	if (text[0] == '\0')
		return;
	(void)printf("    %s\n", text);
	(void)fflush(stdout);
}

// What the technician should see to, as far as this view tells; "" when a score can be taken.
static const char *trouble(const struct measure *m, int64_t not_track)
{
	if (m->faces == 0)
		return "no face in view";
	if (m->faces > 1)
		return "several faces in view: one at a time";
	if (m->track == not_track)
		return "this is still the one before: the next one, please";
	if (m->looks < LOOKS)
		return strcmp(m->hint, "none") == 0 ? "looking" : m->hint;
	return "";
}

// One presentation: the median of TAKE full scores of one face in a row. EG_EAGAIN when it did not
// come to that.
static int present(struct measure *m, struct group *g, int64_t *track)
{
	const int64_t until = now_ms() + WAIT_MS, before = *track;
	double score[TAKE];
	char said[64] = "";
	uint64_t seen = m->replies;
	size_t n = 0;
	int r = 0;

	while (n < TAKE) {
		r = turn(m, NULL);
		if (r != 0)
			return r;
		if (now_ms() >= until)
			return EG_EAGAIN;
		if (m->replies == seen)
			continue;
		seen = m->replies;
		say(said, trouble(m, before));
		if (said[0] != '\0' || (n > 0 && m->track != *track))
			n = 0;
		if (said[0] != '\0')
			continue;
		*track = m->track;
		score[n++] = m->score;
	}
	qsort(score, TAKE, sizeof(*score), by_size);
	g->score[g->count] = (score[TAKE / 2 - 1] + score[TAKE / 2]) / 2;
	(void)printf("    score %.2f%s%s\n", g->score[g->count],
		     m->against[0] != '\0' ? ", against it: " : "", m->against);
	g->count++;
	return 0;
}

static int collect(struct measure *m, struct group *g, const char *call, size_t wanted,
		   bool another_face)
{
	int64_t track = -1, none = -1;
	size_t n = 0;
	char answer;
	int r;

	while (n < wanted) {
		(void)printf("%s %zu of %zu: %s, then press Enter\n", g->what, n + 1, wanted, call);
		r = ask(m, &answer);
		if (r != 0)
			return r;
		none = -1;
		r = present(m, g, another_face ? &track : &none);
		if (r == EG_EAGAIN)
			(void)puts("    no steady score in 30 s: look straight at the camera from "
				   "about a metre; once more");
		else if (r != 0)
			return r;
		else
			n++;
	}
	return 0;
}

// ---- what follows ---------------------------------------------------------------------------

static void show_group(const struct group *g, double low, double high)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		if (g->score[i] >= low && g->score[i] < high)
			(void)putchar('*');
		else
			(void)putchar(' ');
}

static void show_groups(struct group *people, struct group *photos)
{
	int i;

	qsort(people->score, people->count, sizeof(*people->score), by_size);
	qsort(photos->score, photos->count, sizeof(*photos->score), by_size);
	(void)printf("\n  score      %-*s  %s\n", (int)people->count, "people", "photos");
	for (i = 0; i < 10; i++) {
		(void)printf("  %.1f-%.1f    ", i / 10.0, (i + 1) / 10.0);
		show_group(people, i / 10.0, i < 9 ? (i + 1) / 10.0 : 1.1);
		(void)fputs("  ", stdout);
		show_group(photos, i / 10.0, i < 9 ? (i + 1) / 10.0 : 1.1);
		(void)putchar('\n');
	}
}

static int conclude(struct measure *m, struct group *people, struct group *photos, const char *path)
{
	struct eg_site_groups g = {0};
	struct eg_site site = {0};
	char answer;
	int r;

	show_groups(people, photos);
	r = eg_site_part(people->score, people->count, photos->score, photos->count, m->policy, &g,
			 m->err);
	(void)printf(
		"\nnine tenths of the people are at %.2f or over, nine tenths of the photos at "
		"%.2f or under\n",
		g.live_low, g.attack_high);
	if (r != 0)
		return r;
	(void)printf("proposed: %.2f instead of the policy's %.2f. It refuses %zu of %zu people "
		     "and lets\n%zu of %zu photos pass. So few tell that the camera suits the "
		     "models; they are no\nmeasure of error rates.\nWrite it to %s? [y/N] ",
		     g.threshold, m->policy, g.refused, people->count, g.passed, photos->count,
		     path);
	r = ask(m, &answer);
	if (r != 0)
		return r;
	if (answer != 'y' && answer != 'Y') {
		(void)puts("nothing was changed");
		return 0;
	}
	site.shift = g.shift;
	site.live = (long long)people->count;
	site.attacks = (long long)photos->count;
	eg_time_text(eg_wall_ms(eg_clock_system()), site.measured);
	(void)snprintf(site.pack, sizeof(site.pack), "%s", m->pack);
	(void)snprintf(site.camera, sizeof(site.camera), "%s", m->camera);
	r = eg_site_save(&site, path, m->err);
	if (r == 0)
		(void)puts("written. It holds from boothd's next start: systemctl restart boothd");
	return r;
}

static int run(const struct eg_ctl *ctl, size_t people_wanted, size_t photos_wanted,
	       const char *path, struct eg_err *err)
{
	struct group people = {.what = "person"}, photos = {.what = "photo"};
	struct measure m = {.err = err};
	char answer;
	int r = begin(ctl, &m);

	if (r != 0)
		goto out;
	(void)puts("boothd serves nobody until this ends; Ctrl-C ends it and changes nothing.\n");
	r = collect(&m, &people, "stand where travellers stand and look at the camera",
		    people_wanted, true);
	if (r != 0)
		goto out;
	(void)puts("\nNow printed photos: nobody's own face in view, hold the photo where a face "
		   "would be.");
	r = collect(&m, &photos, "hold a photo up, each time another, or nearer, or tilted",
		    photos_wanted, false);
	if (r != 0)
		goto out;
	(void)printf("\nIs there a phone or tablet to show a face on? [y/N] ");
	r = ask(&m, &answer);
	if (r == 0 && (answer == 'y' || answer == 'Y')) {
		photos.what = "screen";
		r = collect(&m, &photos, "hold it up with a face on it, bright", photos_wanted,
			    false);
	}
	if (r == 0)
		r = conclude(&m, &people, &photos, path);
out:
	sd_varlink_close_unref(m.link);
	return r;
}

static bool read_count(const char *text, size_t *ret)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < EG_SITE_LEAST || value > EACH_MAX)
		return false;
	*ret = (size_t)value;
	return true;
}

int eg_ctl_calibrate(const struct eg_ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {{"people", required_argument, NULL, 'p'},
					      {"photos", required_argument, NULL, 'f'},
					      {"site", required_argument, NULL, 's'},
					      {0}};
	const char *path = "/etc/egress/site.conf";
	size_t people = 6, photos = 6;
	struct eg_err err = EG_ERR_INIT;
	bool fine = true;
	int c, r;

	optind = 0; // glibc: begin anew, with this option string
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'p')
			fine = fine && read_count(optarg, &people);
		else if (c == 'f')
			fine = fine && read_count(optarg, &photos);
		else if (c == 's')
			path = optarg;
		else
			fine = false;
	}
	if (!fine || optind != argc - 1 || strcmp(argv[optind], "liveness") != 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	r = eg_crypto_init(&err);
	if (r == 0)
		r = run(ctl, people, photos, path, &err);
	return r == 0 ? 0 : eg_ctl_fail(&err);
}
