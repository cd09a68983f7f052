// SPDX-License-Identifier: Apache-2.0
//
// The pictures of the traveller shown: fetched once, kept as object URLs, and gone from the page
// when boothd's time for them is over, when another traveller is shown, or when nobody is signed in.

const $ = (id) => document.getElementById(id);

export class Pictures {
	constructor(may) {
		this.may = may;
		this.encounter = null;
		this.urls = [];
		this.asked = 0;
	}

	show(one) {
		const there = one?.faces && one.encounter && this.may() && !(one.facesUntil && Date.parse(one.facesUntil) <= Date.now());
		if (!there) {
			if (this.encounter !== null || this.why(one) !== this.said) this.clear(one);
			return;
		}
		if (one.encounter === this.encounter) return;
		this.clear(one);
		this.encounter = one.encounter;
		this.load(one);
	}

	why(one) {
		if (!one) return "";
		if (!this.may()) return "Not for technicians";
		if (one.cause === "opted_out") return "No picture was taken";
		if (!one.encounter) return "Being taken";
		return one.faces ? "" : "Gone";
	}

	clear(one) {
		for (const url of this.urls) URL.revokeObjectURL(url);
		this.urls = [];
		this.encounter = null;
		this.asked++;
		this.said = this.why(one);
		$("probe").querySelector("img")?.remove();
		$("probe").querySelector(".blank").textContent = this.said;
		$("references").replaceChildren();
	}

	async load(one) {
		const asked = this.asked;
		const get = async (path) => {
			const answer = await fetch(path).catch(() => null);
			if (!answer?.ok || asked !== this.asked) return null;
			const blob = await answer.blob();
			if (asked !== this.asked) return null;
			const url = URL.createObjectURL(blob);
			this.urls.push(url);
			return url;
		};
		const answer = await fetch(`/cases/${one.encounter}/faces`).catch(() => null);
		const there = answer?.ok ? await answer.json() : { probe: false, references: [] };
		if (asked !== this.asked) return;
		const probe = there.probe ? await get(`/cases/${one.encounter}/probe.jpg`) : null;
		if (asked !== this.asked) return;
		if (probe) $("probe").querySelector(".frame").append(image(probe, "This traveller, as photographed"));
		else $("probe").querySelector(".blank").textContent = "No picture";
		for (let n = 0; n < Math.min(there.references.length, 2); n++) {
			const url = await get(`/cases/${one.encounter}/reference/${n}.jpg`);
			if (asked !== this.asked) return;
			if (url) $("references").append(figure(url, there.references[n], one));
		}
	}
}

function image(url, alt) {
	const img = document.createElement("img");
	img.src = url;
	img.alt = alt;
	return img;
}

function figure(url, reference, one) {
	const box = document.createElement("figure"), frame = document.createElement("div"), caption = document.createElement("figcaption");
	const words = [reference.source, reference.year || ""].filter(Boolean).join(" ");
	frame.className = "frame";
	frame.append(image(url, `Photo on the manifest, ${words}`));
	caption.textContent = `${one.candidate ? "Most similar" : "Manifest"} · ${words}`;
	box.append(frame, caption);
	return box;
}
