// SPDX-License-Identifier: Apache-2.0
//
// From the issuing state in an MRZ to the region that accuracy is counted by. Thread: any.

#ifndef EG_CENTRAL_REGION_H
#define EG_CENTRAL_REGION_H

#include "store/group.h"

// `issuer`: one to three letters, ISO 3166-1 alpha-3 or ICAO 9303-3's own ("D", "GBD", "RKS").
// Organisations and what is not known are unknown.
enum eg_region eg_region_of_issuer(const char *issuer);

#endif
