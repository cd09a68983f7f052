// SPDX-License-Identifier: Apache-2.0
//
// How the officer's console looks: each function draws one part anew from what it is given, and
// touches only what changed.

import * as words from "./words.js";

const $ = (id) => document.getElementById(id);

function text(node, value) {
	if (node.textContent !== value) node.textContent = value;
}

function make(tag, className, content) {
	const node = document.createElement(tag);
	if (className) node.className = className;
	if (content !== undefined) node.append(content);
	return node;
}

function icon(name) {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
	svg.setAttribute("class", "icon");
	svg.setAttribute("aria-hidden", "true");
	use.setAttribute("href", `#i-${name}`);
	svg.append(use);
	return svg;
}

function shape(tag, attributes, content) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	if (content !== undefined) node.textContent = content;
	return node;
}

// Replaces children only when what they show is another: `print` is a string of it.
function fill(node, print, build) {
	if (node.dataset.print === print) return;
	node.dataset.print = print;
	node.replaceChildren(...build());
}

export function say(sentence) {
	$("said").textContent = sentence;
}

export function span(seconds) {
	const s = Math.max(0, Math.round(seconds));
	if (s < 90) return `${s} s`;
	if (s < 5400) return `${Math.round(s / 60)} min`;
	if (s < 172800) return `${Math.round(s / 3600)} h`;
	return `${Math.round(s / 86400)} d`;
}

const clock = (time) => new Date(time).toLocaleTimeString("en-GB");
const percent = (part) => `${(part * 100).toFixed(1)} %`;

// ---- header ----------------------------------------------------------------------------------

export function me(account) {
	text($("me"), `${account.display || account.account} · ${words.ROLES[account.role] ?? account.role}`);
}

function lamp(kind, words_) {
	const li = make("li", kind === "ok" ? "is-ok" : kind === "dead" ? "is-dead" : "is-warn");
	li.append(icon(kind === "ok" ? "ok" : kind === "dead" ? "dead" : "warn"), make("span", "", words_));
	return li;
}

function lamps(state) {
	const b = state.booth, sync = b?.sync, list = [];
	if (!state.alive) return [["dead", "console does not answer"]];
	if (!b?.link?.boothd) list.push(["dead", "booth program stopped"]);
	list.push([b?.link?.centre === "up" ? "ok" : "warn", words.CENTRE[b?.link?.centre] ?? "link unknown"]);
	if (sync) list.push([sync.queue.dead > 0 ? "warn" : "ok", `queue ${sync.queue.queued}`]);
	const m = b?.status?.manifest;
	if (m) list.push([m.id === "" || m.stale ? "warn" : "ok", m.id === "" ? "no manifest" : `manifest v${m.version}${m.stale ? ", out of date" : ""}`]);
	return list;
}

export function head(state) {
	const f = state.flight, b = state.booth, now = Date.now();
	text($("lane"), b?.booth ?? "");
	text($("sign-in-booth"), b?.booth ?? "");
	text($("flight-name"), f?.flight ? `flight ${f.flight}` : "no flight");
	text($("clock"), clock(now));
	const left = f?.departs ? (Date.parse(f.departs) - now) / 1000 : NaN;
	text($("departs"), Number.isFinite(left) ? (left > 0 ? `departs in ${span(left)}` : `departed ${span(-left)} ago`) : "");
	const list = lamps(state);
	fill($("lamps"), JSON.stringify(list), () => list.map(([kind, sentence]) => lamp(kind, sentence)));
	const others = state.officers.filter((one) => one.account !== state.me.account).map((one) => one.display || one.account);
	text($("people"), others.length > 0 ? `also here: ${others.join(", ")}` : "");
	banner(state);
}

function banner(state) {
	const b = state.booth, box = $("banner");
	let sentence = "", dead = false;
	if (!state.alive) [sentence, dead] = ["This page has lost the booth. Check documents by hand; it comes back by itself. If not within a minute, call the technician.", true];
	else if (b && !b.link?.boothd) [sentence, dead] = ["The booth program has stopped. Check documents by hand; it is started again by itself. If not within a minute, call the technician.", true];
	else if (b?.link?.centre === "down") sentence = `Working without the link: travellers are served as before, ${b.sync?.queue?.queued ?? 0} records wait here and will be sent.`;
	else if (b?.link?.centre === "refused") sentence = "The centre does not accept this booth's certificate. Travellers are served, records wait. Call the technician.";
	else if (b?.status?.manifest?.stale) sentence = "There is no valid manifest: everybody is sent to you. Check documents by hand.";
	text(box, sentence);
	box.classList.toggle("is-dead", dead);
	box.hidden = sentence === "";
}

