// SPDX-License-Identifier: Apache-2.0
//
// The officer's console: what came by events, what is selected, what a key does. How it looks is
// draw.js, what it says is words.js. Faces live only in <img> elements of the traveller shown.

import { DECISIONS, LIKELY, KEYS } from "./words.js";
import * as draw from "./draw.js";
import { Pictures } from "./pictures.js";

const $ = (id) => document.getElementById(id);
const WARN_S = 60;

const state = {
	me: null,          // {account, display, role, csrf, idle_s}
	cases: [],         // newest first
	flight: null, booth: null, officers: [], tracks: [],
	selected: null,    // key of a case
	picked: false,     // by hand, so it stays until it is decided
	filter: "all",
	deciding: null,    // a row of DECISIONS
	alive: false,      // events come
};
let events = null, lostTimer = 0, idleTimer = 0, leftTimer = 0, endsAt = 0;
const pictures = new Pictures(() => state.me?.role !== "technician");

const keyOf = (one) => one.encounter ?? `session-${one.session}`;
const selected = () => state.cases.find((one) => keyOf(one) === state.selected) ?? null;

// ---- talking to consoled ---------------------------------------------------------------------

async function call(method, path, body) {
	let answer;
	try {
		answer = await fetch(path, {
			method,
			headers: method === "GET" ? {} : { "Content-Type": "application/json", "X-CSRF": state.me?.csrf ?? "" },
			body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
		});
	} catch {
		return { ok: false, status: 0, problem: "The booth does not answer.", next: "Try again in a moment." };
	}
	const text = await answer.text();
	let json = {};
	try { json = text === "" ? {} : JSON.parse(text); } catch { json = {}; }
	if (answer.status === 401 && state.me && path !== "/sign-in") signedOut(json.problem ?? "Please sign in.");
	if (answer.ok && method === "POST") alive();
	return { ok: answer.ok, status: answer.status, ...json };
}

const sentence = (answer) => [answer.problem ?? "That did not work.", answer.next].filter(Boolean).join(" ");

// ---- signing in and out ----------------------------------------------------------------------

const ENDS = {
	signed_out: "You are signed out.", idle: "You were signed out because nobody was there.",
	elsewhere: "You signed in at another screen.", account: "Your account has changed. Please sign in again.",
};

async function who() {
	const answer = await call("GET", "/session");
	if (!answer.ok) {
		if (answer.booth) $("sign-in-booth").textContent = `Booth ${answer.booth}`;
		$("sign-in-card").hidden = !answer.certificate;
		return signedOut(answer.status === 401 && !state.me ? "" : answer.problem ?? "");
	}
	state.me = answer;
	enter();
}

async function signIn(body) {
	$("sign-in-problem").textContent = "";
	const answer = await call("POST", "/sign-in", body);
	$("pin").value = "";
	if (!answer.ok) {
		$("sign-in-problem").textContent = sentence(answer);
		(body.certificate ? $("sign-in-card") : $("pin")).focus();
		return;
	}
	$("badge").value = "";
	await who();
}

function enter() {
	document.body.dataset.view = "console";
	document.body.dataset.role = state.me.role;
	draw.me(state.me);
	listen();
	alive();
	$("now-title").focus();
}

function signedOut(why) {
	events?.close();
	events = null;
	clearTimeout(idleTimer);
	clearInterval(leftTimer);
	pictures.clear();
	closeDialogs();
	endDecision();
	Object.assign(state, { me: null, cases: [], flight: null, booth: null, officers: [], tracks: [], selected: null, picked: false });
	draw.forget();
	$("live-picture").removeAttribute("src");
	document.body.dataset.view = "sign-in";
	$("sign-in-why").textContent = why;
	$("badge").focus();
}

// A session ends by itself; the person is asked before.
function alive() {
	if (!state.me) return;
	endsAt = Date.now() + state.me.idle_s * 1000;
	clearTimeout(idleTimer);
	clearInterval(leftTimer);
	if ($("stay").open) $("stay").close();
	idleTimer = setTimeout(askToStay, Math.max(0, (state.me.idle_s - WARN_S) * 1000));
}

function askToStay() {
	const tick = () => {
		const left = Math.max(0, Math.round((endsAt - Date.now()) / 1000));
		$("stay-left").textContent = String(left);
		if (left === 0) signedOut(ENDS.idle);
	};
	tick();
	$("stay").showModal();
	leftTimer = setInterval(tick, 1000);
}

let touchedAt = 0;
function touched() { // a person's hand: tell consoled, at most twice a minute
	if (!state.me || Date.now() - touchedAt < 30000) return;
	touchedAt = Date.now();
	call("POST", "/session");
}

// ---- events ----------------------------------------------------------------------------------

