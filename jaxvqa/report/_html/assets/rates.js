"use strict";
// Rate-quality curves with hulls, Bjontegaard deltas and suggested ladders of one title.
(() => {
  const { data, byId, make, number, colour, swatch, style, phone } = page;
  const ladders = data.ladders;
  const host = byId("curves-rd");
  if (!ladders || !host) return;

  const encoders = [...new Set(ladders.titles.flatMap((t) => t.curves.map((c) => c.encoder)))];
  const place = (encoder) => encoders.indexOf(encoder);
  let title = ladders.titles[0];
  let near = null;

  const tools = make("div", { class: "tools" });
  host.append(tools);
  if (ladders.titles.length > 1) {
    page.select(tools, "Title", ladders.titles.map((t) => t.title || "all"), (i) => {
      title = ladders.titles[i];
      near = null;
      zoomed.zoom(null);
      redraw();
    });
  }
  const zoomed = charts.group(null);
  charts.zoomButtons(tools, zoomed);
  tools.querySelectorAll("button").forEach((b) => {
    if (b.textContent === "Whole clip") { b.textContent = "All rates"; b.title = "Show all rates"; b.setAttribute("aria-label", b.title); }
  });

  const points = () => title.curves.flatMap((c) => c.points.map((p, i) => ({
    ...p, encoder: c.encoder, hull: c.hull.includes(i), beaten: c.dominated[i] !== undefined,
    rung: c.rungs.indexOf(i) + 1, knee: c.knee === i,
  }))).sort((a, b) => a.rate - b.rate);

  // Hulls are straight in the rate, so they bend on a logarithmic axis.
  function hull(curve) {
    const x = [], y = [];
    curve.hull.map((i) => curve.points[i]).forEach((p, k, all) => {
      if (k) {
        const before = all[k - 1];
        for (let s = 1; s < 16; s++) {
          x.push(before.rate + ((p.rate - before.rate) * s) / 16);
          y.push(before.quality + ((p.quality - before.quality) * s) / 16);
        }
      }
      x.push(p.rate);
      y.push(p.quality);
    });
    return [x, y];
  }

  function content() {
    const own = title.curves.map(hull);
    // dominated points stretch the axes too
    const all = points();
    const joined = uPlot.join([...own, [[...new Set(all.map((p) => p.rate))], [...new Set(all.map((p) => p.rate))].map(() => null)]]);
    return {
      x: joined[0],
      series: title.curves.map((c, k) => ({
        label: c.encoder, values: joined[k + 1], colour: () => colour(place(c.encoder)), width: 2, points: { show: false },
      })),
    };
  }

  const spec = {
    ...content(), log: true, group: zoomed, height: phone() ? 340 : 420, formatX: (v) => (v === null ? "" : page.rate(v)),
    range: () => {
      const q = points().filter((p) => !zoomed.range || (p.rate >= zoomed.range[0] && p.rate <= zoomed.range[1])).map((p) => p.quality);
      return q.length ? charts.limits(Math.min(...q), Math.max(...q)) : [0, 1];
    },
    draw: marks,
    walk: (step) => {
      const all = points();
      const now = near ? all.findIndex((p) => p.name === near.name && p.encoder === near.encoder && p.rate === near.rate) : -1;
      const next = all[near ? Math.min(Math.max(now + step, 0), all.length - 1) : 0];
      return [next.rate, next.quality];
    },
    readout: (node, idx, u) => {
      near = idx === null || idx === undefined ? null : nearest(u);
      node.replaceChildren();
      if (!near) {
        node.append(make("span", {}, `${ladders.quality} over ${ladders.rate}, logarithmic · point at a mark to read it`));
        return;
      }
      const size = near.size ? `${near.size[0]}×${near.size[1]}` : null;
      const what = near.beaten ? "dominated" : near.hull ? "on the hull" : "below the hull";
      node.append(make("span", {}, swatch(place(near.encoder)), near.encoder), make("span", {}, near.name),
        make("span", {}, [size, what, near.rung ? `rung ${near.rung}` : null, near.knee ? "knee" : null].filter(Boolean).join(" · ")),
        make("span", {}, ladders.rate, make("b", {}, page.rate(near.rate))),
        make("span", {}, ladders.quality, make("b", {}, number(near.quality))));
      u.redraw(false);
    },
  };

  function nearest(u) {
    let best = null, least = Infinity;
    for (const p of points()) {
      const apart = Math.hypot(u.valToPos(p.rate, "x") - u.cursor.left, u.valToPos(p.quality, "y") - u.cursor.top);
      if (apart < least) { least = apart; best = p; }
    }
    return best;
  }

  function marks(u) {
    const { ctx, bbox } = u;
    const px = devicePixelRatio;
    ctx.save();
    for (const p of points()) {
      const x = u.valToPos(p.rate, "x", true), y = u.valToPos(p.quality, "y", true);
      if (x < bbox.left - 6 || x > bbox.left + bbox.width + 6) continue;
      const own = colour(place(p.encoder));
      ctx.strokeStyle = own;
      ctx.lineWidth = 1.6 * px;
      ctx.beginPath();
      if (p.beaten) {
        const r = 3.5 * px;
        ctx.globalAlpha = 0.55;
        ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r);
        ctx.moveTo(x - r, y + r); ctx.lineTo(x + r, y - r);
        ctx.stroke();
        ctx.globalAlpha = 1;
      } else {
        ctx.arc(x, y, 4 * px, 0, 2 * Math.PI);
        ctx.fillStyle = p.hull ? own : style("--paper");
        ctx.fill();
        ctx.stroke();
        if (p.rung) { ctx.beginPath(); ctx.arc(x, y, 7.5 * px, 0, 2 * Math.PI); ctx.stroke(); }
      }
      if (near && near.name === p.name && near.encoder === p.encoder && near.rate === p.rate) {
        ctx.strokeStyle = style("--ink");
        ctx.beginPath(); ctx.arc(x, y, 11 * px, 0, 2 * Math.PI); ctx.stroke();
      }
    }
    ctx.restore();
  }

  const member = charts.chart(host, `${ladders.quality} over ${ladders.rate}. Arrow keys move, plus and minus zoom, 0 shows all.`, spec);
  const key = make("ul", { class: "key" });
  host.append(key);
  const deltas = byId("deltas");
  const rungs = byId("rungs");

  function legend() {
    const dot = (cls, text) => make("li", {}, make("span", { class: `dot ${cls}` }), text);
    key.replaceChildren(
      ...title.curves.map((c) => make("li", {}, swatch(place(c.encoder)), c.encoder)),
      dot("full", "on the hull"), dot("", "not on the hull"),
      make("li", {}, make("span", { class: "cross" }, "×"), "dominated"), dot("ring", "suggested rung"));
  }

  function matrix() {
    deltas.replaceChildren();
    const sets = [[title.title || "all", title.deltas]];
    if (ladders.titles.length > 1) sets.push([`Mean over ${ladders.titles.length} titles`, ladders.means]);
    for (const [name, found] of sets) {
      if (!found.length) continue;
      const names = [...new Set(found.flatMap((d) => [d.anchor, d.test]))].sort((a, b) => place(a) - place(b));
      const head = make("tr", {}, make("th", { scope: "col" }, "anchor \\ test"), ...names.map((n) => make("th", { scope: "col", class: "n" }, n)));
      const body = names.map((anchor) => make("tr", {}, make("th", { scope: "row" }, swatch(place(anchor)), anchor),
        ...names.map((test) => {
          if (test === anchor) return make("td", { class: "self" }, "·");
          const d = found.find((f) => f.anchor === anchor && f.test === test);
          if (!d || d.bd_rate === null) return make("td", { class: "n", title: (d && d.problem) || "" }, "–");
          const text = `${d.bd_rate > 0 ? "+" : ""}${d.bd_rate.toFixed(2)} %`;
          const quality = d.bd_quality === null ? "" : `${d.bd_quality > 0 ? "+" : ""}${d.bd_quality.toFixed(2)} ${ladders.label}`;
          const verdict = ["better", "", "worse"][1 + Math.sign(d.bd_rate)];
          return make("td", { class: `n ${verdict}`, title: d.problem || `${Math.round(100 * d.quality_overlap)} % of the qualities overlap` },
            text, make("span", { class: "sub" }, quality));
        })));
      deltas.append(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, make("table", {}, make("caption", {}, name), make("thead", {}, head), make("tbody", {}, ...body))));
      found.filter((d) => d.bd_rate === null && place(d.anchor) < place(d.test)).forEach((d) => {
        deltas.append(make("p", { class: "hint" }, `${d.anchor}, ${d.test}: ${d.problem}`));
      });
    }
    if (!deltas.children.length) deltas.append(make("p", { class: "none" }, "One encoder only: there is nothing to compare it with."));
  }

  function suggested() {
    const cells = [];
    title.curves.forEach((c) => c.rungs.forEach((i, n) => {
      const p = c.points[i];
      cells.push(make("tr", {}, make("th", { scope: "row" }, n ? "" : swatch(place(c.encoder)), n ? "" : c.encoder), make("td", { class: "n" }, String(n + 1)),
        make("td", {}, p.size ? `${p.size[0]}×${p.size[1]}` : "–"), make("td", { class: "n" }, page.rate(p.rate)),
        make("td", { class: "n" }, p.quality.toFixed(2)), make("td", { class: "text", title: p.name }, p.name), make("td", {}, c.knee === i ? "knee" : "")));
    }));
    const names = ["encoder", "rung", "size", ladders.rate, ladders.quality, "encode", ""];
    const numeric = [1, 3, 4];
    rungs.replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Suggested ladder" }, make("table", {},
      make("thead", {}, make("tr", {}, ...names.map((n, i) => make("th", { scope: "col", class: numeric.includes(i) ? "n" : "" }, n)))),
      make("tbody", {}, ...cells))));
  }

  function redraw() {
    Object.assign(spec, content());
    member.update({});
    legend();
    matrix();
    suggested();
  }
  redraw();
})();