// ---- the traveller shown ---------------------------------------------------------------------

function headline(one) {
	if (!one) return ["", "Nobody needs you", "", ""];
	const name = one.name || one.initials;
	if (!one.encounter) return ["live", words.LIVE_STATES[one.state] ?? "Somebody is here", "", ""];
	const [cause, next] = words.CAUSES[one.cause] ?? ["", ""];
	const decision = words.DECISIONS.find((row) => row.name === one.decision);
	if (decision) return ["decided", name ? `${name}: ${decision.done}` : decision.done[0].toUpperCase() + decision.done.slice(1), [`${words.REASONS[one.reason] ?? ""}, by ${one.by} at ${clock(one.byTime)}.`, cause].filter(Boolean).join(" The booth said: "), ""];
	if (one.verdict === "confirmed") return ["confirmed", `${name || "Traveller"} may go`, one.mode === "verify" ? "The face is the document's." : "The face is on the manifest.", ""];
	const called = one.name ? (one.candidate ? ` · most like ${one.name}` : ` · ${one.name}`) : "";
	return ["refer", `${one.cause === "opted_out" ? "Check document" : "Please check document"}${called}`, cause, next];
}

export function now(one, state) {
	const [kind, title, cause, next] = headline(one);
	$("now").dataset.kind = kind === "confirmed" || kind === "refer" ? kind : "";
	$("now").classList.toggle("attention", Boolean(one?.attention));
	fill($("now-title"), kind + title, () => (kind ? [icon(kind === "live" ? "live" : kind), document.createTextNode(title)] : [document.createTextNode(title)]));
	const held = one?.heldBy && one.heldBy !== state.me.account && !one.decision ? ` ${one.heldBy} is looking after this.` : "";
	text($("cause"), cause + (one?.nearTwin ? " Somebody on the manifest looks almost the same." : "") + held);
	text($("next"), next);
	tracks(state.tracks);
	$("evidence").hidden = !one?.encounter || one.cause === "opted_out" || (one.quality.length === 0 && (one.score ?? null) === null);
	if ($("evidence").hidden) return;
	score(one.score, one.threshold);
	quality(one.quality);
	liveness(one);
}

function tracks(list) {
	fill($("tracks"), JSON.stringify(list), () => list.map((t) => shape("rect", {
		x: t.x * 1600, y: t.y * 900, width: t.w * 1600, height: t.h * 900, rx: 20, class: t.served ? "served" : "" })));
}

// Cosine scores of faces lie between about −0.2 (strangers) and 1 (the same picture).
function score(value, threshold) {
	const svg = $("score"), at = (x) => 10 + Math.min(1, Math.max(0, (x + 0.2) / 1.2)) * 260;
	const compared = value !== null && value !== undefined;
	svg.setAttribute("aria-label", compared ? `score ${value.toFixed(3)}, needed ${threshold.toFixed(3)}` : "not compared");
	fill(svg, `${value} ${threshold}`, () => {
		if (!compared) return [shape("text", { x: 10, y: 32 }, "not compared")];
		const over = value >= threshold;
		return [
			shape("path", { d: "M10 30H270" }), shape("path", { d: `M${at(threshold)} 18v24`, "stroke-width": 3 }),
			shape("text", { x: at(threshold), y: 54, "text-anchor": at(threshold) > 220 ? "end" : "middle" }, `needed ${threshold.toFixed(3)}`),
			shape("circle", { cx: at(value), cy: 30, r: 8, class: over ? "fill" : "" }),
			shape("text", { x: at(value), y: 14, "text-anchor": at(value) > 250 ? "end" : at(value) < 40 ? "start" : "middle" }, value.toFixed(3)),
		];
	});
}

function quality(list) {
	fill($("quality"), JSON.stringify(list), () => list.map((part) => {
		const low = part.min > 0 && part.value < part.min;
		const li = make("li", low ? "low" : "");
		li.append(make("span", "", words.QUALITY[part.name] ?? part.name), make("span", "figures", `${part.value}${low ? " ▲" : ""}`));
		return li;
	}));
}

function liveness(one) {
	if (one.liveness === null || one.liveness === undefined) return text($("liveness"), "not measured");
	const against = one.livenessReasons.map((sign) => words.SIGNS[sign] ?? sign);
	text($("liveness"), `${one.liveness.toFixed(2)} of ${one.livenessThreshold.toFixed(2)} needed${against.length > 0 ? `. Against it: ${against.join(", ")}.` : ""}`);
}

