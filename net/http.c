// SPDX-License-Identifier: Apache-2.0
//
// See http.h. Every curl option that makes the client refuse something stands in prepare().

#include "net/http.h"

#include <curl/curl.h>
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/base/mem.h"

#define BODY_MS_PER_BYTE 1 // of a link that is as slow as it may be

struct eg_http {
	CURL *curl;
	char *url;
	char *ca_pem;
	struct eg_tls_key *key; // the client's; NULL: none is shown
	X509 *leaf;
	STACK_OF(X509) * issuers;
	unsigned int connect_ms, stall_ms, total_ms;
	atomic_bool cancelled;
	char detail[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready = CURLE_FAILED_INIT;

static void curl_start(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void forget_identity(struct eg_http *http)
{
	eg_tls_key_unref(http->key);
	X509_free(http->leaf);
	sk_X509_pop_free(http->issuers, X509_free);
	http->key = NULL;
	http->leaf = NULL;
	http->issuers = NULL;
}

int eg_http_new(const struct eg_http_config *config, struct eg_http **ret_http, struct eg_err *err)
{
	struct eg_http *http;

	if (strncmp(config->url, "https://", 8) != 0)
		return eg_err_set(err, EG_EINVAL,
				  "URL '%s': must start with https://; correct it in trust.json",
				  config->url);
	(void)pthread_once(&curl_once, curl_start);
	if (curl_ready != CURLE_OK)
		return eg_err_set(err, EG_EFOREIGN, "libcurl does not start: %s",
				  curl_easy_strerror(curl_ready));
	http = eg_calloc(1, sizeof(*http));
	if (!http)
		return eg_err_set(err, EG_ENOMEM, "out of memory for the HTTPS client");
	atomic_init(&http->cancelled, false);
	http->connect_ms = config->connect_ms;
	http->stall_ms = config->stall_ms;
	http->total_ms = config->total_ms;
	http->url = eg_strdup(config->url);
	http->ca_pem = eg_strdup(config->ca_pem);
	http->curl = curl_easy_init();
	if (!http->url || !http->ca_pem || !http->curl) {
		eg_http_free(http);
		return eg_err_set(err, EG_ENOMEM, "out of memory for the HTTPS client");
	}
	*ret_http = http;
	return 0;
}

void eg_http_free(struct eg_http *http)
{
	if (!http)
		return;
	if (http->curl)
		curl_easy_cleanup(http->curl);
	forget_identity(http);
	free(http->url);
	free(http->ca_pem);
	free(http);
}

// The certificates of `pem`: the first is *ret_leaf, the others are *ret_issuers.
static int read_chain(struct eg_bytes pem, X509 **ret_leaf, STACK_OF(X509) * *ret_issuers)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
	STACK_OF(X509) *issuers = sk_X509_new_null();
	X509 *leaf = NULL, *one = NULL;
	int r = bio && issuers ? 0 : EG_ENOMEM;

	if (r == 0)
		leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (leaf && r == 0 && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(issuers, one) <= 0) {
			X509_free(one);
			r = EG_ENOMEM;
		}
	if (r == 0 && !leaf)
		r = EG_EINVAL;
	BIO_free(bio);
	ERR_clear_error(); // the end of the text is an error to OpenSSL
	if (r != 0) {
		X509_free(leaf);
		sk_X509_pop_free(issuers, X509_free);
		return r;
	}
	*ret_leaf = leaf;
	*ret_issuers = issuers;
	return 0;
}

int eg_http_identity(struct eg_http *http, struct eg_tls_key *key, struct eg_bytes pem,
		     struct eg_err *err)
{
	CURL *fresh = curl_easy_init(); // the old handle takes its connection with it
	STACK_OF(X509) *issuers = NULL;
	X509 *leaf = NULL;
	int r = 0;

	if (!fresh)
		return eg_err_set(err, EG_ENOMEM, "out of memory for the HTTPS client");
	if (key)
		r = read_chain(pem, &leaf, &issuers);
	if (r != 0) {
		curl_easy_cleanup(fresh);
		return eg_err_set(err, r, "client certificate: cannot be read");
	}
	curl_easy_cleanup(http->curl);
	http->curl = fresh;
	forget_identity(http);
	http->key = key ? eg_tls_key_ref(key) : NULL;
	http->leaf = leaf;
	http->issuers = issuers;
	return 0;
}

void eg_http_cancel(struct eg_http *http, bool cancelled)
{
	atomic_store(&http->cancelled, cancelled);
}

// What one call needs while curl runs it.
struct call {
	struct eg_http *http;
	struct eg_bytes up;
	struct eg_buf *down;
	struct curl_slist *headers;
	char *url;
	char range[64];
	bool overflow;
};

static size_t on_down(char *data, size_t size, size_t count, void *user)
{
	struct call *call = user;

	if (eg_buf_put(call->down, data, size * count) != 0) {
		call->overflow = true;
		return 0;
	}
	return size * count;
}

static size_t on_up(char *room, size_t size, size_t count, void *user)
{
	struct call *call = user;
	size_t n = size * count;

	if (n > call->up.size)
		n = call->up.size;
	if (n > 0)
		memcpy(room, call->up.data, n);
	call->up.data += n;
	call->up.size -= n;
	return n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct call *call = user;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(&call->http->cancelled) ? 1 : 0;
}

static int add_header(struct call *call, const char *name, const char *value)
{
	struct curl_slist *longer;
	char line[512];
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (n < 0 || (size_t)n >= sizeof(line))
		return EG_ETOOBIG;
	longer = curl_slist_append(call->headers, line);
	if (!longer)
		return EG_ENOMEM;
	call->headers = longer;
	return 0;
}

// curl_easy_setopt is variadic: every value must have exactly the type that the option wants.
static CURLcode put_long(CURL *curl, CURLoption option, long value)
{
	return curl_easy_setopt(curl, option, value);
}

static CURLcode put_blob(CURL *curl, CURLoption option, const void *data, size_t size)
{
	struct curl_blob blob = {(void *)(uintptr_t)data, size, CURL_BLOB_COPY};

	return curl_easy_setopt(curl, option, &blob);
}

// Whom we trust, and what we never do. All of it is set anew for every call: nothing is inherited.
static CURLcode prepare(struct eg_http *http)
{
	CURL *curl = http->curl;
	CURLcode c = CURLE_OK;
	unsigned int bad = 0;

	curl_easy_reset(curl); // keeps the connection
	bad |= put_long(curl, CURLOPT_NOSIGNAL, 1);
	bad |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	bad |= curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	bad |= put_long(curl, CURLOPT_FOLLOWLOCATION, 0);
	bad |= curl_easy_setopt(curl, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	bad |= put_long(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	bad |= put_long(curl, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	bad |= put_long(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	bad |= put_long(curl, CURLOPT_SSL_VERIFYPEER, 1);
	bad |= put_long(curl, CURLOPT_SSL_VERIFYHOST, 2);
	// Without these two, the distribution's own list of authorities is trusted as well.
	bad |= curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	bad |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	bad |= put_blob(curl, CURLOPT_CAINFO_BLOB, http->ca_pem, strlen(http->ca_pem));
	bad |= put_long(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)http->connect_ms);
	bad |= put_long(curl, CURLOPT_TCP_KEEPALIVE, 1);
	bad |= put_long(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0); // a portal may have lied a minute ago
	bad |= put_long(curl, CURLOPT_NOPROGRESS, 0);
	bad |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "egress/" EG_VERSION);
	bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->detail);
	if (bad != 0)
		c = CURLE_UNKNOWN_OPTION;
	return c;
}

// Hands key and certificate to a connection that begins. curl itself takes keys only as text.
static CURLcode on_tls(CURL *curl, void *tls, void *user)
{
	struct eg_http *http = user;

	(void)curl;
	// In this order OpenSSL compares the two.
	if (SSL_CTX_use_certificate(tls, http->leaf) != 1 ||
	    SSL_CTX_use_PrivateKey(tls, eg_tls_key_evp(http->key)) != 1 ||
	    SSL_CTX_set1_chain(tls, http->issuers) != 1)
		return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

static CURLcode prepare_identity(struct eg_http *http)
{
	unsigned int bad = 0;

	if (!http->key)
		return CURLE_OK;
	bad |= curl_easy_setopt(http->curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	bad |= curl_easy_setopt(http->curl, CURLOPT_SSL_CTX_DATA, http);
	return bad == 0 ? CURLE_OK : CURLE_UNKNOWN_OPTION;
}

static int prepare_headers(struct call *call, const struct eg_http_request *request)
{
	int r = 0;

	if (request->content_type)
		r = add_header(call, "Content-Type", request->content_type);
	if (r == 0 && request->transfer_encoding)
		r = add_header(call, "Content-Transfer-Encoding", request->transfer_encoding);
	if (r == 0 && request->if_none_match && request->if_none_match[0])
		r = add_header(call, "If-None-Match", request->if_none_match);
	if (r == 0 && request->if_range && request->ranged)
		r = add_header(call, "If-Range", request->if_range);
	if (r == 0) // we never wait for "100 Continue": bodies are small
		r = add_header(call, "Expect", "");
	return r;
}

static CURLcode prepare_call(struct call *call, const struct eg_http_request *request)
{
	CURL *curl = call->http->curl;
	const long body_ms = (long)request->body.size * BODY_MS_PER_BYTE;
	unsigned int bad = 0;

	bad |= put_long(curl, CURLOPT_LOW_SPEED_LIMIT, 1);
	bad |= put_long(curl, CURLOPT_LOW_SPEED_TIME,
			((long)call->http->stall_ms + body_ms + 999) / 1000);
	bad |= put_long(curl, CURLOPT_TIMEOUT_MS, (long)call->http->total_ms + body_ms);
	bad |= curl_easy_setopt(curl, CURLOPT_URL, call->url);
	bad |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
	bad |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_down);
	bad |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	bad |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
	if (request->user && request->password) {
		bad |= put_long(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		bad |= curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		bad |= curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
	if (request->ranged) {
		(void)snprintf(call->range, sizeof(call->range), "%llu-%llu",
			       (unsigned long long)request->from, (unsigned long long)request->to);
		bad |= curl_easy_setopt(curl, CURLOPT_RANGE, call->range);
	}
	if (request->method == EG_HTTP_PUT) {
		call->up = request->body;
		bad |= put_long(curl, CURLOPT_UPLOAD, 1);
		bad |= curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_up);
		bad |= curl_easy_setopt(curl, CURLOPT_READDATA, call);
		bad |= curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
					(curl_off_t)request->body.size);
	} else if (request->method == EG_HTTP_POST) {
		bad |= put_long(curl, CURLOPT_POST, 1);
		bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
					request->body.size > 0 ? (const char *)request->body.data
							       : "");
		bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
					(curl_off_t)request->body.size);
	}
	return bad == 0 ? CURLE_OK : CURLE_UNKNOWN_OPTION;
}

// Whether the server ended the handshake because of the certificate we showed. TLS says it by an
// alert, which curl hands on only as its backend's text; in TLS 1.3 it comes after "connected".
static bool refused_us(const char *detail)
{
	static const char *const alerts[] = {
		"alert bad certificate",     "alert unsupported certificate",
		"alert certificate revoked", "alert certificate expired",
		"alert certificate unknown", "alert certificate required",
		"alert unknown ca",	     "alert access denied",
	};

	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (strcasestr(detail, alerts[i]))
			return true;
	return false;
}

// A web server without TLS, such as the portal of a wireless network: as OpenSSL words it.
static bool speaks_no_tls(const char *detail)
{
	return strcasestr(detail, "wrong version number") ||
	       strcasestr(detail, "packet length too long") ||
	       strcasestr(detail, "record layer failure");
}

static int fail(const struct call *call, CURLcode c, bool *ret_refused, struct eg_err *err)
{
	const char *url = call->http->url;
	const char *detail = call->http->detail[0] ? call->http->detail : curl_easy_strerror(c);

	if (call->overflow || c == CURLE_FILESIZE_EXCEEDED)
		return eg_err_set(err, EG_ETOOBIG,
				  "%s: the answer is larger than %zu bytes; it was thrown away",
				  call->url, call->down->max);
	if (c == CURLE_ABORTED_BY_CALLBACK)
		return eg_err_set(err, EG_EAGAIN, "%s: cancelled", call->url);
	// A handshake in which the TPM does not sign fails like one that was cut.
	if ((c == CURLE_SSL_CONNECT_ERROR || c == CURLE_SSL_CERTPROBLEM) && call->http->key) {
		int r = eg_tls_key_test(call->http->key, err);

		if (r != 0)
			return r;
	}
	if (refused_us(detail)) {
		if (ret_refused)
			*ret_refused = true;
		return eg_err_set(err, EG_EAUTH,
				  "%s: the centre does not accept this booth's certificate (%s)",
				  url, detail);
	}
	switch (c) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return eg_err_set(err, EG_EAUTH,
				  "%s: what answers there is not the centre we trust (%s); nothing "
				  "was sent; check the address, the network and the booth's clock",
				  url, detail);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return eg_err_set(err, EG_EAUTH,
				  "%s: the TLS key, certificate or authority of this "
				  "booth cannot be used (%s); provision the booth again",
				  url, detail);
	case CURLE_SSL_CONNECT_ERROR: // a cut in the middle of it looks like this, too
		if (speaks_no_tls(detail))
			return eg_err_set(err, EG_ENET,
					  "%s: what answers there does not speak TLS (%s); nothing "
					  "was sent; if it is the login page of a network, have it "
					  "let this booth through",
					  url, detail);
		return eg_err_set(err, EG_ENET,
				  "%s: the TLS handshake failed (%s); nothing was sent; check the "
				  "network and the address",
				  url, detail);
	case CURLE_OPERATION_TIMEDOUT:
		return eg_err_set(err, EG_ETIMEOUT, "%s: too slow (%s); trying again", url, detail);
	case CURLE_OUT_OF_MEMORY:
		return eg_err_set(err, EG_ENOMEM, "%s: out of memory", url);
	default:
		return eg_err_set(err, EG_ENET, "%s: cannot be reached (%s); check the network",
				  url, detail);
	}
}

static void copy_header(CURL *curl, const char *name, char *ret_text, size_t size)
{
	struct curl_header *header;

	ret_text[0] = '\0';
	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return;
	if (strlen(header->value) < size)
		memcpy(ret_text, header->value, strlen(header->value) + 1);
}

static void read_answer(CURL *curl, struct eg_http_answer *answer)
{
	char range[96];
	curl_off_t seconds = 0, took_us = 0;
	long status = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	if (curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &took_us) == CURLE_OK)
		answer->took_ms = took_us / 1000;
	copy_header(curl, "etag", answer->etag, sizeof(answer->etag));
	copy_header(curl, "content-type", answer->content_type, sizeof(answer->content_type));
	answer->content_type[strcspn(answer->content_type, "; \t")] = '\0';
	for (char *c = answer->content_type; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	copy_header(curl, "content-range", range, sizeof(range));
	answer->ranged = range[0] && eg_http_parse_range(range, &answer->from, &answer->to,
							 &answer->length) == 0;
	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
		answer->retry_after_ms = seconds > 86400 ? 86400 * 1000LL : (int64_t)seconds * 1000;
}

int eg_http_do(struct eg_http *http, const struct eg_http_request *request, struct eg_buf *body,
	       struct eg_http_answer *ret_answer, bool *ret_refused, struct eg_err *err)
{
	struct call call = {.http = http, .down = body};
	struct eg_buf url;
	CURLcode c;
	int r;

