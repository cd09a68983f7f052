// SPDX-License-Identifier: Apache-2.0
//
// The traveller's display. What to show comes from consoled as one event, `state`; this page adds
// only manners: languages, spoken words, time to think.

const $ = (id) => document.getElementById(id);
const CHOICE_MS = 30000;    // what somebody set is for them: forgotten after so long with nobody there
const DIALOG_MS = 30000;    // an open dialog is asked about after so long
const MORE_MS = 10000;      // and closed so long after that
const GREET_MS = 4000;      // each language in turn while nobody has chosen one

let index = [];             // [{tag, language, direction}]
let texts = {};             // of the language shown
let language = "en";
let chosen = false;
let quiet = false;
let state = { state: "starting", hint: "none", face: null, receipt: null, notice: null };
let spoken = "", lastSeen = performance.now(), greeting = 0;
const cache = new Map();

const say = (key) => texts[key] ?? "";

// ---- language --------------------------------------------------------------------------------

async function load(tag) {
	if (!cache.has(tag)) {
		const answer = await fetch(`/texts/${tag}.json`);
		if (!answer.ok) return null;
		cache.set(tag, await answer.json());
	}
	return cache.get(tag);
}

async function speakIn(tag, byHand) {
	const found = await load(tag);
	if (!found) return;
	language = tag;
	texts = found;
	if (byHand) chosen = true;
	document.documentElement.lang = tag;
	document.documentElement.dir = texts.direction;
	fixedTexts();
	show();
	if (byHand) speak("idle_title", true);
}

function fixedTexts() {
	const label = (id, key) => { $(id).querySelector("span").textContent = say(key); };
	label("no-camera", state.state === "no_camera" ? "camera_again" : "no_camera_button");
	label("open-languages", "choose_language");
	label("open-easier", "easier");
	label("ask-receipt", "receipt_button");
	label("sound", quiet ? "sound_off" : "sound_on");
	$("languages").setAttribute("aria-label", say("choose_language"));
	$("language-heading").textContent = say("choose_language");
	$("easier-heading").textContent = say("easier");
	$("sizes").querySelector("legend").textContent = say("text_size");
	for (const input of $("sizes").querySelectorAll("input"))
		input.nextElementSibling.textContent = say(`size_${input.value}`);
	for (const [id, key] of [["contrast", "contrast"], ["still", "less_motion"], ["speak", "sound"]])
		$(id).nextElementSibling.textContent = say(key);
	for (const button of document.querySelectorAll("dialog .close")) button.textContent = say("close");
	$("time-heading").textContent = say("still_there");
	$("more-time").textContent = say("more_time");
	$("receipt-title").textContent = say("receipt_title");
	$("receipt-text").textContent = say("receipt_text");
	$("code").alt = say("receipt_title");
	for (const button of document.querySelectorAll("button[data-tag]"))
		if (chosen && button.dataset.tag === language) button.setAttribute("aria-current", "true");
		else button.removeAttribute("aria-current");
	notice();
}

function notice() {
	const given = state.notice;
	$("notice-title").textContent = say("notice_title");
	$("notice").textContent = given?.texts?.[language] ?? say("notice");
	$("notice-version").textContent = given?.version ? say("notice_version").replace("{version}", given.version) : "";
}

function languageButton(entry) {
	const button = document.createElement("button");
	button.type = "button";
	button.dataset.tag = entry.tag;
	button.lang = entry.tag;
	button.dir = entry.direction;
	button.textContent = entry.language;
	button.addEventListener("click", () => { speakIn(entry.tag, true); $("language-dialog").close(); });
	return button;
}

// ---- what is shown ---------------------------------------------------------------------------

const PICTOGRAM = { starting: "wait", idle: "walk", deciding: "wait", go: "go", officer: "officer", no_camera: "no_camera", out_of_service: "closed" };
const TITLE = { starting: "deciding", idle: "idle", approach: "approach", capture: "approach", deciding: "deciding", go: "go", officer: "officer", no_camera: "no_camera", out_of_service: "out" };

