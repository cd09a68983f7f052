// SPDX-License-Identifier: Apache-2.0
//
// trust.json and booth.pub. Both are short; both are read strictly: a booth that trusts the wrong
// key is worse than one that does not start. Thread: any (eg_crypto_init first).

#include "store/trust.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "firmware/base/cbor.h"
#include "firmware/base/file.h"
#include "firmware/base/mem.h"

#define FILE_MAX (64u << 10)

// Every key here gets used with a peer's key later, so a point that is not on the curve has to be
// found now: agreeing on a throw-away secret is the check that the crypto layer offers.
static int check_points(const uint8_t (*points)[EG_P256_PUB_SIZE], size_t count)
{
	struct eg_key *key = NULL;
	uint8_t shared[32];
	int r = eg_key_generate(&key, NULL);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = points[i][0] == 0x04 ? eg_ecdh(key, points[i], shared) : EG_EINVAL;
	eg_wipe(shared, sizeof(shared));
	eg_key_free(key);
	return r;
}

static int read_text(sd_json_variant *value, const char *name, char *text, size_t size,
		     struct eg_err *err)
{
	const char *string =
		sd_json_variant_is_string(value) ? sd_json_variant_string(value) : NULL;
	if (string == NULL || string[0] == '\0')
		return eg_err_set(err, EG_EINVAL, "\"%s\" must be a text that is not empty", name);
	size_t length = strlen(string);
	if (length >= size)
		return eg_err_set(err, EG_ETOOBIG, "\"%s\" has %zu bytes, at most %zu", name,
				  length, size - 1);
	memcpy(text, string, length + 1);
	return 0;
}

static int read_key(sd_json_variant *value, const char *name, uint8_t pub[EG_P256_PUB_SIZE],
		    struct eg_err *err)
{
	uint8_t point[1][EG_P256_PUB_SIZE];
	const char *hex = sd_json_variant_is_string(value) ? sd_json_variant_string(value) : NULL;
	if (hex == NULL || eg_unhex(hex, point[0], EG_P256_PUB_SIZE) != 0)
		return eg_err_set(err, EG_EINVAL, "\"%s\" must be a public key of 130 hex digits",
				  name);
	int r = check_points(point, 1);
	if (r != 0)
		return eg_err_set(err, r, "\"%s\" is no P-256 public key (%s)", name,
				  eg_code_name(r));
	memcpy(pub, point[0], EG_P256_PUB_SIZE);
	return 0;
}

static int read_sign(sd_json_variant *value, struct eg_trust *trust, struct eg_err *err)
{
	size_t count = sd_json_variant_is_array(value) ? sd_json_variant_elements(value) : 0;
	if (count == 0 || count > EG_TRUST_KEYS_MAX)
		return eg_err_set(err, EG_EINVAL, "\"sign\" must be a list of 1 to %d public keys",
				  EG_TRUST_KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct eg_trusted_key *key = &trust->sign[i];
		int r = read_key(sd_json_variant_by_index(value, i), "sign", key->pub, err);
		if (r != 0)
			return r;
		eg_kid(key->pub, key->kid);
		for (size_t j = 0; j < i; j++) {
			if (memcmp(key->pub, trust->sign[j].pub, sizeof(key->pub)) == 0)
				return eg_err_set(err, EG_EINVAL,
						  "\"sign\" lists the same key twice");
		}
	}
	trust->sign_count = count;
	return 0;
}

static int check_url(const char *url, struct eg_err *err)
{
	static const char scheme[] = "https://";
	size_t length = strlen(url);
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 || length < sizeof(scheme))
		return eg_err_set(err, EG_EINVAL,
				  "\"url\" must begin with https:// and name a host");
	if (url[sizeof(scheme) - 1] == '/' || url[sizeof(scheme) - 1] == ':' ||
	    url[length - 1] == '/')
		return eg_err_set(err, EG_EINVAL,
				  "\"url\" must name a host and have no slash at its end");
	for (const char *c = url; *c != '\0'; c++) {
		if (*c <= 0x20 || *c >= 0x7f || strchr("@?#\"\\<>", *c) != NULL)
			return eg_err_set(err, EG_EINVAL,
					  "\"url\" has a character that does not belong there");
	}
	return 0;
}

// Whether it is a certificate at all is for the TLS library to say; here only: one PEM or several.
static int check_ca(const char *pem, struct eg_err *err)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	if (strncmp(pem, begin, sizeof(begin) - 1) != 0 ||
	    strstr(pem, "-----END CERTIFICATE-----") == NULL || strstr(pem, "PRIVATE KEY") != NULL)
		return eg_err_set(err, EG_EINVAL,
				  "\"ca\" must be certificates in PEM, nothing else");
	return 0;
}