// ---- deciding --------------------------------------------------------------------------------

export function actions(offered, deciding, begin, one, role) {
	const box = $("actions");
	box.hidden = Boolean(deciding) || offered.length === 0;
	fill(box, JSON.stringify([offered.map((d) => d.name), one?.attention]), () => offered.map((decision, index) => {
		const button = make("button", index === 0 && one.attention ? "main" : "");
		button.type = "button";
		button.dataset.decision = decision.name;
		button.append(make("kbd", "", decision.key), ` ${decision.text}${one.decision && role === "supervisor" ? " (as supervisor)" : ""}`);
		button.addEventListener("click", () => begin(decision));
		return button;
	}));
}

export function decide(decision, likely) {
	text($("decide-title"), decision.ask);
	text($("decide-do"), `${decision.text}`);
	$("decide-do").append(" ", make("kbd", "", "Enter"));
	const rows = decision.reasons.map((reason, index) => {
		const label = make("label"), input = make("input");
		Object.assign(input, { type: "radio", name: "reason", value: reason, checked: reason === likely });
		label.append(input, make("kbd", "", String(index + 1)), ` ${words.REASONS[reason]}`);
		return label;
	});
	$("reasons").replaceChildren($("reasons").querySelector("legend"), ...rows);
	$("decide").hidden = false;
}

// ---- the last travellers ---------------------------------------------------------------------

function row(one, chosen, pick) {
	const kind = one.decision ? "decided" : !one.encounter ? "live" : one.verdict === "confirmed" ? "confirmed" : "refer";
	const decision = words.DECISIONS.find((d) => d.name === one.decision);
	const what = [one.verdict === "refer" ? words.SHORT_CAUSES[one.cause] : "", decision ? `${decision.done} (${one.by})` : ""].filter(Boolean).join(" → ");
	const li = make("li", `k-${kind}${one.attention ? " attention" : ""}`);
	li.setAttribute("role", "option");
	li.setAttribute("aria-selected", String(chosen));
	li.append(icon(kind), make("time", "figures", clock(one.time)), make("span", "", one.initials || (one.encounter ? "nobody named" : "now")), make("span", "held", one.heldBy && !one.decision ? `with ${one.heldBy}` : one.attention ? "needs you" : ""));
	if (what || kind === "live") li.append(make("span", "what", what || (words.LIVE_STATES[one.state] ?? "")));
	li.addEventListener("click", () => pick(one));
	return li;
}

export function rows(list, chosen, keyOf, pick) {
	const print = JSON.stringify([chosen, list.map((one) => [keyOf(one), one.state, one.decision, one.by, one.heldBy, one.attention, one.initials, one.cause])]);
	fill($("rows"), print, () => list.map((one) => row(one, keyOf(one) === chosen, pick)));
	$("rows").querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
	text($("rows-empty"), list.length === 0 ? "Nobody here yet." : "");
}

// ---- flight and booth ------------------------------------------------------------------------

function facts(node, list) {
	fill(node, JSON.stringify(list), () => list.flatMap(([name, value, kind]) => {
		const dd = make("dd", kind ? `is-${kind}` : "", value);
		if (kind === "warn" || kind === "dead") dd.prepend("▲ ");
		return [make("dt", "", name), dd];
	}));
}

export function flight(f) {
	const gone = f ? f.confirmed + f.byOfficer : 0;
	facts($("numbers"), !f || f.expected === 0 ? [["No manifest", "–"]] : [
		["expected", String(f.expected)], ["confirmed by the booth", String(f.confirmed)], ["confirmed by an officer", String(f.byOfficer)],
		["waiting for an officer", String(f.referred), f.referred > 0 ? "warn" : ""], ["wanted no camera", String(f.optedOut)],
		["seen, may not go yet", String(f.seenNotLet), f.seenNotLet > 0 ? "warn" : ""], ["not seen yet", String(f.notSeen)],
	]);
	$("progress").setAttribute("aria-label", f ? `${gone} of ${f.expected} may go` : "no manifest");
	fill($("progress"), JSON.stringify([f?.expected, f?.confirmed, f?.byOfficer]), () => {
		const part = (n) => (f && f.expected > 0 ? Math.min(400, n / f.expected * 400) : 0);
		return [shape("rect", { class: "all", width: 400, height: 16, rx: 4 }), shape("rect", { class: "go", width: part(f?.confirmed ?? 0), height: 16 }),
			shape("rect", { class: "officer", x: part(f?.confirmed ?? 0), width: part(f?.byOfficer ?? 0), height: 16 })];
	});
	const rate = f?.captureRate;
	$("capture").className = f?.captureLow ? "is-warn" : "";
	text($("capture-text"), rate === null || rate === undefined ? "capture rate –" :
		`${f.captureLow ? "▲ " : ""}capture ${percent(rate)} of ${f.captureTried}${f.captureLow ? `: below ${percent(f.captureMin)}. Check light and lens.` : ""}`);
	spark(f?.history ?? []);
}