function show() {
	const name = state.state, hint = state.hint; // consoled keeps each hint long enough to be read
	const coached = (name === "approach" || name === "capture") && hint !== "none";
	const title = coached ? `hint_${hint}` : name === "capture" ? "hint_hold_still" : `${TITLE[name]}_title`;
	document.body.dataset.state = name;
	document.body.dataset.hint = name === "deciding" ? "none" : hint;
	const picture = coached ? hint : name === "approach" ? "look_here" : name === "capture" ? "hold_still" : PICTOGRAM[name];
	const use = $("pictogram").firstElementChild;
	if (use.getAttribute("href") !== `#p-${picture}`) use.setAttribute("href", `#p-${picture}`);
	if ($("title").textContent !== say(title)) $("title").textContent = say(title);
	$("text").textContent = coached || name === "capture" || name === "approach" ? "" : say(`${TITLE[name]}_text`);
	$("no-camera").querySelector("span").textContent = say(name === "no_camera" ? "camera_again" : "no_camera_button");
	live(name === "approach" || name === "capture" || name === "deciding");
	receipt(name === "go" ? state.receipt : null);
	coach();
	speak(title, false);
}

// The view is asked for only while somebody is looked at, and gone for certain otherwise.
function live(wanted) {
	const picture = $("picture");
	if (wanted && !picture.hasAttribute("src")) picture.src = `/view.mjpeg?${Date.now()}`;
	if (!wanted && picture.hasAttribute("src")) picture.removeAttribute("src");
}

// The picture is 16:9, the view shows a square of it, the one with the face in its middle: where a part
// of the picture lies in the view.
function coach() {
	const box = $("view").getBoundingClientRect();
	if (box.width === 0) return;
	const wide = box.width / box.height < 16 / 9 ? box.height * 16 / 9 : box.width;
	const tall = wide * 9 / 16;
	const spare = wide - box.width;
	const face = state.face;
	const left = face ? Math.min(spare, Math.max(0, (face.x + face.w / 2) * wide - box.width / 2)) : spare / 2;
	$("picture").style.objectPosition = spare > 0 ? `${100 - left / spare * 100}% 50%` : ""; // mirrored by CSS
	const place = (ellipse, x, y, w, h) => {
		ellipse.setAttribute("cx", x);
		ellipse.setAttribute("cy", y);
		ellipse.setAttribute("rx", w / 2);
		ellipse.setAttribute("ry", h / 2);
	};
	const ideal = box.height * 0.56;
	const x = face ? (face.x + face.w / 2) * wide - left : box.width / 2;
	const y = face ? (face.y + face.h / 2) * tall - (tall - box.height) / 2 : box.height / 2;
	const tallFace = face ? face.h * tall * 1.25 : ideal;
	place($("target"), x, y, ideal * 0.78, ideal);
	place($("hug"), x, y, (face ? Math.max(face.w * wide * 1.2, tallFace * 0.72) : ideal * 0.78), tallFace);
	$("hug").style.visibility = face ? "visible" : "hidden";
}

// On request: what lies on the screen can be scanned by whoever stands behind.
function receipt(text) {
	const box = $("receipt");
	$("ask-receipt").hidden = state.state !== "go" || Boolean(text);
	if (!text) {
		box.hidden = true;
		$("code").removeAttribute("src");
		return;
	}
	const source = `/receipt.svg?${encodeURIComponent(text.slice(-16))}`;
	if ($("code").getAttribute("src") !== source) $("code").src = source;
	box.hidden = false;
}

// ---- spoken ----------------------------------------------------------------------------------

const SPOKEN = /^(hint_|go_title|officer_title|no_camera_title|out_title|still_there|idle_title)/;

function speak(key, asked) {
	if (quiet || !SPOKEN.test(key) || (key === "idle_title" && !asked) || (!asked && key === spoken)) return;
	spoken = key;
	const voice = $("voice");
	voice.src = `/say/${language}/${key}.opus`;
	voice.play().catch(() => {}); // a browser that wants a touch first, or no sound device: words are on the screen
}

function setQuiet(to) {
	quiet = to;
	if (quiet) $("voice").pause();
	$("sound").setAttribute("aria-pressed", String(!quiet));
	$("speak").checked = !quiet;
	$("sound").querySelector("span").textContent = say(quiet ? "sound_off" : "sound_on");
}

// ---- events ----------------------------------------------------------------------------------

