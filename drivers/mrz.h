// SPDX-License-Identifier: Apache-2.0
//
// Machine-readable zones of ICAO Doc 9303: TD1 3×30 (part 5), TD2 2×36 (part 6), TD3 2×44
// (part 4), MRV-A 2×44 and MRV-B 2×36 (part 7). Check digits 7-3-1 (part 3 §4.9).
//
// Untrusted input. Nothing is allocated. Thread: any.

#ifndef EG_MRZ_H
#define EG_MRZ_H

#include "firmware/base/buf.h"

enum eg_mrz_format {
	EG_MRZ_TD1,
	EG_MRZ_TD2,
	EG_MRZ_TD3,
	EG_MRZ_MRVA,
	EG_MRZ_MRVB
};

struct eg_mrz {
	enum eg_mrz_format format;
	char document_code[3]; // "P", "V", "I", "AC", ... without fillers
	char issuer[4];	       // ICAO code, "UTO"; "D" for Germany
	char number[32]; // without fillers; a TD1 number that overflows into optional data is whole
	char surname[40]; // "VAN DER MUELLEN"; cut as the document cuts it
	char given[40];	  // "ANNA MARIA"
	char nationality[4];
	char birth[7]; // YYMMDD; unknown parts are "<<"
	char expiry[7];
	char sex; // 'M', 'F', 'X' (which a document writes as '<')
};

// Reads 2 or 3 lines, separated by CR, LF or both, or run together; spaces at line ends are
// dropped, letters must be upper case. EG_EINVAL names the field and the rule: a check digit that
// is wrong, a character that may not stand there, a length that is no format's.
int eg_mrz_parse(struct eg_bytes text, struct eg_mrz *ret_mrz, struct eg_err *err) EG_CHECKED;

// 7-3-1 check digit ('0' … '9') over A–Z 0–9 '<'; '\0' when another character is in it.
char eg_mrz_check_digit(const char *field, size_t size);

#endif
