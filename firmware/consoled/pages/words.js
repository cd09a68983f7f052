// SPDX-License-Identifier: Apache-2.0
//
// What the officer reads. Codes are boothd's (match/verdict.c, store/decision.c, capture/quality.c);
// each has its sentence and, where something is to be done, the next step.

export const CAUSES = {
	no_face: ["The camera saw no face.", "Ask the traveller to stand on the mark and look up, or check the document."],
	poor_capture: ["The pictures are too poor to compare.", "Try again with the face to the light, or check the document."],
	liveness_doubt: ["This may be a photo, a screen or a mask.", "Look at the traveller in person, then check the document."],
	no_reference: ["The manifest has no usable photo of this traveller.", "Compare the traveller with the document."],
	poor_reference: ["The manifest's photo is too poor to compare with.", "Compare the traveller with the document."],
	below_threshold: ["The face is like the manifest's photo, but not enough.", "Compare the traveller with the document."],
	ambiguous: ["The face is like more than one traveller on the manifest.", "Read the document to tell who this is."],
	not_on_manifest: ["The face is like nobody on this manifest.", "Read the document and check that this is the right gate."],
	several_people: ["Several people stood before the camera.", "Ask them to come one at a time, then try again."],
	manifest_stale: ["The manifest on this booth is out of date.", "Check documents by hand until a new one arrives."],
	opted_out: ["The traveller asked for no camera. None was used.", "Check the document by hand."],
	document_unreadable: ["The document could not be read.", "Read it once more, or type its lines (key d)."],
	system_fault: ["The booth could not compare. That says nothing about the traveller.", "Check the document and call the technician."],
};

export const SHORT_CAUSES = {
	no_face: "no face seen", poor_capture: "poor pictures", liveness_doubt: "alive?", no_reference: "no photo on manifest",
	poor_reference: "poor photo on manifest", below_threshold: "not alike enough", ambiguous: "like several people",
	not_on_manifest: "not on manifest", several_people: "several people", manifest_stale: "manifest out of date",
	opted_out: "no camera, please", document_unreadable: "document unreadable", system_fault: "booth fault",
};

// In the order of their keys. `reasons` as store/decision.c allows them, the likeliest first.
export const DECISIONS = [
	{ key: "1", name: "confirmed_by_document", text: "Confirm by document", done: "confirmed by document", ask: "Let this traveller go, confirmed by document?",
		reasons: ["document_checked", "poor_reference", "poor_capture", "look_alike", "appearance_changed", "not_on_manifest", "traveller_asked", "equipment"] },
	{ key: "2", name: "recapture", text: "Try again", done: "tried again", ask: "Take new pictures of this traveller?",
		reasons: ["poor_capture", "appearance_changed", "liveness_doubt", "traveller_asked", "equipment"] },
	{ key: "3", name: "referred", text: "Refer", done: "referred", ask: "Send this traveller to secondary inspection?",
		reasons: ["document_doubt", "liveness_doubt", "not_on_manifest", "look_alike", "appearance_changed", "poor_reference", "traveller_asked"] },
	{ key: "4", name: "opted_out", text: "Wants no camera", done: "wants no camera", ask: "Record that this traveller wants no camera?", reasons: ["traveller_asked"] },
	{ key: "5", name: "wrong_person", text: "Wrong person", done: "wrong person", ask: "Record that the booth took this traveller for somebody else?",
		reasons: ["document_checked", "look_alike", "poor_reference", "document_doubt"] },
	{ key: "6", name: "supervisor_needed", text: "Call a supervisor", done: "supervisor called", ask: "Leave this to a supervisor?",
		reasons: ["document_doubt", "look_alike", "liveness_doubt", "appearance_changed", "not_on_manifest", "traveller_asked", "equipment", "other_officer"] },
];

export const REASONS = {
	document_checked: "document checked", poor_reference: "manifest's photo is poor", poor_capture: "pictures were poor",
	look_alike: "looks like somebody else", appearance_changed: "looks different now", not_on_manifest: "not on this manifest",
	document_doubt: "doubt about the document", liveness_doubt: "doubt about the face", traveller_asked: "traveller asked for it",
	equipment: "equipment", other_officer: "another officer should decide", none: "no reason given",
};

// The reason that is ticked first, by the machine's cause.
export const LIKELY = {
	poor_reference: "poor_reference", no_reference: "poor_reference", poor_capture: "poor_capture", no_face: "poor_capture",
	liveness_doubt: "liveness_doubt", not_on_manifest: "not_on_manifest", ambiguous: "look_alike", opted_out: "traveller_asked",
	system_fault: "equipment", several_people: "poor_capture",
};

export const QUALITY = {
	sharpness: "Sharpness", luminance_mean: "Brightness", luminance_variance: "Contrast", under_exposure: "Not too dark", over_exposure: "Not too bright",
	dynamic_range: "Range of tones", illumination_uniformity: "Even light", inter_eye_distance: "Distance", head_size: "Head size",
	crop_margins: "Whole head in view", pose_yaw: "Faces the camera", pose_pitch: "Chin level", pose_roll: "Head upright",
	eyes_open: "Eyes open", mouth_closed: "Mouth closed", single_face: "Alone in view",
};

export const SIGNS = { model: "the network's judgement", moire: "a screen's pattern", border: "an edge round the face", specular: "a shine as of glass or paper", unsteady: "it changes from frame to frame" };

export const LIVE_STATES = { approaching: "Somebody approaches", capturing: "Taking pictures", deciding: "Comparing", leaving: "Leaving", over: "Gone" };

export const CENTRE = { up: "link up", down: "link down", refused: "centre refuses this booth", connecting: "connecting", unprovisioned: "not enrolled", unknown: "link unknown" };

export const CAMERA = { streaming: "pictures come", stalled: "no new pictures", closed: "closed", resting: "off: no camera, please", ended: "ended" };

export const KEYS = [
	["1 to 6", "begin a decision about the traveller shown"],
	["1 to 9", "in a decision: choose the reason"],
	["Enter", "do what the button says"],
	["Esc", "back"],
	["↑ ↓", "earlier and later travellers"],
	["u", "the next traveller who needs an officer"],
	["f", "change what the list shows"],
	["m", "who is missing"],
	["d", "type a document"],
	["n", "no camera, please; again: camera on"],
	["?", "these keys"],
];

export const ROLES = { officer: "officer", supervisor: "supervisor", technician: "technician" };
