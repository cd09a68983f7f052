// SPDX-License-Identifier: Apache-2.0

#include "world.h"

static unsigned int worlds;

const char *in(const struct world *world, const char *name)
{
	static char texts[4][256];
	static unsigned int turn;
	char *text = texts[turn++ % 4];

	(void)snprintf(text, 256, "%s/%s", world->dir, name);
	return text;
}

int64_t boot_ms(void)
{
	return eg_boot_ms(eg_clock_system());
}

int64_t wall_ms(void)
{
	return eg_wall_ms(eg_clock_system());
}

int64_t patience(void)
{
	const char *text = getenv("EGRESS_PATIENCE");

	return text ? strtol(text, NULL, 10) : 1;
}

void envelope_of(const struct eg_id *id, uint8_t envelope[ENVELOPE])
{
	for (size_t i = 0; i < ENVELOPE; i++)
		envelope[i] = (uint8_t)(id->bytes[i % EG_ID_SIZE] + i / 7);
}

void put_encounters(struct world *world, size_t count)
{
	uint8_t envelope[ENVELOPE];

	for (size_t i = 0; i < count; i++) {
		struct eg_id *id = &world->ids[world->items++];

		assert_int_equal(eg_id_new(eg_clock_system(), id), 0);
		envelope_of(id, envelope);
		assert_int_equal(eg_records_put(world->records, id, EG_BYTES(envelope, ENVELOPE),
						wall_ms(), NULL),
				 0);
	}
}

static void write_trust(struct world *world)
{
	static struct eg_trust trust;
	char *ca = pki_read(world->dir, "ca.pem", NULL);
	struct eg_err err = EG_ERR_INIT;

	trust = (struct eg_trust){.booth = "lane-12", .sign_count = 1};
	(void)snprintf(trust.url, sizeof(trust.url), "%s", centre_url(world->centre));
	(void)snprintf(trust.ca_pem, sizeof(trust.ca_pem), "%s", ca);
	memcpy(trust.sign[0].pub, eg_key_public(centre_key(world->centre)), EG_P256_PUB_SIZE);
	eg_kid(trust.sign[0].pub, trust.sign[0].kid);
	memcpy(trust.seal, trust.sign[0].pub, EG_P256_PUB_SIZE);
	if (eg_trust_save(&trust, false, in(world, "trust.json"), &err) != 0)
		fail_msg("%s", err.text);
	free(ca);
}

void write_config(struct world *world, const char *more)
{
	FILE *out = fopen(in(world, "syncd.conf"), "w");

	assert_non_null(out);
	(void)fprintf(out,
		      "[files]\ntrust = trust.json\nstate = state\ntoken = state/token\n"
		      "records = records.db\nmanifests = manifests.db\nbooth_keys = booth.pub\n"
		      "[identity]\n%s\n"
		      "[sync]\npoll_s = 1\nheartbeat_s = 1\nqueue_s = 0.2\n%s\n"
		      "[net]\nbackoff_min_s = 0.05\nbackoff_max_s = 0.5\nagain_s = 1\n"
		      "connect_s = 5\nstall_s = 2\ncall_s = 20\n"
		      "[varlink]\nsocket = sync.socket\nbooth = booth.socket\n"
		      "[log]\nlevel = debug\n",
		      world->key ? world->key : "key = file", more);
	assert_int_equal(fclose(out), 0);
}

static void write_booth_keys(struct world *world)
{
	struct eg_booth_keys keys;
	struct eg_buf out;

	memcpy(keys.seal, eg_key_public(world->seal), EG_P256_PUB_SIZE);
	memcpy(keys.sign, eg_key_public(world->seal), EG_P256_PUB_SIZE);
	eg_buf_init(&out, 1024);
	assert_int_equal(eg_booth_keys_encode(&keys, &out), 0);
	assert_int_equal(eg_file_write(in(world, "booth.pub"), eg_buf_bytes(&out), 0644, NULL), 0);
	eg_buf_done(&out);
}

// `server`: which certificate the centre shows.
struct world *world_new(const char *server)
{
	struct world *world = calloc(1, sizeof(*world));
	struct eg_err err = EG_ERR_INIT;
	char cwd[150];

	assert_non_null(world);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(world->dir, sizeof(world->dir), "%s/world%u", cwd, worlds++);
	assert_int_equal(pki_run(NULL, (const char *const[]){"rm", "-rf", world->dir, NULL}), 0);
	assert_int_equal(pki_run(NULL, (const char *const[]){"cp", "-r", "pki", world->dir, NULL}),
			 0);
	assert_int_equal(mkdir(in(world, "state"), 0700), 0);
	world->centre = centre_start(&(struct centre_options){
		.dir = world->dir, .server = server, .booth = "lane-12", .token = "once-only"});
	assert_int_equal(eg_key_generate(&world->seal, NULL), 0);
	write_trust(world);
	write_config(world, "");
	write_booth_keys(world);
	pki_write(world->dir, "state/token", "once-only\n", 10);
	if (eg_records_open(in(world, "records.db"), &world->records, &err) != 0)
		fail_msg("%s", err.text);
	return world;
}

void syncd_start(struct world *world)
{
	char program[512], log[256], config[256];
	const char *build = getenv("EGRESS_BUILD");
	pid_t pid;

	assert_non_null(build);
	(void)snprintf(program, sizeof(program), "%s/bin/syncd", build);
	(void)snprintf(log, sizeof(log), "%s", in(world, "syncd.log"));
	(void)snprintf(config, sizeof(config), "%s", in(world, "syncd.conf"));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); // not to outlive a test that failed
		(void)dup2(fd, 2);
		(void)execl(program, program, "--config", config, (char *)NULL);
		_exit(127);
	}
	world->pid = pid;
}

