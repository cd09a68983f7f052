// SPDX-License-Identifier: Apache-2.0
//
// The officer's page in every state, at two sizes, by keyboard alone; run by `world`.

import { OFFICER, PATIENCE, accessible, check, done, fits, must, open, shot, until, world, wrong } from "./kit.mjs";

const SIZES = { desk: { width: 1920, height: 1080 }, tablet: { width: 1280, height: 800 } };
const PINS = { anna: "482915", bert: "739104", sam: "604718", tech: "351862" };
// The state stands, or is said so: pictures of it at both sizes.
async function look(page, name) {
	for (const [size, viewport] of Object.entries(SIZES)) {
		await page.setViewportSize(viewport);
		await page.evaluate(() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))));
		await fits(page, `officer-${name}-${size}`);
		await shot(page, `officer-${name}-${size}`);
		await accessible(page, `officer-${name}-${size}`);
	}
	await page.setViewportSize(SIZES.desk);
}
const text = (page, selector) => page.evaluate((at) => document.querySelector(at).innerText, selector);
const says = (page, what, selector, pattern, seconds) => until(page, what, ([at, source]) => new RegExp(source, "i").test(document.querySelector(at)?.innerText ?? ""), [selector, pattern.source], seconds);

async function signIn(page, badge, pin = PINS[badge]) {
	await until(page, "the form", () => document.activeElement?.id === "badge");
	await page.keyboard.type(badge);
	await page.keyboard.press("Tab");
	await page.keyboard.type(pin);
	await page.keyboard.press("Enter");
	if (pin === PINS[badge]) await until(page, `sign-in of ${badge}`, () => document.body.dataset.view === "console");
}
const request = (page, path, body, headers = {}) => page.evaluate(async ([to, content, more]) => {
	const csrf = (await (await fetch("/session")).json()).csrf ?? "";
	const answer = await fetch(to, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF": csrf, ...more }, body: JSON.stringify(content) });
	return { status: answer.status, said: await answer.text() };
}, [path, body, headers]);

// ---- signing in ---------------------------------------------------------------------------------

const anna = await open(OFFICER, { viewport: SIZES.desk });
await until(anna, "the form", () => document.body.dataset.view === "sign-in");
const paint = await anna.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
const bytes = await anna.evaluate(() => performance.getEntriesByType("resource").reduce((sum, one) => sum + one.encodedBodySize, performance.getEntriesByType("navigation")[0].encodedBodySize));
console.log(`officer's page: ${Math.round(bytes / 1000)} kB, first paint after ${Math.round(paint)} ms`);
check(bytes < 300000, `the page has ${bytes} bytes`);
await look(anna, "sign-in");
await signIn(anna, "anna", "999999");
await says(anna, "the wrong PIN", "#sign-in-problem", /\w+/);
await look(anna, "wrong-pin");
await anna.fill("#badge", "");
await anna.focus("#badge");
await signIn(anna, "anna");
await says(anna, "nobody yet", "#now-title", /nobody needs you/);
await says(anna, "the flight", "#numbers", /expected/);
await says(anna, "the link", "#lamps", /link up/);
await until(anna, "the live view", () => document.querySelector("#live-picture").naturalWidth > 0);
await look(anna, "empty");
for (const [key, id] of [["?", "keys"], ["m", "missing"], ["d", "document"]]) {
	await anna.keyboard.press(key);
	await until(anna, `the dialog of key ${key}`, (dialog) => document.getElementById(dialog).open, id);
	await look(anna, id);
	if (id === "document") {
		await anna.keyboard.type("rubbish");
		await anna.focus("#document-form .main");
		await anna.keyboard.press("Enter");
		await says(anna, "no document", "#document-problem", /\w+/);
	}
	await anna.keyboard.press("Escape");
	check(await anna.evaluate((dialog) => !document.getElementById(dialog).open, id), `Esc does not close ${id}`);
}

// ---- somebody comes and may go ------------------------------------------------------------------

const live = until(anna, "somebody live", () => document.querySelector("#rows .k-live"), undefined, 120);
await must("walker");
await live;
await shot(anna, "officer-live-desk");
await until(anna, "a confirmation", () => document.querySelector("#rows .k-confirmed"), undefined, 120);
await must("play empty");
await until(anna, "that nobody is there", () => !document.querySelector("#rows .k-live"), undefined, 60);
await look(anna, "confirmed");

// ---- a referral with faces ----------------------------------------------------------------------

await must("twins");
await must("wait_for 120 'the manifest with twins' status_has '.booth.manifest.withReference == 4'");
const waiting = () => anna.evaluate(() => document.querySelectorAll("#rows .attention").length);
// Somebody comes and is sent to the officer, who has them before her: the newest in the list.
async function referral() {
	const alike = () => anna.evaluate(() => [...document.querySelectorAll("#rows .attention")].filter((row) => /several people/.test(row.innerText)).length);
	const before = await alike();
	await must("walker");
	await until(anna, "a referral", (n) => [...document.querySelectorAll("#rows .attention")].filter((row) => /several people/.test(row.innerText)).length > n, before, 120);
	await must("play empty");
	await until(anna, "that nobody is there", () => !document.querySelector("#rows .k-live"), undefined, 60);
	await anna.keyboard.press("ArrowUp");
	for (let n = 0; n < 50 && await anna.evaluate(() => document.querySelector("#rows li").ariaSelected !== "true"); n++) await anna.keyboard.press("ArrowUp");
	// On a busy machine the same person may have come once more since, too briefly for a picture.
	for (let n = 0; n < 50 && !await anna.evaluate(() => /several people/.test(document.querySelector("#rows .attention[aria-selected=true]")?.innerText)); n++) await anna.keyboard.press("ArrowDown");
}
// The decision of this key for the traveller shown, with the keyboard alone, back and again.
async function decide(key) {
	const before = await waiting();
	await anna.keyboard.press(key);
	if (!await until(anna, `the form of key ${key}`, () => !document.querySelector("#decide").hidden)) return;
	await anna.keyboard.press("Escape");
	check(await anna.evaluate(() => document.querySelector("#decide").hidden && document.activeElement.id === "now-title"), "Esc does not lead back");
	await anna.keyboard.press(key);
	await anna.keyboard.press("1");
	check(await anna.evaluate(() => document.querySelector("#reasons input").checked), "key 1 chooses no reason");
	await anna.keyboard.press("Enter");
	await until(anna, `decided by key ${key}`, (n) => document.querySelector("#decide").hidden && document.querySelectorAll("#rows .attention").length < n, before);
}
const facesShown = () => document.querySelector("#probe img")?.naturalWidth > 0 && document.querySelectorAll("#references img").length > 0;
await referral();
await until(anna, "the faces", facesShown);
await says(anna, "what to do", "#next", /document/);
check(await anna.evaluate(() => /needed/.test(document.querySelector("#score").getAttribute("aria-label"))), "the score is not beside what was needed");
check(await anna.evaluate(() => document.querySelectorAll("#quality li").length > 8), "few parts of quality");
await look(anna, "referral");

const raced = await anna.evaluate(() => performance.getEntriesByType("resource").map((one) => /cases\/([^/]*)\/probe/.exec(one.name)?.[1]).filter(Boolean).at(-1));

// Two officers and one decision, by keyboard: one wins, the other is told who.
const bert = await open(OFFICER, { viewport: SIZES.desk });
await signIn(bert, "bert");
const row = await anna.evaluate(() => [...document.querySelectorAll("#rows li")].findIndex((one) => one.ariaSelected === "true"));
for (let n = 0; n < 50 && await bert.evaluate((at) => document.querySelectorAll("#rows li")[at]?.ariaSelected !== "true", row); n++) await bert.keyboard.press("ArrowUp");
await until(bert, "the faces for the other officer", facesShown);
await says(anna, "who else is here", "#people", /Bert/);
await anna.keyboard.press("1");
await until(anna, "the form of a decision", () => !document.querySelector("#decide").hidden);
await look(anna, "decision");
await says(bert, "who looks after it", "#cause", /anna/);
await bert.keyboard.press("1");
await until(bert, "the form of the other's decision", () => !document.querySelector("#decide").hidden);
await Promise.all([anna.keyboard.press("Enter"), bert.keyboard.press("Enter")]);
const open_ = async (page) => page.evaluate(() => !document.querySelector("#decide").hidden && document.querySelector("#decide-problem").textContent !== "");
let loser = null;
for (let n = 0; n < 100 * PATIENCE && !loser; n++) {
	loser = await open_(anna) ? anna : await open_(bert) ? bert : null;
	await anna.waitForTimeout(100);
}
check(loser, "nobody lost the race");
if (loser) {
	check(new RegExp(loser === anna ? "bert" : "anna", "i").test(await text(loser, "#decide-problem")), `the loser is not told who won: ${await text(loser, "#decide-problem")}`);
	await look(loser, "race-lost");
	await loser.keyboard.press("Escape");
}
await until(anna, "decided", () => document.querySelector("#rows .k-decided"), undefined, 30);
await anna.keyboard.press("ArrowDown");
await anna.keyboard.press("ArrowUp");
await until(anna, "the decided case", () => document.querySelector("#rows [aria-selected=true]"), undefined, 30);
await look(anna, "decided");
check(await world(`ctl encounters list --open | tee -a $work/log/list | grep -q confirmed_by_document`) || await world("sleep 3; ctl encounters list --open | grep -q confirmed_by_document"), "the centre has no decision");

// Wrong person takes two.
await referral();
await anna.keyboard.press("5");
await until(anna, "the form", () => !document.querySelector("#decide").hidden);
await anna.keyboard.press("Enter");
await until(anna, "a second person is asked for", () => !document.querySelector("#second").hidden);
await look(anna, "second-person");
await anna.keyboard.type("anna");
await anna.keyboard.press("Tab");
await anna.keyboard.type(PINS.anna);
await anna.keyboard.press("Enter");
await says(anna, "not the same person twice", "#decide-problem", /other|second|two|same/);
await anna.fill("#second [name=badge]", "bert");
await anna.focus("#second [name=pin]");
await anna.keyboard.type(PINS.bert);
await anna.keyboard.press("Enter");
await until(anna, "decided by two", () => document.querySelector("#decide").hidden);

// Every other decision, by its key; what is offered at all depends on whether the traveller stands there.
for (const key of ["3", "4", "6"]) {
	if (await waiting() === 0) await referral();
	else await anna.keyboard.press("u");
	await decide(key);
}
await anna.keyboard.press("f");
check(await anna.evaluate(() => document.querySelector("#filter").value === "attention"), "key f does not change the filter");
await look(anna, "filtered");
for (let n = 0; n < 4; n++) await anna.keyboard.press("f");

// ---- who sees what ------------------------------------------------------------------------------

const tech = await open(OFFICER, { viewport: SIZES.desk });
await signIn(tech, "tech");
await until(tech, "the list for a technician", () => document.querySelectorAll("#rows li").length > 3);
check(!/keller|anna k|berta/i.test(await text(tech, "body")), "a technician reads a name");
check(await tech.evaluate(() => ![...document.querySelectorAll("img")].some((img) => img.hasAttribute("src"))), "a technician has a picture");
await look(tech, "technician");
await tech.context().close();

// ---- what a foreign page, or nobody, may do -----------------------------------------------------

check((await request(anna, "/no-camera", {}, { "X-CSRF": "0".repeat(32) })).status === 403, "a wrong token was taken");
const forged = await open(OFFICER, { extraHTTPHeaders: { Cookie: `__Host-egress=${"0".repeat(64)}` } });
check(await forged.evaluate(async () => (await fetch("/session")).status) === 401, "a forged cookie was taken");
await forged.context().close();
// From another origin the browser itself asks, with this browser's cookie.
const cross = await anna.context().newPage();
await cross.goto(process.env.EGRESS_TRAVELLER);
const answers = await cross.evaluate(async (to) => {
	const send = (how) => fetch(`${to}/no-camera`, { method: "POST", credentials: "include", body: "{}", ...how }).then((answer) => String(answer.status), (error) => error.name);
	return [await send({ mode: "no-cors" }), await send({ headers: { "Content-Type": "application/json", "X-CSRF": "0" } })];
}, OFFICER);
check(answers.every((answer) => answer === "TypeError" || answer === "0"), `another origin was answered: ${answers}`);
await cross.close();
check(await world("! status_has '.booth.camera.state == \"resting\"'"), "another origin switched the camera off");

// ---- a browser that stops reading ---------------------------------------------------------------

const session = await bert.context().newCDPSession(bert);
await session.send("Debugger.enable");
await session.send("Debugger.pause");
bert.evaluate(() => 1).catch(() => {}); // it runs into the pause
await referral();
await until(anna, "faces beside a page that stands still", facesShown);
await session.send("Debugger.resume").catch(() => {});
await session.detach();
await until(bert, "the page that stood still has the referral", () => document.querySelector("#rows .attention"), undefined, 60);
// The decided traveller's faces are gone by now, from the booth and from the page.
const gone = await bert.evaluate(async (path) => {
	for (let n = 0; n < 90; n++) {
		const answer = await fetch(path);
		if (answer.status === 410) return true;
		await new Promise((then) => setTimeout(then, 500));
	}
	return false;
}, `/cases/${raced}/probe.jpg`);
check(gone, "faces of somebody decided long ago can be had");
await bert.context().close();

// ---- no link, no boothd -------------------------------------------------------------------------

await must("cut_link");
await says(anna, "the link is down", "#banner", /without the link/, 60);
await look(anna, "link-down");
await must("mend_link");
await until(anna, "the link is back", () => document.querySelector("#banner").hidden, undefined, 60);
await must("kill_boothd");
await says(anna, "boothd is gone", "#banner", /booth program has stopped/, 30);
await look(anna, "booth-gone");
check(await anna.evaluate(() => document.querySelectorAll("#probe img, #references img").length === 0), "faces stay when boothd is gone");
await must("boothd");
await until(anna, "boothd is back", () => document.querySelector("#banner").hidden, undefined, 120);
await says(anna, "the case survived", "#rows", /needs you/, 60);
check(await anna.evaluate(() => document.querySelectorAll("#probe img, #references img").length === 0), "faces outlive boothd");

// ---- the camera off and on, and out -------------------------------------------------------------

await anna.keyboard.press("n");
await says(anna, "the camera rests", "#facts", /no camera, please/, 30);
await look(anna, "camera-off");
await anna.keyboard.press("n");
await says(anna, "the camera is on", "#facts", /pictures come/, 60);
await anna.focus("#sign-out");
await anna.keyboard.press("Enter");
await until(anna, "signed out", () => document.body.dataset.view === "sign-in");
check(await anna.evaluate(() => document.querySelectorAll("img[src]").length === 0 && !/keller/i.test(document.body.innerText + document.body.innerHTML)), "a name or face is left after sign-out");
await look(anna, "signed-out");
await done();