function listen() {
	events?.close();
	events = new EventSource("/events");
	const on = (name, take) => events.addEventListener(name, (event) => {
		connected(true);
		take(JSON.parse(event.data));
		show();
	});
	on("snapshot", (all) => {
		Object.assign(state, { cases: all.cases ?? [], flight: all.flight, booth: all.booth, officers: all.officers ?? [] });
	});
	on("case", takeCase);
	on("flight", (flight) => { state.flight = flight; });
	on("booth", (booth) => { state.booth = booth; });
	on("officers", (officers) => { state.officers = officers; });
	on("tracks", (tracks) => { state.tracks = tracks; });
	events.addEventListener("gone", (event) => signedOut(ENDS[JSON.parse(event.data).why] ?? "Please sign in."));
	events.onopen = () => connected(true);
	events.onerror = () => {
		connected(false);
		if (events?.readyState === EventSource.CLOSED) setTimeout(who, 2000);
	};
}

function connected(yes) {
	clearTimeout(lostTimer);
	lostTimer = 0;
	if (yes && !state.alive) {
		state.alive = true;
		show();
	} else if (!yes) {
		lostTimer = setTimeout(() => { state.alive = false; show(); }, 3000);
	}
}

function takeCase(one) {
	const at = state.cases.findIndex((other) => keyOf(other) === keyOf(one) || (one.session !== 0 && other.session === one.session && !other.encounter));
	const nothing = !one.encounter && one.state === "over";
	if (at >= 0 && state.selected === keyOf(state.cases[at])) state.selected = keyOf(one);
	if (nothing) {
		if (at >= 0) state.cases.splice(at, 1);
	} else if (at >= 0) {
		state.cases[at] = one;
	} else {
		state.cases.unshift(one);
		if (one.attention) draw.say(`${one.initials || "A traveller"} needs an officer`);
	}
	if (state.picked && selected()?.decision && state.selected === keyOf(one) && !state.deciding) state.picked = false;
}

// ---- what is selected ------------------------------------------------------------------------

const waiting = () => state.cases.filter((one) => one.attention).reverse(); // oldest first

function choose() {
	const shown = selected();
	if (shown && (state.picked || state.deciding || shown.attention)) return;
	const next = waiting()[0] ?? state.cases.find((one) => !one.encounter) ?? state.cases[0];
	state.selected = next ? keyOf(next) : null;
}

function pick(one) {
	if (!one) return;
	endDecision();
	state.selected = keyOf(one);
	state.picked = true;
	show();
}

const FILTERS = {
	all: () => true,
	attention: (one) => one.attention,
	confirmed: (one) => one.verdict === "confirmed",
	referred: (one) => one.verdict === "refer",
	decided: (one) => Boolean(one.decision),
};
const listed = () => state.cases.filter(FILTERS[state.filter]);

function step(by) {
	const rows = listed();
	const at = rows.findIndex((one) => keyOf(one) === state.selected);
	pick(rows[Math.min(rows.length - 1, Math.max(0, at + by))]);
}

// ---- deciding --------------------------------------------------------------------------------

const canDecide = (one) => Boolean(one?.encounter) && (!one.decision || state.me.role === "supervisor") && state.me.role !== "technician" && state.alive;

function offered(one) {
	if (!canDecide(one)) return [];
	return DECISIONS.filter((decision) => decision.name !== "recapture" || one.inView);
}

function begin(decision) {
	const one = selected();
	if (!decision || !offered(one).includes(decision)) return;
	state.deciding = decision;
	state.picked = true;
	draw.decide(decision, decision.reasons.includes(LIKELY[one.cause]) ? LIKELY[one.cause] : decision.reasons[0]);
	call("POST", `/cases/${one.encounter}/hold`);
	$("decide").querySelector("input[type=radio]:checked").focus();
	show();
	$("decide").scrollIntoView({ block: "nearest" });
}

function endDecision() {
	if (!state.deciding) return;
	state.deciding = null;
	$("decide").hidden = true;
	$("decide").reset();
	$("decide-problem").textContent = "";
	$("second").hidden = true;
}

async function decide(event) {
	event.preventDefault();
	const one = selected(), decision = state.deciding, form = $("decide");
	if (!one || !decision || $("decide-do").disabled) return;
	const body = { decision: decision.name, reason: form.elements.reason.value };
	if (!$("second").hidden) body.second = { badge: form.elements.badge.value, pin: form.elements.pin.value };
	$("decide-do").disabled = true;
	const answer = await call("POST", `/cases/${one.encounter}/decision`, body);
	$("decide-do").disabled = false;
	form.elements.pin.value = "";
	if (answer.ok) {
		draw.say(`${one.initials || "Traveller"}: ${decision.done}`);
		endDecision();
		state.picked = false;
		state.selected = null;
		show();
		$("now-title").focus();
		return;
	}
	const first = answer.by ? DECISIONS.find((row) => row.name === answer.decision) : null;
	$("decide-problem").textContent = (first ? `${answer.by} was faster: ${first.done}. ` : "") + sentence(answer);
	if (answer.error === "SecondNeeded") {
		$("second").hidden = false;
		form.elements.badge.focus();
	}
	$("decide").scrollIntoView({ block: "nearest" });
}

