// SPDX-License-Identifier: Apache-2.0
//
// For scripts that `world` runs: Chromium, and what is true of every page in every state. A script
// collects what is wrong with wrong(), and ends with done().

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.EGRESS_BROWSER}/node_modules/`);
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const TRAVELLER = process.env.EGRESS_TRAVELLER, OFFICER = process.env.EGRESS_OFFICER;
export const PATIENCE = Number(process.env.EGRESS_PATIENCE ?? 1);
const PICTURES = process.env.EGRESS_PICTURES;

let failures = 0;
export function wrong(sentence) {
	failures++;
	console.log(`FAILED: ${sentence}`);
}
export function check(is, sentence) {
	if (!is) wrong(sentence);
}

// ---- the world outside the browser ------------------------------------------------------------

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export async function world(request) {
	console.log(`@ ${request}`);
	return (await answers.next()).value === "yes";
}
export async function must(request) {
	check(await world(request), request);
}

// ---- the browser --------------------------------------------------------------------------------

export const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
});

// A page that tells of everything it should not do: errors, refusals of its own policy, other places.
// `expected`: texts of console errors that belong to the test.
export async function open(url, options = {}, expected = /status of (4\d\d|503)|ERR_/) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(20000 * PATIENCE);
	page.on("pageerror", (error) => wrong(`a mistake in ${url}: ${error.stack}`));
	page.on("console", (message) => {
		if (message.type() === "error" && !expected.test(message.text())) wrong(`${url} said: ${message.text()}`);
	});
	page.on("request", (request) => {
		const asked = new URL(request.url());
		if (asked.protocol.startsWith("http") && asked.origin !== new URL(url).origin) wrong(`${url} asked ${request.url()}`);
	});
	await page.goto(url);
	return page;
}

// Waits until the page's function is true; `what` is said when it never is.
export async function until(page, what, condition, argument, seconds = 30) {
	try {
		await page.waitForFunction(condition, argument, { timeout: seconds * 1000 * PATIENCE, polling: 100 });
		return true;
	} catch (error) {
		const now = await page.evaluate(() => JSON.stringify({ ...document.body.dataset, h1: [...document.querySelectorAll("h1")].map((h) => h.textContent) })).catch(() => "");
		wrong(`${what}: it never was so; the page is ${now} ${error.name === "TimeoutError" ? "" : error.message}`);
		await shot(page, `failed-${failures}`).catch(() => {});
		return false;
	}
}

export async function shot(page, name) {
	await page.screenshot({ path: `${PICTURES}/${name}.png`, animations: "disabled", timeout: 60000 * PATIENCE });
	return `${PICTURES}/${name}.png`;
}

const RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
export async function accessible(page, name) {
	if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axeSource);
	const found = await page.evaluate((tags) => axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }), RULES);
	for (const one of found.violations)
		wrong(`${name}: axe ${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary.split("\n").slice(1).join(";")}`).join(" | ").slice(0, 600)}`);
}

// Text and controls lie inside the window (or inside what scrolls), whole, and on nobody else.
export async function fits(page, name) {
	for (const sentence of await page.evaluate(misplaced)) wrong(`${name}: ${sentence}`);
}

function misplaced() {
	const said = [], leaves = [];
	const label = (node) => `<${node.tagName.toLowerCase()}${node.id ? ` id=${node.id}` : ""}> "${node.textContent.trim().slice(0, 30)}"`;
	const modal = document.querySelector("dialog[open]");
	const root = document.documentElement;
	if (root.scrollWidth > innerWidth + 1) said.push(`the page is ${root.scrollWidth} wide in a window of ${innerWidth}`);
	for (const node of (modal ?? document.body).querySelectorAll("*")) {
		if (node.closest(".sprites, svg") || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
		const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
		if (!own && !node.matches("button, input, select, textarea")) continue;
		const range = document.createRange();
		range.selectNodeContents(node);
		const box = own ? range.getBoundingClientRect() : node.getBoundingClientRect();
		if (box.width === 0 || box.height === 0) continue;
		let scrolls = null, hidden = false;
		for (let up = node; up && up !== document.body; up = up.parentElement) {
			const style = getComputedStyle(up), frame = up.getBoundingClientRect();
			if (/auto|scroll/.test(style.overflowY) && up.scrollHeight > up.clientHeight + 1) {
				scrolls = up;
				hidden = box.bottom > frame.bottom + 1 || box.top < frame.top - 1;
				break;
			}
			if (up.matches("button, .frame, section, main, header, footer, dialog") && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2)) {
				said.push(`${label(node)} sticks out of ${label(up).slice(0, 40)}: ${[box.left, box.top, box.right, box.bottom].map(Math.round)} of ${[frame.left, frame.top, frame.right, frame.bottom].map(Math.round)}`);
				break;
			}
		}
		const bound = scrolls?.getBoundingClientRect() ?? { left: 0, right: innerWidth, top: 0, bottom: innerHeight };
		if (box.left < bound.left - 1 || box.right > bound.right + 1) said.push(`${label(node)} is cut off at the side`);
		if (!scrolls && root.scrollHeight <= innerHeight + 1 && (box.top < -1 || box.bottom > innerHeight + 1)) said.push(`${label(node)} is cut off: ${Math.round(box.top)} to ${Math.round(box.bottom)} of ${innerHeight}`);
		if (own && !hidden) leaves.push([node, box]);
	}
	for (const [i, [node, a]] of leaves.entries())
		for (const [other, b] of leaves.slice(i + 1))
			if (!node.contains(other) && !other.contains(node) && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6)
				said.push(`${label(node)} lies on ${label(other)}`);
	return said;
}

export async function done() {
	await browser.close();
	console.log(failures === 0 ? "everything is as it should be" : `${failures} things are wrong`);
	process.exit(failures === 0 ? 0 : 1);
}
process.on("unhandledRejection", async (error) => {
	wrong(`${error.stack}`);
	await done();
});
process.on("uncaughtException", async (error) => {
	wrong(`${error.stack}`);
	await done();
});