	*ret_answer = (struct eg_http_answer){.retry_after_ms = -1};
	if (ret_refused)
		*ret_refused = false;
	eg_buf_init(&url, 1024);
	r = eg_buf_printf(&url, "%s%s", http->url, request->path);
	if (r == 0)
		r = prepare_headers(&call, request);
	if (r != 0 || !eg_buf_text(&url)) {
		r = eg_err_set(err, r != 0 ? r : EG_ENOMEM, "%s: cannot build the request",
			       request->path);
		goto out;
	}
	call.url = (char *)url.data;
	http->detail[0] = '\0';
	c = prepare(http);
	if (c == CURLE_OK)
		c = prepare_identity(http);
	if (c == CURLE_OK)
		c = prepare_call(&call, request);
	if (c != CURLE_OK) {
		r = eg_err_set(err, EG_EFOREIGN, "libcurl lacks an option that safety needs");
		goto out;
	}
	c = atomic_load(&http->cancelled) ? CURLE_ABORTED_BY_CALLBACK
					  : curl_easy_perform(http->curl);
	read_answer(http->curl, ret_answer);
	r = c == CURLE_OK ? 0 : fail(&call, c, ret_refused, err);
out:
	curl_slist_free_all(call.headers);
	eg_buf_done(&url);
	return r;
}

static int parse_u64(const char **at, uint64_t *ret_value)
{
	const char *p = *at;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return EG_EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return EG_EINVAL;
	*at = p;
	*ret_value = value;
	return 0;
}

int eg_http_parse_range(const char *text, uint64_t *ret_from, uint64_t *ret_to,
			uint64_t *ret_length)
{
	uint64_t from, to, length;
	const char *p = text;

	if (strncasecmp(p, "bytes ", 6) != 0)
		return EG_EINVAL;
	p += 6;
	if (parse_u64(&p, &from) != 0 || *p++ != '-' || parse_u64(&p, &to) != 0 || *p++ != '/' ||
	    parse_u64(&p, &length) != 0 || *p != '\0')
		return EG_EINVAL;
	if (from > to || to >= length)
		return EG_EINVAL;
	*ret_from = from;
	*ret_to = to;
	*ret_length = length;
	return 0;
}