// ---- dialogs and keys ------------------------------------------------------------------------

function closeDialogs() {
	for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

async function missing() {
	const answer = await call("GET", "/travellers?state=not_seen");
	draw.missing(answer.ok ? answer : { travellers: [], total: 0, problem: sentence(answer) });
	$("missing").showModal();
}

async function camera() {
	const resting = state.booth?.status?.camera?.state === "resting";
	const answer = await call("POST", resting ? "/camera-ok" : "/no-camera");
	draw.say(answer.ok ? (resting ? "Camera on" : "Camera off") : sentence(answer));
}

async function typed(event) {
	event.preventDefault();
	const answer = await call("POST", "/document", { text: $("document-text").value });
	$("document-problem").textContent = answer.ok ? "" : sentence(answer);
	if (!answer.ok) return;
	$("document-text").value = "";
	$("document").close();
	draw.say("The document was taken");
}

function nextFilter() {
	const names = Object.keys(FILTERS);
	state.filter = names[(names.indexOf(state.filter) + 1) % names.length];
	$("filter").value = state.filter;
	show();
}

const KEYS_DO = {
	ArrowDown: () => step(1), ArrowUp: () => step(-1), f: nextFilter, m: missing, n: camera,
	u: () => pick(waiting()[0]), d: () => $("document").showModal(), "?": () => $("keys").showModal(),
};

function onKey(event) {
	touched();
	const field = event.target.closest("textarea, select, input:not([type=radio])");
	if (event.ctrlKey || event.altKey || event.metaKey || !state.me || document.querySelector("dialog[open]")) return;
	if (event.key === "Escape" && state.deciding) {
		endDecision();
		show();
		$("now-title").focus();
		return event.preventDefault();
	}
	if (field) return;
	if (state.deciding) {
		const radio = $("reasons").querySelectorAll("input")[Number(event.key) - 1];
		if (radio) { radio.checked = true; radio.focus(); event.preventDefault(); }
		if (event.key === "Enter" && event.target.type === "radio") { $("decide").requestSubmit(); event.preventDefault(); }
		return;
	}
	const decision = DECISIONS.find((row) => row.key === event.key);
	if (decision) { begin(decision); return event.preventDefault(); }
	if (Object.hasOwn(KEYS_DO, event.key)) { KEYS_DO[event.key](); event.preventDefault(); }
}

// ---- all together ----------------------------------------------------------------------------

// The live view only while there is one: a browser keeps the last picture of a stream that ended.
function live() {
	const picture = $("live-picture");
	const wanted = state.me.role !== "technician" && state.alive && Boolean(state.booth?.link?.boothd);
	if (wanted && !picture.hasAttribute("src")) picture.src = `/view.mjpeg?${Date.now()}`;
	if (!wanted && picture.hasAttribute("src")) picture.removeAttribute("src");
	if (!wanted) state.tracks = [];
}

function show() {
	if (!state.me) return;
	live();
	choose();
	const one = selected();
	draw.head(state);
	draw.now(one, state);
	draw.actions(offered(one), state.deciding, begin, one, state.me.role);
	draw.rows(listed(), state.selected, keyOf, pick);
	draw.flight(state.flight);
	draw.booth(state.booth, state.alive);
	pictures.show(one);
}

function wire() {
	$("sign-in-form").addEventListener("submit", (event) => { event.preventDefault(); signIn({ badge: $("badge").value, pin: $("pin").value }); });
	$("sign-in-card").addEventListener("click", () => signIn({ certificate: true }));
	$("sign-out").addEventListener("click", async () => { await call("POST", "/sign-out"); signedOut(ENDS.signed_out); });
	$("help").addEventListener("click", KEYS_DO["?"]);
	$("filter").addEventListener("change", (event) => { state.filter = event.target.value; show(); });
	$("decide").addEventListener("submit", decide);
	$("decide-back").addEventListener("click", () => { endDecision(); show(); });
	$("open-missing").addEventListener("click", missing);
	$("open-document").addEventListener("click", KEYS_DO.d);
	$("camera-off").addEventListener("click", camera);
	$("document-form").addEventListener("submit", typed);
	$("stay-on").addEventListener("click", () => call("POST", "/session"));
	for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());
	addEventListener("keydown", onKey);
	addEventListener("pointerdown", touched);
	draw.keys(KEYS);
	setInterval(() => { if (state.me) { draw.head(state); draw.booth(state.booth, state.alive); pictures.show(selected()); } }, 1000);
}

wire();
who();

