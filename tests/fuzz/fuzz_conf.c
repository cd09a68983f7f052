// SPDX-License-Identifier: Apache-2.0
//
// Foreign bytes as a configuration file: refused with a sentence, or every value within its range.
//
// links: eg_base

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/base/conf.h"
#include "firmware/base/log.h"

struct config {
	long long whole;
	double real;
	bool yes;
	int word;
	char text[16], path[64];
};

static const char *const words[] = {"red", "green", NULL};

#define AT(member) .offset = offsetof(struct config, member)
static const struct eg_conf_key table[] = {
	{"a", "whole", EG_CONF_INT, AT(whole), .min = -5, .max = 1000, .def = "7", .help = "h"},
	{"a", "real", EG_CONF_DOUBLE, AT(real), .min = 0, .max = 1, .def = "0.5", .help = "h"},
	{"a", "yes", EG_CONF_BOOL, AT(yes), .def = "no", .help = "h"},
	{"b", "word", EG_CONF_ENUM, AT(word), .words = words, .def = "green", .help = "h"},
	{"b", "text", EG_CONF_TEXT, AT(text), .size = 16, .def = "", .help = "h"},
	{"b", "path", EG_CONF_PATH, AT(path), .size = 64, .def = "/etc", .help = "h"},
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = {0};
	struct eg_err err = EG_ERR_INIT;
	char path[64];
	int fd, r;

	eg_log_init("fuzz", (enum eg_log_level)0); // quiet
	fd = memfd_create("conf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = eg_conf_load(path, table, &config, &err);
	(void)close(fd);
	if (r != 0) {
		assert(err.code == r && err.text[0] != '\0');
		return 0;
	}
	assert(config.whole >= -5 && config.whole <= 1000);
	assert(config.real >= 0 && config.real <= 1);
	assert(config.word == 0 || config.word == 1);
	assert(memchr(config.text, 0, sizeof(config.text)) != NULL);
	assert(config.path[0] == '/' || config.path[0] == '\0');
	return 0;
}
