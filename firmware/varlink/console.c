// SPDX-License-Identifier: Apache-2.0

#include "firmware/varlink/console.h"

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Quality, SD_VARLINK_FIELD_COMMENT("Name of ISO/IEC 29794-5, as in sharpness or pose_yaw"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("0 (worst) to 100"),
	SD_VARLINK_DEFINE_FIELD(value, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Below this the traveller is given a hint; 0: it says nothing"),
	SD_VARLINK_DEFINE_FIELD(min, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Case, SD_VARLINK_FIELD_COMMENT("Id of the record; null while no verdict is there yet"),
	SD_VARLINK_DEFINE_FIELD(encounter, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Number of the traveller's session since boothd started; 0: of a "
				 "boothd that ran before"),
	SD_VARLINK_DEFINE_FIELD(session, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Of the verdict, else when the session began"),
	SD_VARLINK_DEFINE_FIELD(time, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT(
		"approaching, capturing, deciding, confirmed, referred, leaving or over"),
	SD_VARLINK_DEFINE_FIELD(state, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("none, refer or confirmed: the machine's, which no decision "
				 "changes"),
	SD_VARLINK_DEFINE_FIELD(verdict, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(cause, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("identify or verify"),
	SD_VARLINK_DEFINE_FIELD(mode, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("As in A. M. E.; empty: nobody is named"),
	SD_VARLINK_DEFINE_FIELD(initials, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Only while the faces may be shown"),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Id on the manifest"),
	SD_VARLINK_DEFINE_FIELD(traveller, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The traveller is only the most similar one: neither the machine "
				 "nor a document says that it is this one"),
	SD_VARLINK_DEFINE_FIELD(candidate, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("Two people of the manifest are too alike to be told apart"),
	SD_VARLINK_DEFINE_FIELD(nearTwin, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("Comparison score, and the one to reach; null: not compared"),
	SD_VARLINK_DEFINE_FIELD(score, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(threshold, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("What was measured of the best picture; empty: there is none"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(quality, Quality, SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("0 to 100; -1: not measured"),
	SD_VARLINK_DEFINE_FIELD(overall, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(overallMin, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("0 to 1; null: not measured"),
	SD_VARLINK_DEFINE_FIELD(liveness, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(livenessThreshold, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_FIELD_COMMENT("What spoke against it: model, moire, border, specular, unsteady"),
	SD_VARLINK_DEFINE_FIELD(livenessReasons, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("A referral that nobody has decided"),
	SD_VARLINK_DEFINE_FIELD(attention, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("The officer's last decision, why, whose and when"),
	SD_VARLINK_DEFINE_FIELD(decision, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(by, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(byTime, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Account that looks after it"),
	SD_VARLINK_DEFINE_FIELD(heldBy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Faces would give pictures now, and how many of the manifest"),
	SD_VARLINK_DEFINE_FIELD(faces, SD_VARLINK_BOOL, 0),
	SD_VARLINK_DEFINE_FIELD(referenceCount, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("When they will be gone; null: they are"),
	SD_VARLINK_DEFINE_FIELD(facesUntil, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Receipt would give an exit receipt"),
	SD_VARLINK_DEFINE_FIELD(receipt, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("The traveller is still in view, so that Recapture would work"),
	SD_VARLINK_DEFINE_FIELD(inView, SD_VARLINK_BOOL, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Departure, SD_VARLINK_FIELD_COMMENT("Empty when none is in use"),
	SD_VARLINK_DEFINE_FIELD(manifest, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(flight, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(port, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(version, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(departs, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("Travellers on the manifest"),
	SD_VARLINK_DEFINE_FIELD(expected, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("... whom the machine confirmed, and whom an officer did"),
	SD_VARLINK_DEFINE_FIELD(confirmed, SD_VARLINK_INT, 0),
	SD_VARLINK_DEFINE_FIELD(byOfficer, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Referrals that nobody has decided"),
	SD_VARLINK_DEFINE_FIELD(referred, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("No camera, please"),
	SD_VARLINK_DEFINE_FIELD(optedOut, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Travellers who were not here yet"),
	SD_VARLINK_DEFINE_FIELD(notSeen, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Travellers who were here and may not go, so far"),
	SD_VARLINK_DEFINE_FIELD(seenNotLet, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("Part of the people with a verdict of whom a usable picture was "
				 "taken, and how many they were; who opted out does not count"),
	SD_VARLINK_DEFINE_FIELD(captureRate, SD_VARLINK_FLOAT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(captureTried, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("What policy wants, and whether the last half hour is below it"),
	SD_VARLINK_DEFINE_FIELD(captureMin, SD_VARLINK_FLOAT, 0),
	SD_VARLINK_DEFINE_FIELD(captureLow, SD_VARLINK_BOOL, 0),
	SD_VARLINK_FIELD_COMMENT("The rate in the last twelve spans of five minutes, oldest first; "
				 "-1: nobody came"),
	SD_VARLINK_DEFINE_FIELD(history, SD_VARLINK_FLOAT, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Event,
	SD_VARLINK_FIELD_COMMENT("case, flight, view, and what io.egress.Booth tells: state, "
				 "verdict, hint, camera, document, manifest, policy, fault"),
	SD_VARLINK_DEFINE_FIELD(type, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(time, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("A case that is new, or another than it was"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(case, Case, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("At most once a second"),
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(flight, Departure, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("live, resting (no camera, please) or none (no picture comes)"),
	SD_VARLINK_DEFINE_FIELD(view, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("The rest as in io.egress.Booth"),
	SD_VARLINK_DEFINE_FIELD(session, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(state, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(track, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(frame, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(lastFrame, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
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
	SD_VARLINK_DEFINE_FIELD(livenessReasons, SD_VARLINK_STRING,
				SD_VARLINK_NULLABLE | SD_VARLINK_ARRAY),
	SD_VARLINK_DEFINE_FIELD(tookMs, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_FIELD(text, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(Reference,
				     SD_VARLINK_FIELD_COMMENT("Base64; at most 240 by 320"),
				     SD_VARLINK_DEFINE_FIELD(jpeg, SD_VARLINK_STRING, 0),
				     SD_VARLINK_FIELD_COMMENT("passport, visa or entry"),
				     SD_VARLINK_DEFINE_FIELD(source, SD_VARLINK_STRING, 0),
				     SD_VARLINK_FIELD_COMMENT("0: not known"),
				     SD_VARLINK_DEFINE_FIELD(year, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
	Traveller, SD_VARLINK_DEFINE_FIELD(initials, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("not_seen, seen (may not go so far), confirmed or by_officer"),
	SD_VARLINK_DEFINE_FIELD(state, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(OpenView);

static SD_VARLINK_DEFINE_METHOD_FULL(Watch, SD_VARLINK_REQUIRES_MORE,
				     SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, 0));

static SD_VARLINK_DEFINE_METHOD(Cases,
				SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(cases, Case, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
	Faces, SD_VARLINK_DEFINE_INPUT(encounter, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Account of who looks: it goes into the audit chain"),
	SD_VARLINK_DEFINE_INPUT(actor, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Base64 of a JPEG; null: no picture was taken"),
	SD_VARLINK_DEFINE_OUTPUT(probe, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(references, Reference, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(Hold, SD_VARLINK_DEFINE_INPUT(encounter, SD_VARLINK_STRING, 0),
				SD_VARLINK_FIELD_COMMENT("Empty: nobody looks after it any more"),
				SD_VARLINK_DEFINE_INPUT(account, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	Decide, SD_VARLINK_DEFINE_INPUT(encounter, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("confirmed_by_document, referred, opted_out, wrong_person or "
				 "supervisor_needed"),
	SD_VARLINK_DEFINE_INPUT(decision, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("One that goes with the decision, as in document_checked"),
	SD_VARLINK_DEFINE_INPUT(reason, SD_VARLINK_STRING, 0),
	SD_VARLINK_DEFINE_INPUT(account, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Another account, where policy asks for two people"),
	SD_VARLINK_DEFINE_INPUT(second, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Recapture, SD_VARLINK_DEFINE_INPUT(encounter, SD_VARLINK_STRING, 0),
				SD_VARLINK_DEFINE_INPUT(account, SD_VARLINK_STRING, 0),
				SD_VARLINK_FIELD_COMMENT("Default: poor_capture"),
				SD_VARLINK_DEFINE_INPUT(reason, SD_VARLINK_STRING,
							SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Flight, SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(flight, Departure, 0));

static SD_VARLINK_DEFINE_METHOD(
	Travellers, SD_VARLINK_FIELD_COMMENT("A state, as in not_seen; null: all of them"),
	SD_VARLINK_DEFINE_INPUT(filter, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("By name; at most 500"),
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(travellers, Traveller, SD_VARLINK_ARRAY),
	SD_VARLINK_FIELD_COMMENT("How many there are"),
	SD_VARLINK_DEFINE_OUTPUT(total, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_METHOD(
	Receipt, SD_VARLINK_DEFINE_INPUT(encounter, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("The traveller wants the name in it; only while it is known here"),
	SD_VARLINK_DEFINE_INPUT(named, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
	SD_VARLINK_FIELD_COMMENT("As in EGX1:..., for a QR code"),
	SD_VARLINK_DEFINE_OUTPUT(text, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_METHOD(
	Policy,
	SD_VARLINK_FIELD_COMMENT("Base64 of the message as the centre signed it; null: none came"),
	SD_VARLINK_DEFINE_OUTPUT(message, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(Note,
				SD_VARLINK_FIELD_COMMENT("signed_in, signed_out or locked_out"),
				SD_VARLINK_DEFINE_INPUT(event, SD_VARLINK_STRING, 0),
				SD_VARLINK_DEFINE_INPUT(account, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ERROR(NotAllowed);
static SD_VARLINK_DEFINE_ERROR(TooManyWatchers);
static SD_VARLINK_DEFINE_ERROR(NoSuchCase);
static SD_VARLINK_DEFINE_ERROR(NoFaces);
static SD_VARLINK_DEFINE_ERROR(AlreadyDecided, SD_VARLINK_DEFINE_FIELD(by, SD_VARLINK_STRING, 0),
			       SD_VARLINK_DEFINE_FIELD(decision, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(SecondNeeded);
static SD_VARLINK_DEFINE_ERROR(NotFitting, SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0));
static SD_VARLINK_DEFINE_ERROR(NotInView);
static SD_VARLINK_DEFINE_ERROR(NotConfirmed);
static SD_VARLINK_DEFINE_ERROR(NotWritten, SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_INTERFACE(
	io_egress_Console, "io.egress.Console",
	SD_VARLINK_INTERFACE_COMMENT(
		"boothd for the screens: faces, names and decisions. Served to root, boothd's own "
		"user and that of consoled (boothd.conf); everybody else gets NotAllowed"),
	SD_VARLINK_SYMBOL_COMMENT("One component of a picture's quality"), &vl_type_Quality,
	SD_VARLINK_SYMBOL_COMMENT("One traveller before the booth, and what became of it"),
	&vl_type_Case, SD_VARLINK_SYMBOL_COMMENT("The manifest in use, and who has been here"),
	&vl_type_Departure, SD_VARLINK_SYMBOL_COMMENT("Something that happened"), &vl_type_Event,
	SD_VARLINK_SYMBOL_COMMENT("A photo of the manifest, cut to head and shoulders"),
	&vl_type_Reference, SD_VARLINK_SYMBOL_COMMENT("A traveller of the manifest"),
	&vl_type_Traveller,
	SD_VARLINK_SYMBOL_COMMENT("Passes a descriptor of the ring of live pictures, to be mapped "
				  "for reading (firmware/view/view.h). It is filled while such "
				  "connections last"),
	&vl_method_OpenView,
	SD_VARLINK_SYMBOL_COMMENT("Live events; the first reply comes with the first event"),
	&vl_method_Watch,
	SD_VARLINK_SYMBOL_COMMENT("Who is being served, then the last 50, newest first"),
	&vl_method_Cases,
	SD_VARLINK_SYMBOL_COMMENT("The pictures of a case, as long as they may be shown"),
	&vl_method_Faces,
	SD_VARLINK_SYMBOL_COMMENT("Tells the other officers that somebody looks after it; the last "
				  "one wins, for two minutes"),
	&vl_method_Hold,
	SD_VARLINK_SYMBOL_COMMENT("An officer's decision, signed and on disk before the reply. The "
				  "first wins; only a supervisor may add another one, under which "
				  "the first stays on record"),
	&vl_method_Decide,
	SD_VARLINK_SYMBOL_COMMENT("Once more: decides so, and serves the traveller anew"),
	&vl_method_Recapture, SD_VARLINK_SYMBOL_COMMENT("How the flight stands"), &vl_method_Flight,
	SD_VARLINK_SYMBOL_COMMENT("Who is on the manifest"), &vl_method_Travellers,
	SD_VARLINK_SYMBOL_COMMENT("The exit receipt of a traveller who was confirmed, by the "
				  "machine or by document"),
	&vl_method_Receipt, SD_VARLINK_SYMBOL_COMMENT("The centre's policy"), &vl_method_Policy,
	SD_VARLINK_SYMBOL_COMMENT("A sign-in for the audit chain"), &vl_method_Note,
	SD_VARLINK_SYMBOL_COMMENT("Not for this user"), &vl_error_NotAllowed,
	SD_VARLINK_SYMBOL_COMMENT("More than 16 connections watch, or 8 hold the view, already"),
	&vl_error_TooManyWatchers, SD_VARLINK_SYMBOL_COMMENT("Not among the last 50, or no id"),
	&vl_error_NoSuchCase, SD_VARLINK_SYMBOL_COMMENT("None were taken, or their time is over"),
	&vl_error_NoFaces, SD_VARLINK_SYMBOL_COMMENT("Somebody was faster"),
	&vl_error_AlreadyDecided, SD_VARLINK_SYMBOL_COMMENT("Policy wants a second person"),
	&vl_error_SecondNeeded,
	SD_VARLINK_SYMBOL_COMMENT("A decision, reason or account that does not go with this case"),
	&vl_error_NotFitting, SD_VARLINK_SYMBOL_COMMENT("The traveller is gone"),
	&vl_error_NotInView, SD_VARLINK_SYMBOL_COMMENT("There is no exit to give a receipt of"),
	&vl_error_NotConfirmed,
	SD_VARLINK_SYMBOL_COMMENT("The disk did not take it: nothing was decided"),
	&vl_error_NotWritten);
