// SPDX-License-Identifier: Apache-2.0
//
// The traveller's page in every state, at three sizes, in English and Arabic; run by `world`.

import { readFileSync, writeFileSync } from "node:fs";
import { PATIENCE, TRAVELLER, accessible, browser, check, done, fits, must, open, shot, until, world, wrong } from "./kit.mjs";

const SIZES = { portrait: { width: 1080, height: 1920 }, landscape: { width: 1920, height: 1080 }, small: { width: 480, height: 800 } };
const LANGUAGES = ["en", "ar"];
const drawn = process.env.EGRESS_DRAWN, material = process.env.EGRESS_MATERIAL;

// Two people whom the camera's pictures lack: one too far away, one in the dark.
async function draw() {
	const page = await (await browser.newContext()).newPage();
	const picture = (path) => `data:image/jpeg;base64,${readFileSync(path).toString("base64")}`;
	const walker = picture(`${material}/walk/00030.jpg`), corridor = picture(`${material}/loop/800000.jpg`);
	for (const [name, scale, filter] of [["far", 0.3, "none"], ["dark", 1, "brightness(0.16)"]]) {
		for (let n = 0; n < 4; n++) {
			const jpeg = await page.evaluate(async ([back, front, by, how, shift]) => {
				const load = async (source) => { const img = new Image(); img.src = source; await img.decode(); return img; };
				const canvas = new OffscreenCanvas(1280, 720), c = canvas.getContext("2d");
				c.filter = how;
				c.drawImage(await load(back), 0, 0);
				c.drawImage(await load(front), 640 - 640 * by + shift, 360 - 360 * by, 1280 * by, 720 * by);
				const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 })).arrayBuffer());
				return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
			}, [corridor, walker, scale, filter, n]);
			writeFileSync(`${drawn}/${name}${n}.jpg`, Buffer.from(jpeg, "base64"));
		}
	}
	await page.context().close();
}

const isIn = (names) => names.includes(document.body.dataset.state);

// What somebody chose is forgotten when nobody is there for a while: chosen again, in whatever state.
async function speak(page, language) {
	for (let tries = 0; tries < 5; tries++) {
		if (await page.evaluate((tag) => document.documentElement.lang === tag && document.querySelector(`[data-tag=${tag}]`).hasAttribute("aria-current"), language)) return;
		await page.click("#open-languages");
		await page.click(`#language-list [data-tag=${language}]`, { timeout: 5000 * PATIENCE }).catch(() => {}); // an event closed the dialog
		await page.waitForTimeout(300);
	}
	wrong(`${language} cannot be chosen`);
}

// The state that the page is in, or comes to while we look, at every size.
async function look(page, language, name, states, also = () => true) {
	await speak(page, language);
	for (const [size, viewport] of Object.entries(SIZES)) {
		const called = `traveller-${name}-${language}-${size}`;
		for (let tries = 0; ; tries++) {
			await page.setViewportSize(viewport);
			if (!(await until(page, called, isIn, states, 60))) return;
			await page.evaluate(() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))));
			await fits(page, called);
			if (size !== "landscape") await accessible(page, called);
			await shot(page, called);
			if (await page.evaluate(isIn, states) || tries === 5) break; // it was it all the time
		}
		if (await page.evaluate(isIn, states)) check(await page.evaluate(also), `${called}: not what it should show`);
	}
}
const both = (name, states, also) => Promise.all(LANGUAGES.map((language, n) => look(pages[n], language, name, states, also)));
const all = (what, states, seconds) => Promise.all(pages.map((page) => until(page, what, isIn, states, seconds)));

await draw();
const pages = await Promise.all(LANGUAGES.map(() => open(TRAVELLER, { viewport: SIZES.portrait })));
await all("idle", ["idle"], 60);
await pages[0].evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime).then((ms) => console.log(`traveller's page: first paint after ${Math.round(ms)} ms`));
const bytes = await pages[0].evaluate(() => performance.getEntriesByType("resource").filter((one) => !/view\.mjpeg|events|say/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, performance.getEntriesByType("navigation")[0].encodedBodySize));
console.log(`traveller's page: ${Math.round(bytes / 1000)} kB`);
check(bytes < 300000, `the page has ${bytes} bytes`);

// Language by hand: it stays, from right to left, and is heard.
const heard = pages[1].waitForRequest(/\/say\/ar\/.*\.opus/);
await pages[1].click("#languages [data-tag=ar]");
await heard;
check(await pages[1].evaluate(() => document.documentElement.dir === "rtl" && document.documentElement.lang === "ar"), "Arabic does not go from right to left");
await pages[0].click("#languages [data-tag=en]");
await both("idle", ["idle"], () => document.querySelector("#notice").textContent.length > 20 && !document.querySelector("#picture").hasAttribute("src"));

