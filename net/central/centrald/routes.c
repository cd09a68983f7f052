// SPDX-License-Identifier: Apache-2.0
//
// What can be asked: one line a call. The contract is net/api.yaml.

#include "net/central/centrald/request.h"
#include "store/encounter.h"
#include "store/policy.h"
#include "store/trust.h"

#define EST_MAX	    (16u << 10) // bytes of base64
#define RECEIPT_MAX (8u << 10)	// a receipt's text with every character escaped

const struct route routes[] = {
	{"GET", "/.well-known/est/cacerts", false, NULL, 0, est_cacerts},
	{"POST", "/.well-known/est/simpleenroll", false, "application/pkcs10", EST_MAX, est_enroll},
	{"POST", "/.well-known/est/simplereenroll", true, "application/pkcs10", EST_MAX,
	 est_reenroll},
	{"PUT", "/v1/booth-keys", true, "application/cbor", EG_BOOTH_KEYS_MAX, booth_keys},
	{"GET", "/v1/manifests", true, NULL, 0, manifests_list},
	{"GET", "/v1/manifests/", true, NULL, 0, manifests_get},
	{"PUT", "/v1/encounters/", true, "application/vnd.egress.encounter", EG_ENVELOPE_MAX,
	 booth_encounter},
	{"POST", "/v1/heartbeat", true, "application/json", EG_HEARTBEAT_MAX, booth_heartbeat},
	{"PUT", "/v1/audit/", true, "application/vnd.egress.audit-head", EG_AUDIT_MESSAGE_MAX,
	 audit_head},
	{"GET", "/v1/policy", true, NULL, 0, policy_get},
	{"GET", "/receipt", false, NULL, 0, receipt_form},
	{"POST", "/receipt", false, "application/x-www-form-urlencoded", RECEIPT_MAX,
	 receipt_check},
	{"GET", "/receipt.css", false, NULL, 0, receipt_style},
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);