function spark(history) {
	const known = history.map((rate, index) => [rate, index]).filter(([rate]) => rate >= 0);
	$("spark").setAttribute("aria-label", known.length > 0 ? `capture rate of the last hour, lowest ${percent(Math.min(...known.map(([rate]) => rate)))}` : "no history yet");
	fill($("spark"), JSON.stringify(history), () => known.map(([rate, index]) => shape("rect", {
		x: index * 10 + 1, y: 27 - rate * 26, width: 7, height: Math.max(1, rate * 26), class: "fill", stroke: "none" })));
}

function cameraFact(camera) {
	if (!camera) return ["camera", "not known", "warn"];
	const fine = camera.state === "streaming" && camera.frameAgeMs >= 0 && camera.frameAgeMs < 2000;
	return ["camera", `${words.CAMERA[camera.state] ?? camera.state}${fine ? `, ${camera.framesPerSecond.toFixed(0)} a second` : ""}`, fine || camera.state === "resting" ? "" : "warn"];
}

export function booth(b, alive) {
	const s = b?.status, sync = b?.sync, now = Date.now();
	const age = (ms) => span((now - ms) / 1000);
	const list = [cameraFact(alive ? s?.camera : null)];
	list.push(["light", s?.light ?? "–"]);
	list.push(["centre", words.CENTRE[b?.link?.centre] ?? "–", b?.link?.centre === "up" ? "" : "warn"]);
	if (sync) {
		list.push(["records waiting", sync.queue.queued === 0 ? "none" : `${sync.queue.queued}, oldest ${age(sync.queue.oldestMs)}`]);
		const held = sync.manifests.find((m) => m.id === s?.manifest?.id);
		list.push(["manifest", held ? `${age(held.putMs)} old` : "none", held ? "" : "warn"]);
		const days = (sync.certificateEndMs - now) / 86400000;
		list.push(["certificate", sync.certificateEndMs === 0 ? "none" : `${Math.floor(days)} d left`, days < 7 ? "warn" : ""]);
	}
	if (b) list.push(["version", `${b.version}${b.slot ? ` · slot ${b.slot}` : ""}`]);
	if (s?.fault) list.push(["last fault", s.fault, "warn"]);
	if (b?.policyExpiresMs && b.policyExpiresMs < now) list.push(["policy", "expired", "warn"]);
	facts($("facts"), list);
	const stuck = sync && sync.queue.dead > 0 ? [`${sync.queue.dead} ${sync.queue.dead === 1 ? "record was" : "records were"} refused by the centre. Call the technician: boothctl queue list.`] : [];
	if (sync?.problem) stuck.push(sync.problem);
	fill($("stuck"), JSON.stringify(stuck), () => stuck.map((sentence) => make("li", "", sentence)));
	const off = s?.camera?.state === "resting";
	fill($("camera-off"), String(off), () => [document.createTextNode(off ? "Camera on " : "No camera "), make("kbd", "", "n")]);
}

// Nobody is signed in: no name, case or typed line stays in the page.
export function forget() {
	for (const id of ["now-title", "rows", "tracks", "score", "quality", "missing-rows", "numbers"]) {
		$(id).replaceChildren();
		delete $(id).dataset.print;
	}
	for (const id of ["cause", "next", "liveness", "missing-more", "said", "people"]) $(id).textContent = "";
	$("document-text").value = "";
}

// ---- dialogs ---------------------------------------------------------------------------------

export function missing(answer) {
	$("missing-rows").replaceChildren(...answer.travellers.map((one) => make("li", "", one.name || one.initials)));
	text($("missing-more"), answer.problem ?? (answer.total > answer.travellers.length ? `and ${answer.total - answer.travellers.length} more` : answer.total === 0 ? "Nobody: all have been here." : ""));
}

export function keys(list) {
	$("key-list").replaceChildren(...list.flatMap(([key, does]) => [make("dt", "", make("kbd", "", key)), make("dd", "", does)]));
}
