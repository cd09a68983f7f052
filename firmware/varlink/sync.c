// SPDX-License-Identifier: Apache-2.0
//
// See sync.h.

#include "firmware/varlink/sync.h"

static SD_VARLINK_DEFINE_ENUM_TYPE(
	Link, SD_VARLINK_FIELD_COMMENT("No certificate yet, and no token to get one with"),
	SD_VARLINK_DEFINE_ENUM_VALUE(unprovisioned),
	SD_VARLINK_FIELD_COMMENT("Started, nothing heard yet"),
	SD_VARLINK_DEFINE_ENUM_VALUE(connecting),
	SD_VARLINK_FIELD_COMMENT("The last call succeeded"), SD_VARLINK_DEFINE_ENUM_VALUE(up),
	SD_VARLINK_FIELD_COMMENT("The centre is not reached, or what answers is not the centre, or "
				 "the device that keeps the TLS key does not answer"),
	SD_VARLINK_DEFINE_ENUM_VALUE(down),
	SD_VARLINK_FIELD_COMMENT("The centre answers, but does not accept this booth"),
	SD_VARLINK_DEFINE_ENUM_VALUE(refused));

static SD_VARLINK_DEFINE_ENUM_TYPE(
	KeyKept, SD_VARLINK_FIELD_COMMENT("There is none yet"), SD_VARLINK_DEFINE_ENUM_VALUE(none),
	SD_VARLINK_FIELD_COMMENT("In a file as it is"), SD_VARLINK_DEFINE_ENUM_VALUE(file),
	SD_VARLINK_FIELD_COMMENT("In a file, encrypted under the device key"),
	SD_VARLINK_DEFINE_ENUM_VALUE(sealed), SD_VARLINK_FIELD_COMMENT("In the TPM"),
	SD_VARLINK_DEFINE_ENUM_VALUE(tpm));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Held, SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_STRING, 0),
				     SD_VARLINK_DEFINE_FIELD(version, SD_VARLINK_INT, 0),
				     SD_VARLINK_DEFINE_FIELD(bytes, SD_VARLINK_INT, 0),
				     SD_VARLINK_FIELD_COMMENT("Wall time, milliseconds since 1970"),
				     SD_VARLINK_DEFINE_FIELD(putMs, SD_VARLINK_INT, 0),
				     SD_VARLINK_DEFINE_FIELD(notBeforeMs, SD_VARLINK_INT, 0),
				     SD_VARLINK_DEFINE_FIELD(expiresMs, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Queue, SD_VARLINK_DEFINE_FIELD(queued, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Refused by the centre, kept until a person acts"),
	SD_VARLINK_DEFINE_FIELD(dead, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(acknowledged, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(bytes, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("When the oldest queued one was put; 0: the queue is empty"),
	SD_VARLINK_DEFINE_FIELD(oldestMs, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	State, SD_VARLINK_DEFINE_FIELD(booth, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(url, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(version, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(link, Link, 0),
	SD_VARLINK_FIELD_COMMENT("What is being done or waited for"),
	SD_VARLINK_DEFINE_FIELD(doing, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Wall time of the last call that succeeded; 0: none since start"),
	SD_VARLINK_DEFINE_FIELD(lastSuccessMs, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("The last failure, a sentence for people; empty: none stands"),
	SD_VARLINK_DEFINE_FIELD(problem, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(problemMs, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Of the client certificate; 0: there is none"),
	SD_VARLINK_DEFINE_FIELD(certificateFromMs, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(certificateEndMs, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(keyKept, KeyKept, 0),
	SD_VARLINK_FIELD_COMMENT("Whether the centre has this booth's public keys"),
	SD_VARLINK_DEFINE_FIELD(keysSent, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("Whether all memory of keys is kept from swapping"),
	SD_VARLINK_DEFINE_FIELD(memoryLocked, SD_VARLINK_BOOL, 0),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(queue, Queue, 0),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(manifests, Held, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	Kick, SD_VARLINK_FIELD_COMMENT("Also end waits after failures: try everything now"),
	SD_VARLINK_DEFINE_INPUT(retry, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Status, SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(state, State, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(Watch, SD_VARLINK_REQUIRES_MORE,
				     SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(state, State, 0));

static SD_VARLINK_DEFINE_ERROR(TooManyWatchers);

SD_VARLINK_DEFINE_INTERFACE(
	io_egress_Sync, "io.egress.Sync",
	SD_VARLINK_INTERFACE_COMMENT("syncd: manifests in, encounters out, certificates"),
	SD_VARLINK_SYMBOL_COMMENT("How the booth stands with the centre"), &vl_type_Link,
	SD_VARLINK_SYMBOL_COMMENT("Where the private key of the client certificate is kept"),
	&vl_type_KeyKept, SD_VARLINK_SYMBOL_COMMENT("A manifest this booth holds"), &vl_type_Held,
	SD_VARLINK_SYMBOL_COMMENT("Encounters"), &vl_type_Queue,
	SD_VARLINK_SYMBOL_COMMENT("All that syncd tells"), &vl_type_State,
	SD_VARLINK_SYMBOL_COMMENT("Look into the queue now; boothd calls it after each encounter"),
	&vl_method_Kick, SD_VARLINK_SYMBOL_COMMENT("The state now"), &vl_method_Status,
	SD_VARLINK_SYMBOL_COMMENT("The state now, and again whenever it changes"), &vl_method_Watch,
	SD_VARLINK_SYMBOL_COMMENT("More than 16 connections watch already"),
	&vl_error_TooManyWatchers);
