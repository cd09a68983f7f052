// SPDX-License-Identifier: Apache-2.0
//
// The states of each region: the regional groups of the United Nations' Sustainable Development
// Goals (unstats.un.org/sdgs/indicators/regional-groups), by their alpha-3 codes, and the codes
// that only machine-readable documents have. Thread: any.

#include "net/central/region.h"

#include <stdbool.h>
#include <string.h>

static const char *const states[EG_REGION_COUNT] = {
	[EG_REGION_SUB_SAHARAN_AFRICA] =
		"AGO ATF BDI BEN BFA BWA CAF CIV CMR COD COG COM CPV DJI ERI ETH GAB GHA GIN "
		"GMB GNB GNQ IOT KEN LBR LSO MDG MLI MOZ MRT MUS MWI MYT NAM NER NGA REU RWA "
		"SEN SHN SLE SOM SSD STP SWZ SYC TCD TGO TZA UGA ZAF ZMB ZWE ",
	[EG_REGION_NORTH_AFRICA_WEST_ASIA] =
		"ARE ARM AZE BHR CYP DZA EGY ESH GEO IRQ ISR JOR KWT LBN LBY MAR OMN PSE QAT "
		"SAU SDN SYR TUN TUR YEM ",
	[EG_REGION_CENTRAL_SOUTH_ASIA] = "AFG BGD BTN IND IRN KAZ KGZ LKA MDV NPL PAK TJK TKM UZB ",
	[EG_REGION_EAST_SOUTH_EAST_ASIA] =
		"BRN CHN HKG IDN JPN KHM KOR LAO MAC MMR MNG MYS PHL PRK SGP THA TLS TWN VNM ",
	[EG_REGION_LATIN_AMERICA] =
		"ABW AIA ARG ATG BES BHS BLM BLZ BOL BRA BRB BVT CHL COL CRI CUB CUW CYM DMA "
		"DOM ECU FLK GLP GRD GTM GUF GUY HND HTI JAM KNA LCA MAF MEX MSR MTQ NIC PAN "
		"PER PRI PRY SGS SLV SUR SXM TCA TTO URY VCT VEN VGB VIR ",
	[EG_REGION_OCEANIA] =
		"ASM AUS CCK COK CXR FJI FSM GUM HMD KIR MHL MNP NCL NFK NIU NRU NZL PCN PLW "
		"PNG PYF SLB TKL TON TUV UMI VUT WLF WSM ",
	[EG_REGION_EUROPE_NORTH_AMERICA] =
		"ALA ALB AND AUT BEL BGR BIH BLR BMU CAN CHE CZE D DEU DNK ESP EST EUE FIN FRA "
		"FRO GBD GBN GBO GBP GBR GBS GGY GIB GRC GRL HRV HUN IMN IRL ISL ITA JEY LIE "
		"LTU LUX LVA MCO MDA MKD MLT MNE NLD NOR POL PRT RKS ROU RUS SJM SMR SPM SRB "
		"SVK SVN SWE UKR USA VAT ",
};

static bool is_in(const char *list, const char *code, size_t length)
{
	for (const char *at = list; (at = strstr(at, code)) != NULL; at += length)
		if ((at == list || at[-1] == ' ') && at[length] == ' ')
			return true;
	return false;
}

enum eg_region eg_region_of_issuer(const char *issuer)
{
	size_t length = strlen(issuer);
	char code[4];

	if (length < 1 || length > 3)
		return EG_REGION_UNKNOWN;
	for (size_t i = 0; i <= length; i++)
		code[i] =
			issuer[i] >= 'a' && issuer[i] <= 'z' ? (char)(issuer[i] - 0x20) : issuer[i];
	for (int region = 1; region < EG_REGION_COUNT; region++)
		if (is_in(states[region], code, length))
			return (enum eg_region)region;
	return EG_REGION_UNKNOWN;
}