function onState(event) {
	const next = JSON.parse(event.data);
	const before = state.state;
	state = next;
	if (next.state !== "idle") lastSeen = performance.now();
	if (next.state !== before) {
		spoken = "";
		if (next.state !== "idle") {
			closeDialogs();
			if (!chosen && language !== index[0].tag) speakIn(index[0].tag, false);
		}
	}
	notice();
	show();
}

function connect() {
	const events = new EventSource("/events");
	let lost = 0;
	events.addEventListener("state", (event) => { clearTimeout(lost); lost = 0; onState(event); });
	events.addEventListener("face", (event) => { state.face = JSON.parse(event.data); coach(); });
	events.onerror = () => {
		if (lost === 0) lost = setTimeout(() => onState({ data: JSON.stringify({ ...state, state: "out_of_service", face: null, receipt: null }) }), 3000);
		if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
	};
}

async function ask(path) {
	try {
		await fetch(path, { method: "POST", headers: { "X-Egress": "1" } });
	} catch {
		// consoled is gone: the screen says so by itself
	}
}

// ---- settings, dialogs, time -----------------------------------------------------------------

function closeDialogs() {
	for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

function openDialog(id) {
	const dialog = $(id);
	if (!dialog.open) dialog.showModal();
	touched();
}

let idleTimer = 0, leftTimer = 0;
function touched() {
	lastSeen = performance.now();
	clearTimeout(idleTimer);
	clearInterval(leftTimer);
	if (!document.querySelector("dialog[open]")) return;
	idleTimer = setTimeout(warn, DIALOG_MS);
}

function warn() {
	if (!document.querySelector("dialog[open]")) return;
	let left = MORE_MS / 1000;
	$("time-left").textContent = String(left);
	$("time-dialog").showModal();
	speak("still_there", true);
	leftTimer = setInterval(() => {
		left -= 1;
		$("time-left").textContent = String(left);
		if (left > 0) return;
		clearInterval(leftTimer);
		closeDialogs();
	}, 1000);
}

function forget() {
	if (performance.now() - lastSeen < CHOICE_MS || state.state !== "idle") return;
	lastSeen = performance.now();
	chosen = false;
	for (const name of ["size", "contrast", "still"]) delete document.documentElement.dataset[name];
	$("sizes").querySelector("input").checked = true;
	$("contrast").checked = $("still").checked = false;
	setQuiet(false);
}

function greet() {
	forget();
	const still = "still" in document.documentElement.dataset || matchMedia("(prefers-reduced-motion: reduce)").matches;
	if (chosen || still || state.state !== "idle" || document.querySelector("dialog[open]")) return;
	greeting = (greeting + 1) % index.length;
	speakIn(index[greeting].tag, false);
}

function wire() {
	$("no-camera").addEventListener("click", () => ask(state.state === "no_camera" ? "/camera-ok" : "/no-camera"));
	$("ask-receipt").addEventListener("click", () => ask("/receipt"));
	$("open-languages").addEventListener("click", () => openDialog("language-dialog"));
	$("open-easier").addEventListener("click", () => openDialog("easier-dialog"));
	$("sound").addEventListener("click", () => setQuiet(!quiet));
	for (const input of $("sizes").querySelectorAll("input"))
		input.addEventListener("change", () => { document.documentElement.dataset.size = input.value; });
	$("contrast").addEventListener("change", (event) => document.documentElement.toggleAttribute("data-contrast", event.target.checked));
	$("still").addEventListener("change", (event) => document.documentElement.toggleAttribute("data-still", event.target.checked));
	$("speak").addEventListener("change", (event) => setQuiet(!event.target.checked));
	for (const button of document.querySelectorAll("dialog .close"))
		button.addEventListener("click", () => button.closest("dialog").close());
	$("more-time").addEventListener("click", () => { $("time-dialog").close(); touched(); });
	for (const type of ["pointerdown", "keydown", "input"]) addEventListener(type, touched, true);
	addEventListener("resize", coach);
}

async function start() {
	index = await (await fetch("/texts/index.json")).json();
	for (const entry of index) {
		$("languages").append(languageButton(entry));
		$("language-list").append(languageButton(entry));
	}
	wire();
	await speakIn("en", false);
	connect();
	setInterval(greet, GREET_MS);
}

start();
