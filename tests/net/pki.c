// SPDX-License-Identifier: Apache-2.0

#include "pki.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

int pki_run(const char *out, const char *const *words)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(fd, 1);
		(void)dup2(null, 2);
		(void)execvp(words[0], (char *const *)(void *)(size_t)words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void must(const char *out, const char *const *words)
{
	int status = pki_run(out, words);

	if (status == 0)
		return;
	(void)fprintf(stderr, "exit %d:", status);
	for (; *words; words++)
		(void)fprintf(stderr, " %s", *words);
	(void)fputc('\n', stderr);
	abort();
}

struct path {
	char text[512];
};

__attribute__((format(printf, 1, 2))) static struct path path(const char *fmt, ...)
{
	struct path p;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(p.text, sizeof(p.text), fmt, args);
	va_end(args);
	return p;
}

void pki_ca(const char *dir, const char *name)
{
	must(NULL, WORDS("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			 "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj",
			 path("/CN=%s", name).text, "-keyout", path("%s/%s.key", dir, name).text,
			 "-out", path("%s/%s.pem", dir, name).text));
}

void pki_sign_csr(const char *dir, const char *ca, const char *name, const char *from,
		  const char *end)
{
	const struct path csr = path("%s/%s.csr", dir, name), out = path("%s/%s.pem", dir, name);
	const struct path cert = path("%s/%s.pem", dir, ca), key = path("%s/%s.key", dir, ca);
	const struct path ext = path("%s/%s.ext", dir, name);

	if (access(ext.text, R_OK) != 0)
		pki_write(dir, path("%s.ext", name).text, "\n", 1);
	if (from)
		must(NULL, WORDS("openssl", "x509", "-req", "-in", csr.text, "-CA", cert.text,
				 "-CAkey", key.text, "-not_before", from, "-not_after", end,
				 "-extfile", ext.text, "-out", out.text));
	else
		must(NULL,
		     WORDS("openssl", "x509", "-req", "-in", csr.text, "-CA", cert.text, "-CAkey",
			   key.text, "-days", "2", "-extfile", ext.text, "-out", out.text));
}

void pki_leaf(const char *dir, const char *ca, const char *name, const char *cn, const char *san,
	      const char *from, const char *end)
{
	struct path ext = path("subjectAltName=%s\n", san ? san : "");

	must(NULL,
	     WORDS("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		   "-nodes", "-subj", path("/CN=%s", cn).text, "-keyout",
		   path("%s/%s.key", dir, name).text, "-out", path("%s/%s.csr", dir, name).text));
	pki_write(dir, path("%s.ext", name).text, san ? ext.text : "\n",
		  san ? strlen(ext.text) : 1);
	pki_sign_csr(dir, ca, name, from, end);
}

char *pki_read(const char *dir, const char *file, size_t *ret_size)
{
	FILE *in = fopen(path("%s/%s", dir, file).text, "rb");
	char *text = malloc(1u << 20);
	size_t n;

	if (!in || !text)
		abort();
	n = fread(text, 1, (1u << 20) - 1, in);
	(void)fclose(in);
	text[n] = '\0';
	if (ret_size)
		*ret_size = n;
	return text;
}

void pki_write(const char *dir, const char *file, const void *data, size_t size)
{
	FILE *out = fopen(path("%s/%s", dir, file).text, "wb");

	if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
		abort();
}

char *pki_certs_only(const char *dir, const char *name)
{
	const struct path out = path("%s.p7.pem", name);
	char *text, *from, *to;

	must(NULL,
	     WORDS("openssl", "crl2pkcs7", "-nocrl", "-certfile", path("%s/%s.pem", dir, name).text,
		   "-out", path("%s/%s", dir, out.text).text));
	text = pki_read(dir, out.text, NULL);
	from = strchr(text, '\n') + 1;
	to = strstr(from, "-----END");
	*to = '\0';
	memmove(text, from, strlen(from) + 1);
	return text;
}