// Dialogs, by keyboard: text size, time that warns.
const page = pages[0];
await page.setViewportSize(SIZES.small);
await page.focus("#open-easier");
await page.keyboard.press("Enter");
await fits(page, "traveller-easier-en-small");
await accessible(page, "traveller-easier-en-small");
await shot(page, "traveller-easier-en-small");
await page.focus("input[value=huge]");
await page.keyboard.press("Space");
await page.keyboard.press("Escape");
check(await page.evaluate(() => document.activeElement.id === "open-easier"), "the dialog does not give the focus back");
for (const [size, viewport] of Object.entries(SIZES)) {
	await page.setViewportSize(viewport);
	await fits(page, `traveller-idle-huge-${size}`);
	await shot(page, `traveller-idle-huge-${size}`);
}
await page.click("#open-easier");
await page.check("input[value=normal]");
await page.keyboard.press("Escape");
await page.click("#open-languages");
await fits(page, "traveller-languages-en-small");
await accessible(page, "traveller-languages-en-small");
await shot(page, "traveller-languages-en-small");
await page.keyboard.press("Escape");

// Somebody comes, too far away at first, then in the dark.
await must("play $work/drawn/far?.jpg");
await both("approach", ["approach", "capture"], () => document.querySelector("#picture").hasAttribute("src"));
await until(page, "the hint to come closer", () => document.body.dataset.hint === "closer", undefined, 60);
check(await page.evaluate(() => document.querySelector("#title").textContent === "Step a little closer"), "the hint is not in words");
await must("play $work/drawn/dark?.jpg");
await both("hint", ["approach", "capture", "deciding"]);
await must("play empty");
await all("idle after nobody stayed", ["idle", "officer"], 90);
await all("idle again", ["idle"], 90);

// On a busy machine pictures come late, and the same person may be somebody new, or be sent to the officer
// for poor pictures: then they come once more.
async function come(state) {
	for (let tries = 0; tries < 8; tries++) {
		await must("walker");
		await page.waitForFunction((names) => names.includes(document.body.dataset.state), ["go", "officer"], { timeout: 60000 * PATIENCE, polling: 50 }).catch(() => {});
		if (await page.evaluate(isIn, [state])) return;
		await must("play empty");
		await all("idle once more", ["idle"], 90);
	}
	wrong(`nobody comes to ${state}`);
}

// Confirmed, and a receipt that the centre knows.
for (const [size, viewport] of Object.entries(SIZES)) {
	await Promise.all(pages.map((one) => one.setViewportSize(viewport)));
	await Promise.all(pages.map((one, n) => speak(one, LANGUAGES[n])));
	await come("go");
	await Promise.all(pages.map(async (one, n) => {
		const called = `traveller-go-${LANGUAGES[n]}-${size}`;
		await shot(one, called);
		await fits(one, called);
		await accessible(one, called);
		check(await one.evaluate(() => document.body.dataset.state !== "go" || !document.querySelector("#picture").hasAttribute("src")), `${called}: the view is still there`);
	}));
	if (size !== "small") {
		await must("play empty");
		await all("idle before the next", ["idle"], 90);
	}
}
if (!await page.evaluate(isIn, ["go"])) await come("go");
await page.click("#ask-receipt");
const code = () => document.body.dataset.state === "go" && !document.querySelector("#receipt").hidden && document.querySelector("#code").complete && document.querySelector("#code").naturalWidth > 0;
await Promise.all(pages.map((one) => until(one, "the receipt", code, undefined, 30)));
await must("play empty"); // it stays for half a minute
const taken = [];
for (const [size, viewport] of Object.entries(SIZES)) {
	for (const [n, one] of pages.entries()) {
		await one.setViewportSize(viewport);
		taken.push(await shot(one, `traveller-receipt-${LANGUAGES[n]}-${size}`));
	}
}
check((await Promise.all(pages.map((one) => one.evaluate(code)))).every(Boolean), "the receipt was gone before half a minute was over");
await Promise.all(pages.map(async (one, n) => {
	await fits(one, `traveller-receipt-${LANGUAGES[n]}-small`);
	await accessible(one, `traveller-receipt-${LANGUAGES[n]}-small`);
}));
for (const path of taken) check(await world(`receipt ${path}`), `${path}: ZBar does not read the code, or centralctl does not verify it`);
await all("idle after the receipt", ["idle"], 90);

// Too alike to somebody else: to the officer.
await must("twins");
await must("wait_for 120 'the manifest with twins' status_has '.booth.manifest.withReference == 4'");
await come("officer");
await both("officer", ["officer"]);
check(!/keller|anna|berta|match|fail|denied/i.test(await page.evaluate(() => document.body.innerText)), "a name or a blame on the page");

// No camera, please: the view is gone for certain, and comes back when asked for.
await page.click("#no-camera");
await all("no camera", ["no_camera"], 30);
check(await world("status_has '.booth.camera.state == \"resting\"'"), "the page says that the camera is off, and it is not");
await must("play empty");
await both("no_camera", ["no_camera"], () => !document.querySelector("#picture").hasAttribute("src"));
await page.click("#no-camera");
await all("camera on again", ["idle", "approach", "capture", "deciding", "officer"], 60);
await all("idle with the camera on", ["idle"], 60);

// boothd is killed, and comes back.
await must("kill_boothd");
await all("out of service", ["out_of_service"], 30);
await both("out_of_service", ["out_of_service"]);
await must("boothd");
await all("in service again", ["idle"], 120);
await done();
