// SPDX-License-Identifier: Apache-2.0
//
// The centre's folder, made by `centralctl init`:
//
//   ca.key ca.crt          the authority that certifies booths and the server
//   server.key server.crt  TLS
//   sign.key sign.pub      signs manifests and acknowledgements; the public half as 130 hex digits
//   open.key seal.pub      encounters are sealed to seal.pub and opened with open.key. centrald
//                          never reads open.key: keep it elsewhere
//   url                    where booths find the centre
//   central.db             the ledger
//
// Private keys are PEM with mode 0600. The folder comes into being whole or not at all.
//
// Blocks on the disk. Thread: any.

#ifndef EG_CENTRAL_CENTRE_H
#define EG_CENTRAL_CENTRE_H

#include "net/central/ca.h"

#define EG_CENTRE_PATH_MAX 4096
#define EG_CENTRE_PORT	   8443

// FOLDER/NAME. EG_ETOOBIG.
int eg_centre_path(const char *folder, const char *name, char ret_path[EG_CENTRE_PATH_MAX],
		   struct eg_err *err) EG_CHECKED;

// EG_ECONFLICT: there is something in the folder already. `url` NULL: from the first name.
int eg_centre_init(const char *folder, const char *const *names, size_t name_count, const char *url,
		   int64_t now_ms, struct eg_err *err) EG_CHECKED;

// A new server key and certificate with these names.
int eg_centre_renew_server(const char *folder, const char *const *names, size_t name_count,
			   int64_t now_ms, struct eg_err *err) EG_CHECKED;

// What may be known to everybody.
struct eg_centre_public {
	uint8_t sign[EG_P256_PUB_SIZE], seal[EG_P256_PUB_SIZE];
	char url[256];
	char ca_pem[16384];
};
int eg_centre_load_public(const char *folder, struct eg_centre_public *ret_public,
			  struct eg_err *err) EG_CHECKED;

// The authority, with its key.
int eg_centre_load_ca(const char *folder, struct eg_ca **ret_ca, struct eg_err *err) EG_CHECKED;

// A private file of the folder, appended to `text` (a secret buffer). EG_EAUTH: others may read it.
int eg_centre_read_secret(const char *folder, const char *name, struct eg_buf *text,
			  struct eg_err *err) EG_CHECKED;

int eg_centre_open_ledger(const char *folder, struct eg_ledger **ret_ledger,
			  struct eg_err *err) EG_CHECKED;

#endif