enum field {
	BOOTH,
	URL,
	CA,
	SIGN,
	SEAL,
	TOKEN,
	FIELDS
};
static const char *const field_names[FIELDS] = {"booth", "url", "ca", "sign", "seal", "token"};

static int read_field(enum field field, sd_json_variant *value, struct eg_trust *trust,
		      struct eg_err *err)
{
	const char *name = field_names[field];
	int r;
	switch (field) {
	case BOOTH:
		r = read_text(value, name, trust->booth, sizeof(trust->booth), err);
		if (r == 0 && !eg_name_is_valid(trust->booth))
			r = eg_err_set(err, EG_EINVAL,
				       "\"booth\" may have letters, digits and . _ : - only");
		return r;
	case URL:
		r = read_text(value, name, trust->url, sizeof(trust->url), err);
		return r != 0 ? r : check_url(trust->url, err);
	case CA:
		r = read_text(value, name, trust->ca_pem, sizeof(trust->ca_pem), err);
		return r != 0 ? r : check_ca(trust->ca_pem, err);
	case SIGN:
		return read_sign(value, trust, err);
	case SEAL:
		return read_key(value, name, trust->seal, err);
	default:
		return read_text(value, name, trust->token, sizeof(trust->token), err);
	}
}

static int read_object(sd_json_variant *object, struct eg_trust *trust, struct eg_err *err)
{
	unsigned int seen = 0;
	if (!sd_json_variant_is_object(object))
		return eg_err_set(err, EG_EINVAL, "must be a JSON object");
	for (size_t i = 0; i + 1 < sd_json_variant_elements(object); i += 2) {
		const char *name = sd_json_variant_string(sd_json_variant_by_index(object, i));
		unsigned int field = 0;
		while (field < FIELDS && strcmp(name, field_names[field]) != 0)
			field++;
		if (field == FIELDS)
			return eg_err_set(err, EG_EINVAL, "unknown key \"%.40s\"", name);
		if ((seen & 1u << field) != 0)
			return eg_err_set(err, EG_EINVAL, "\"%s\" is there twice", name);
		seen |= 1u << field;
		int r = read_field((enum field)field, sd_json_variant_by_index(object, i + 1),
				   trust, err);
		if (r != 0)
			return r;
	}
	for (unsigned int field = 0; field < TOKEN; field++) {
		if ((seen & 1u << field) == 0)
			return eg_err_set(err, EG_EINVAL, "\"%s\" is missing", field_names[field]);
	}
	return 0;
}

int eg_trust_parse(struct eg_bytes json, struct eg_trust *ret_trust, struct eg_err *err)
{
	sd_json_variant *object = NULL;
	struct eg_trust *trust = NULL;
	struct eg_buf copy;
	unsigned int line = 0, column = 0;
	int r;
	eg_buf_init_secret(&copy, FILE_MAX + 1);
	if (json.size > FILE_MAX) {
		r = eg_err_set(err, EG_ETOOBIG, "%zu bytes, at most %u", json.size, FILE_MAX);
		goto out;
	}
	if (json.size != 0 && memchr(json.data, 0, json.size) != NULL) {
		r = eg_err_set(err, EG_EINVAL, "holds a NUL byte: not JSON");
		goto out;
	}
	trust = eg_calloc(1, sizeof(*trust));
	r = eg_buf_put(&copy, json.data, json.size);
	const char *text = r == 0 ? eg_buf_text(&copy) : NULL;
	if (trust == NULL || text == NULL) {
		r = eg_err_set(err, EG_ENOMEM, "out of memory");
		goto out;
	}
	r = sd_json_parse(text, SD_JSON_PARSE_SENSITIVE, &object, &line, &column);
	if (r < 0) {
		r = r == -ENOMEM ? eg_err_set(err, EG_ENOMEM, "out of memory")
				 : eg_err_set(err, EG_EINVAL, "not JSON at line %u, column %u",
					      line, column);
		goto out;
	}
	r = read_object(object, trust, err);
	if (r == 0)
		*ret_trust = *trust;
out:
	sd_json_variant_unref(object);
	if (trust != NULL)
		eg_wipe(trust, sizeof(*trust));
	free(trust);
	eg_buf_done(&copy);
	return r;
}

int eg_trust_load(const char *path, struct eg_trust *ret_trust, struct eg_err *err)
{
	struct eg_buf file;
	eg_buf_init_secret(&file, FILE_MAX);
	int r = eg_file_read(path, &file, err);
	if (r == 0) {
		r = eg_trust_parse(eg_buf_bytes(&file), ret_trust, err);
		if (r != 0)
			r = eg_err_prefix(err, r, "%s", path);
	}
	eg_buf_done(&file);
	return r;
}

