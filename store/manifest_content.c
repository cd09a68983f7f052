// SPDX-License-Identifier: Apache-2.0
//
// What is inside a manifest's seal: the header and the travellers. Malformed until it has been
// walked whole, so a reader is handed out only after one walk. Errors name a field by its number,
// never by its content: names and dates have no place in a log. Thread: any.

#include "store/manifest.h"

#include <inttypes.h>
#include <string.h>

#include "store/parse.h"

static bool date_is_valid(const char *date)
{
	if (date[0] == '\0')
		return true;
	if (strlen(date) != 10)
		return false;
	for (size_t i = 0; i < 10; i++) {
		bool dash = i == 4 || i == 7;
		if (dash ? date[i] != '-' : date[i] < '0' || date[i] > '9')
			return false;
	}
	int month = (date[5] - '0') * 10 + date[6] - '0';
	int day = (date[8] - '0') * 10 + date[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static int get_optional_digest(struct eg_cur *cur, bool *ret_has, uint8_t *ret_digest)
{
	if (eg_cbor_get_null(cur) == 0) {
		*ret_has = false;
		return 0;
	}
	int r = eg_parse_exact(cur, ret_digest, EG_SHA256_SIZE);
	if (r == 0)
		*ret_has = true;
	return r;
}

static int get_photo(struct eg_cur *cur, struct eg_photo *photo)
{
	size_t count, source, year;
	int r = eg_cbor_get_array(cur, 3, &count);
	if (r == 0)
		r = count == 3 ? eg_parse_size(cur, EG_PHOTO_ENTRY, &source) : EG_EINVAL;
	if (r == 0)
		r = source != 0 ? eg_parse_size(cur, 9999, &year) : EG_EINVAL;
	if (r == 0)
		r = eg_cbor_get_bytes(cur, EG_PHOTO_MAX, &photo->jpeg);
	if (r != 0)
		return r;
	photo->source = (enum eg_photo_source)source;
	photo->year = (unsigned int)year;
	return photo->jpeg.size != 0 ? 0 : EG_EINVAL;
}

static int get_photos(struct eg_cur *cur, struct eg_traveller *traveller)
{
	size_t count;
	int r = eg_cbor_get_array(cur, EG_PHOTOS_MAX, &count);
	if (r != 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		r = get_photo(cur, &traveller->photo[i]);
		if (r != 0)
			return r;
	}
	traveller->photo_count = count;
	return 0;
}

static int get_traveller_field(struct eg_cur *cur, int64_t key, struct eg_traveller *traveller)
{
	size_t class, group;
	int r;
	switch (key) {
	case 1:
		r = eg_parse_printable(cur, traveller->id, sizeof(traveller->id));
		return r == 0 && traveller->id[0] == '\0' ? EG_EINVAL : r;
	case 2:
		return get_optional_digest(cur, &traveller->has_document, traveller->document);
	case 3:
		return get_optional_digest(cur, &traveller->has_pass, traveller->pass);
	case 4:
		return eg_parse_printable(cur, traveller->name, sizeof(traveller->name));
	case 5:
		r = eg_cbor_get_text(cur, traveller->birth, sizeof(traveller->birth));
		return r == 0 && !date_is_valid(traveller->birth) ? EG_EINVAL : r;
	case 6:
		r = eg_parse_size(cur, EG_CITIZENSHIP_UNKNOWN, &class);
		if (r != 0 || class == 0)
			return EG_EINVAL;
		traveller->citizenship = (enum eg_citizenship) class;
		return 0;
	case 7:
		return get_photos(cur, traveller);
	case 8:
		r = eg_parse_size(cur, EG_SEX_COUNT - 1, &group);
		if (r != 0 || group == EG_SEX_UNKNOWN)
			return EG_EINVAL;
		traveller->sex = (enum eg_sex)group;
		return 0;
	case 9:
		r = eg_parse_size(cur, EG_REGION_COUNT - 1, &group);
		if (r != 0 || group == EG_REGION_UNKNOWN)
			return EG_EINVAL;
		traveller->region = (enum eg_region)group;
		return 0;
	default:
		return EG_EINVAL;
	}
}

// One traveller: seven fields, and up to two that may be missing. The error names the field's
// number, never its content.
static int get_traveller(struct eg_cur *cur, struct eg_traveller *traveller, struct eg_err *err)
{
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(cur, 9, &map);
	if (r != 0)
		return eg_err_set(err, EG_EINVAL, "no CBOR map, or cut short");
	while ((r = eg_cbor_map_next(&map, &key)) == 1) {
		if (get_traveller_field(cur, key, traveller) != 0)
			return eg_err_set(err, EG_EINVAL,
					  "field %" PRId64 " is unknown, malformed or too long",
					  key);
		count += key <= 7;
	}
	if (r != 0 || count != 7)
		return eg_err_set(err, EG_EINVAL, "a field is missing, there twice, or unsorted");
	return 0;
}

int eg_manifest_next(struct eg_manifest_reader *reader, struct eg_traveller *ret_traveller,
		     struct eg_err *err)
{
	if (reader->left == 0 && reader->cur.left == 0)
		return EG_ENOENT;
	if (reader->left == 0)
		return eg_err_set(err, EG_EINVAL,
				  "manifest content: %zu bytes left over behind the last traveller",
				  reader->cur.left);
	struct eg_traveller traveller = {0};
	struct eg_cur cur = reader->cur;
	int r = get_traveller(&cur, &traveller, err);
	if (r != 0)
		return eg_err_prefix(err, r, "manifest content: traveller, %zu to go",
				     reader->left);
	reader->cur = cur;
	reader->left--;
	*ret_traveller = traveller;
	return 0;
}

static int get_header_field(struct eg_cur *cur, int64_t key, struct eg_manifest_header *header)
{
	switch (key) {
	case 1:
		return eg_parse_exact(cur, header->salt, sizeof(header->salt));
	case 2:
		return eg_parse_printable(cur, header->flight, sizeof(header->flight));
	case 3:
		return eg_parse_printable(cur, header->port, sizeof(header->port));
	case 4:
		return eg_parse_time(cur, &header->departs_ms);
	case 5:
		return eg_parse_size(cur, EG_TRAVELLERS_MAX, &header->count);
	default:
		return EG_EINVAL;
	}
}

static int get_header(struct eg_cur *cur, struct eg_manifest_header *header, struct eg_err *err)
{
	struct eg_cbor_map map;
	int64_t key = 0;
	size_t count = 0;
	int r = eg_cbor_map_open(cur, 5, &map);
	while (r == 0 && (r = eg_cbor_map_next(&map, &key)) == 1) {
		r = get_header_field(cur, key, header);
		if (r != 0)
			return eg_err_set(err, EG_EINVAL,
					  "manifest content: header field %" PRId64
					  " is unknown, malformed or out of range",
					  key);
		count++;
	}
	if (r != 0 || count != 5)
		return eg_err_set(err, EG_EINVAL,
				  "manifest content: the header is not the five fields it must be");
	return 0;
}

int eg_manifest_read_content(struct eg_bytes content, struct eg_manifest_header *ret_header,
			     struct eg_manifest_reader *ret_reader, struct eg_err *err)
{
	struct eg_manifest_header header = {0};
	struct eg_cur cur = eg_cur_of(content);
	int r = get_header(&cur, &header, err);
	if (r != 0)
		return r;
	struct eg_manifest_reader reader = {.cur = cur, .left = header.count};
	struct eg_manifest_reader walk = reader;
	struct eg_traveller traveller;
	do {
		r = eg_manifest_next(&walk, &traveller, err);
	} while (r == 0);
	if (r != EG_ENOENT)
		return r;
	*ret_header = header;
	*ret_reader = reader;
	return 0;
}