// Ends it and tells how: the exit status, or −signal.
int syncd_end(struct world *world, int signal_number)
{
	int status = 0;

	assert_int_equal(kill(world->pid, signal_number), 0);
	assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
	world->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void show_log(struct world *world)
{
	char *text = pki_read(world->dir, "syncd.log", NULL);
	size_t n = strlen(text);

	(void)fputs(n > 6000 ? text + n - 6000 : text, stderr);
	free(text);
}

bool logged(struct world *world, const char *words)
{
	char *text;
	bool found;

	if (access(in(world, "syncd.log"), R_OK) != 0)
		return false; // it has not come that far
	text = pki_read(world->dir, "syncd.log", NULL);
	found = strstr(text, words) != NULL;
	free(text);
	return found;
}

void world_free(struct world *world)
{
	if (world->pid != 0) {
		int r = syncd_end(world, SIGTERM);

		if (r != 0) {
			show_log(world);
			fail_msg("syncd ended with %d", r);
		}
	}
	eg_records_close(world->records);
	centre_stop(world->centre);
	eg_key_free(world->seal);
	free(world);
}

struct eg_records_facts facts(struct world *world)
{
	struct eg_records_facts now = {0};

	assert_int_equal(eg_records_facts(world->records, &now, NULL), 0);
	return now;
}

void assert_delivered_once(struct world *world)
{
	uint8_t envelope[ENVELOPE];

	assert_int_equal(centre_stored(world->centre), world->items);
	assert_int_equal(centre_conflicts(world->centre), 0);
	for (size_t i = 0; i < world->items; i++) {
		envelope_of(&world->ids[i], envelope);
		assert_true(
			centre_has(world->centre, &world->ids[i], EG_BYTES(envelope, ENVELOPE)));
	}
	assert_int_equal(facts(world).acknowledged, world->items);
	assert_int_equal(facts(world).queued, 0);
	assert_int_equal(facts(world).dead, 0);
}

static void manifest_build(struct world *world, const struct eg_key *signer, const char *id,
			   uint64_t version, size_t padding, int64_t expires_ms, struct eg_buf *out)
{
	struct eg_manifest_header header = {.flight = "LH400", .port = "FRA", .count = 1};
	struct eg_traveller traveller = {.id = "t1",
					 .name = "TEST",
					 .birth = "1990-01-01",
					 .citizenship = EG_VISITOR,
					 .photo_count = 1};
	struct eg_statement statement = {.version = version,
					 .not_before_ms = 1,
					 .expires_ms = expires_ms,
					 .flight = "LH400",
					 .travellers = 1};
	uint8_t *photo = calloc(1, padding);
	struct eg_err err = EG_ERR_INIT;
	struct eg_buf content;

	traveller.photo[0] = (struct eg_photo){EG_PHOTO_VISA, 2020, EG_BYTES(photo, padding)};
	(void)snprintf(statement.id, sizeof(statement.id), "%s", id);
	(void)snprintf(statement.scope, sizeof(statement.scope), "lane-12");
	eg_buf_init_secret(&content, EG_MANIFEST_MAX);
	eg_buf_init(out, EG_MANIFEST_MAX);
	assert_int_equal(eg_manifest_put_header(&content, &header), 0);
	assert_int_equal(eg_manifest_put_traveller(&content, &traveller), 0);
	if (eg_manifest_build(&statement, eg_buf_bytes(&content), eg_key_public(world->seal),
			      signer, out, &err) != 0)
		fail_msg("%s", err.text);
	eg_buf_done(&content);
	free(photo);
}

void offer_manifest(struct world *world, const struct eg_key *signer, const char *id,
		    uint64_t version, size_t padding, int64_t expires_ms)
{
	struct eg_buf wire;

	manifest_build(world, signer ? signer : centre_key(world->centre), id, version, padding,
		       expires_ms, &wire);
	centre_manifest(world->centre, id, version, eg_buf_bytes(&wire));
	eg_buf_done(&wire);
}

// The version held of manifest `id`, 0: none.
uint64_t held(struct world *world, const char *id)
{
	struct eg_manifest_held list[16];
	struct eg_manifests *manifests;
	uint64_t version = 0;
	size_t count = 0;

	assert_int_equal(eg_manifests_open(in(world, "manifests.db"), &manifests, NULL), 0);
	assert_int_equal(eg_manifests_list(manifests, list, 16, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].id, id) == 0)
			version = list[i].version;
	eg_manifests_close(manifests);
	return version;
}

// A text of the state that syncd tells over Varlink; free() it. NULL: it does not answer.
char *status(struct world *world)
{
	sd_json_variant *reply = NULL;
	const char *error = NULL;
	sd_varlink *link = NULL;
	char *text = NULL;

	if (sd_varlink_connect_address(&link, in(world, "sync.socket")) >= 0 &&
	    sd_varlink_call(link, "io.egress.Sync.Status", NULL, &reply, &error) >= 0 && !error)
		(void)sd_json_variant_format(reply, 0, &text);
	sd_varlink_close_unref(link);
	return text;
}

bool status_has(struct world *world, const char *words)
{
	char *text = status(world);
	bool found = text && strstr(text, words);

	free(text);
	return found;
}