static int build_sign(const struct eg_trust *trust, sd_json_variant **ret_list)
{
	sd_json_variant *list = NULL;
	int r = sd_json_variant_new_array(&list, NULL, 0);
	for (size_t i = 0; r >= 0 && i < trust->sign_count; i++) {
		char hex[2 * EG_P256_PUB_SIZE + 1];
		eg_hex(trust->sign[i].pub, EG_P256_PUB_SIZE, hex);
		r = sd_json_variant_append_arrayb(&list, SD_JSON_BUILD_STRING(hex));
	}
	if (r < 0)
		sd_json_variant_unref(list);
	else
		*ret_list = list;
	return r;
}

static int format_trust(const struct eg_trust *trust, bool with_token, char **ret_text)
{
	sd_json_variant *object = NULL, *sign = NULL;
	char seal[2 * EG_P256_PUB_SIZE + 1];
	eg_hex(trust->seal, EG_P256_PUB_SIZE, seal);
	int r = build_sign(trust, &sign);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&object, "booth", trust->booth);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&object, "url", trust->url);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&object, "ca", trust->ca_pem);
	if (r >= 0)
		r = sd_json_variant_set_field(&object, "sign", sign);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&object, "seal", seal);
	if (r >= 0 && with_token)
		r = sd_json_variant_set_field_string(&object, "token", trust->token);
	if (r >= 0) {
		if (with_token)
			sd_json_variant_sensitive(object);
		r = sd_json_variant_format(object, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE,
					   ret_text);
	}
	sd_json_variant_unref(sign);
	sd_json_variant_unref(object);
	return r >= 0 ? 0 : r == -ENOMEM ? EG_ENOMEM : EG_EINVAL;
}

int eg_trust_save(const struct eg_trust *trust, bool with_token, const char *path,
		  struct eg_err *err)
{
	char *text = NULL;
	struct eg_trust *check = NULL;
	int r = format_trust(trust, with_token, &text);
	if (r != 0) {
		r = eg_err_set(err, r, "writing JSON: %s", eg_code_name(r));
		goto out;
	}
	// What cannot be loaded again is not written over what can.
	check = eg_calloc(1, sizeof(*check));
	r = check != NULL ? eg_trust_parse(EG_BYTES_STR(text), check, err)
			  : eg_err_set(err, EG_ENOMEM, "out of memory");
out:
	if (r == 0)
		r = eg_file_write(path, EG_BYTES_STR(text), with_token ? 0600 : 0644, err);
	else
		r = eg_err_prefix(err, r, "%s", path);
	if (check != NULL)
		eg_wipe(check, sizeof(*check));
	free(check);
	if (text != NULL)
		eg_wipe(text, strlen(text));
	free(text);
	return r;
}

int eg_booth_keys_encode(const struct eg_booth_keys *keys, struct eg_buf *out)
{
	size_t before = out->size;
	int r = eg_cbor_put_map(out, 2);
	if (r == 0)
		r = eg_cbor_put_uint(out, 1);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(keys->seal, sizeof(keys->seal)));
	if (r == 0)
		r = eg_cbor_put_uint(out, 2);
	if (r == 0)
		r = eg_cbor_put_bytes(out, EG_BYTES(keys->sign, sizeof(keys->sign)));
	if (r != 0)
		out->size = before;
	return r;
}

int eg_booth_keys_decode(struct eg_bytes bytes, struct eg_booth_keys *ret_keys, struct eg_err *err)
{
	uint8_t points[2][EG_P256_PUB_SIZE];
	struct eg_cur cur = eg_cur_of(bytes);
	struct eg_cbor_map map;
	struct eg_bytes view;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(&cur, 2, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		if (key < 1 || key > 2 || eg_cbor_get_bytes(&cur, EG_P256_PUB_SIZE, &view) != 0 ||
		    view.size != EG_P256_PUB_SIZE)
			return eg_err_set(err, EG_EINVAL,
					  "booth keys: field %d is unknown or no public key",
					  (int)key);
		memcpy(points[key - 1], view.data, EG_P256_PUB_SIZE);
		count++;
		r = 0;
	}
	if (r != 0 || count != 2 || cur.left != 0)
		return eg_err_set(err, EG_EINVAL, "booth keys: not the two fields they must be");
	r = check_points(points, 2);
	if (r != 0)
		return eg_err_set(err, r, "booth keys: no P-256 public key (%s)", eg_code_name(r));
	memcpy(ret_keys->seal, points[0], EG_P256_PUB_SIZE);
	memcpy(ret_keys->sign, points[1], EG_P256_PUB_SIZE);
	return 0;
}
