// SPDX-License-Identifier: Apache-2.0

#include "firmware/varlink/booth.h"

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Camera, SD_VARLINK_FIELD_COMMENT("Backend and model, e.g. libcamera, imx477"),
	SD_VARLINK_DEFINE_FIELD(backend, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(model, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT(
		"closed, streaming, stalled, resting (no camera, please) or ended"),
	SD_VARLINK_DEFINE_FIELD(state, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Age of the last frame that was new; -1 before the first"),
	SD_VARLINK_DEFINE_FIELD(frameAgeMs, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(framesPerSecond, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_DEFINE_FIELD(frames, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(dropped, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(duplicates, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(restarts, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Mean luminance of the last frame, 0 to 255"),
	SD_VARLINK_DEFINE_FIELD(luminance, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Manifest, SD_VARLINK_FIELD_COMMENT("Empty when none is in use"),
	SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(flight, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(version, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(expires, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(stale, SD_VARLINK_BOOL, 0),
	SD_VARLINK_DEFINE_FIELD(travellers, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(withReference, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(references, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(nearTwins, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Comparison score to reach in identify mode"),
	SD_VARLINK_DEFINE_FIELD(threshold, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_FIELD_COMMENT(
		"Travellers read of a manifest that is being loaded; both 0: none is"),
	SD_VARLINK_DEFINE_FIELD(loading, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(loadingTotal, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Event,
	SD_VARLINK_FIELD_COMMENT("state, verdict, hint, camera, document, manifest, policy, fault"),
	SD_VARLINK_DEFINE_FIELD(type, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(time, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Number of the traveller's session since boothd started"),
	SD_VARLINK_DEFINE_FIELD(session, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(state, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"Number of the face that is followed; another number is another sight of a person"),
	SD_VARLINK_DEFINE_FIELD(track, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Sequence of the camera frame in which the session began, and of "
				 "the last with the face in it"),
	SD_VARLINK_DEFINE_FIELD(frame, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(lastFrame, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT(
		"Middle of the face in that last frame, parts of its width and height"),
	SD_VARLINK_DEFINE_FIELD(x, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(y, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(encounter, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(mode, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(verdict, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(cause, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(traveller, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(score, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(threshold, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(quality, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(liveness, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("What spoke against it: model, moire, border, specular, unsteady"),
	SD_VARLINK_DEFINE_FIELD(livenessReasons, SD_VARLINK_STRING,
				SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("From the first usable face to the verdict"),
	SD_VARLINK_DEFINE_FIELD(tookMs, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(text, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Check, SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(ok, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("What was found and, when not ok, what to do"),
	SD_VARLINK_DEFINE_FIELD(text, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Liveness, SD_VARLINK_FIELD_COMMENT("Whether a match that does not look alive is referred"),
	SD_VARLINK_DEFINE_FIELD(needed, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("Score from which a face counts as alive here, and by policy"),
	SD_VARLINK_DEFINE_FIELD(threshold, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_DEFINE_FIELD(policyThreshold, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_FIELD_COMMENT("A measurement runs, so nobody is served"),
	SD_VARLINK_DEFINE_FIELD(calibrating, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("When this site was measured, on how many presentations of "
				 "people and of photos; null: not measured"),
	SD_VARLINK_DEFINE_FIELD(measured, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(live, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(attacks, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Face, SD_VARLINK_DEFINE_FIELD(track, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("How many looks the score rests on, up to 5; 0: no score yet"),
	SD_VARLINK_DEFINE_FIELD(looks, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(score, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_DEFINE_FIELD(reasons, SD_VARLINK_STRING, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	GetStatus, SD_VARLINK_DEFINE_OUTPUT(booth, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(version, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(mode, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(modelPack, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(upMs, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_OUTPUT(light, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(sessions, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Since boothd started"),
	SD_VARLINK_DEFINE_OUTPUT(confirmed, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_OUTPUT(referred, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_OUTPUT(queued, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_OUTPUT(dead, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("The last fault in a sentence; empty when there was none"),
	SD_VARLINK_DEFINE_OUTPUT(fault, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Whether all memory of keys and faces is kept from swapping"),
	SD_VARLINK_DEFINE_OUTPUT(memoryLocked, SD_VARLINK_BOOL, 0),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(camera, Camera, 0),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(manifest, Manifest, 0),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(liveness, Liveness, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(Watch, SD_VARLINK_REQUIRES_MORE,
				     SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, 0));

static SD_VARLINK_DEFINE_METHOD(
	PresentDocument,
	SD_VARLINK_FIELD_COMMENT(
		"MRZ lines or a boarding pass string, as a reader would send them"),
	SD_VARLINK_DEFINE_INPUT(text, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("mrz or pass"),
	SD_VARLINK_DEFINE_OUTPUT(kind, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(OptOut);
static SD_VARLINK_DEFINE_METHOD(Resume);
static SD_VARLINK_DEFINE_METHOD(ManifestsChanged);

static SD_VARLINK_DEFINE_METHOD(SelfTest, SD_VARLINK_DEFINE_OUTPUT(ok, SD_VARLINK_BOOL, 0),
				SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(checks, Check, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
	CalibrateLiveness, SD_VARLINK_REQUIRES_MORE,
	SD_VARLINK_FIELD_COMMENT("SHA-256 of the model pack in use"),
	SD_VARLINK_DEFINE_OUTPUT(pack, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(camera, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_OUTPUT(policyThreshold, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_FIELD_COMMENT("Faces in the zone, at most ten times a second"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(faces, Face, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ERROR(DocumentUnreadable,
			       SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ERROR(TooManyWatchers);
static SD_VARLINK_DEFINE_ERROR(Busy);
static SD_VARLINK_DEFINE_ERROR(Serving);

SD_VARLINK_DEFINE_INTERFACE(
	io_egress_Booth, "io.egress.Booth",
	SD_VARLINK_SYMBOL_COMMENT("State of the camera, as far as frames tell it"), &vl_type_Camera,
	SD_VARLINK_SYMBOL_COMMENT("The manifest in use and the one being loaded"),
	&vl_type_Manifest,
	SD_VARLINK_SYMBOL_COMMENT("Something that happened; never a name or a picture"),
	&vl_type_Event, SD_VARLINK_SYMBOL_COMMENT("One line of the self-test"), &vl_type_Check,
	SD_VARLINK_SYMBOL_COMMENT("What counts as alive at this site"), &vl_type_Liveness,
	SD_VARLINK_SYMBOL_COMMENT("A face that a measurement sees, as numbers"), &vl_type_Face,
	SD_VARLINK_SYMBOL_COMMENT("The booth at a glance"), &vl_method_GetStatus,
	SD_VARLINK_SYMBOL_COMMENT("Live events; the first reply comes with the first event"),
	&vl_method_Watch,
	SD_VARLINK_SYMBOL_COMMENT("A document, for the traveller who is nearest to the camera"),
	&vl_method_PresentDocument,
	SD_VARLINK_SYMBOL_COMMENT("No camera, please: frames stop at the driver"),
	&vl_method_OptOut, SD_VARLINK_SYMBOL_COMMENT("Ends an opt-out before its time"),
	&vl_method_Resume,
	SD_VARLINK_SYMBOL_COMMENT("syncd put or erased a manifest, or took a policy"),
	&vl_method_ManifestsChanged,
	SD_VARLINK_SYMBOL_COMMENT("Checks every part that a verdict needs; takes some seconds "
				  "while travellers are served"),
	&vl_method_SelfTest,
	SD_VARLINK_SYMBOL_COMMENT("For a technician: scores faces while the connection lasts, and "
				  "serves nobody meanwhile"),
	&vl_method_CalibrateLiveness,
	SD_VARLINK_SYMBOL_COMMENT("Neither a machine-readable zone nor a boarding pass"),
	&vl_error_DocumentUnreadable,
	SD_VARLINK_SYMBOL_COMMENT("More than 16 connections watch already"),
	&vl_error_TooManyWatchers,
	SD_VARLINK_SYMBOL_COMMENT("As many self-tests run as may at once: try again in a moment"),
	&vl_error_Busy,
	SD_VARLINK_SYMBOL_COMMENT("A traveller is being served, or somebody measures already"),
	&vl_error_Serving);
