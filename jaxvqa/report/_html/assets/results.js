"use strict";
// Curves, distribution and features of results over the frames of a clip.
(() => {
  const { data, byId, make, number, clock, colour, dash, swatch, phone, style } = page;
  if (data.kind !== "results") return;

  const results = data.results.map((r, i) => {
    const unpacked = new Map();
    return {
      ...r, index: i, numbers: page.frames(r.frames),
      values(name) {
        if (!r.series[name]) return null;
        if (!unpacked.has(name)) unpacked.set(name, page.series(r.series[name]));
        return unpacked.get(name);
      },
    };
  });
  // all results show one clip, so those that do not tell the rate have that of the others
  const known = [...new Set(results.map((r) => r.fps).filter((fps) => fps !== null))];
  const rate = known.length === 1 ? known[0] : null;
  const several = results.length > 1;
  const shown = results.map(() => true);
  const zoomed = charts.group("frames");
  let seconds = false;
  let score = 0;

  const toX = (frame) => (seconds ? frame / rate : frame);
  const formatX = (x) => (seconds ? clock(x, x % 1 ? 1 : 0) : `${x}`);
  const SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const FRAMES = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000, 100000];
  const incrs = () => (seconds ? SECONDS : FRAMES);

  // The series of one name on a common axis: those who lack a frame have undefined there, no gap.
  function aligned(name) {
    const having = results.filter((r) => r.values(name) && shown[r.index]);
    if (!having.length) return { x: [0], having };
    const tables = having.map((r) => [r.numbers.map(toX), r.values(name)]);
    const same = tables.every(([x]) => x.length === tables[0][0].length && x.every((v, k) => v === tables[0][0][k]));
    const joined = same ? [tables[0][0], ...tables.map((t) => t[1])] : uPlot.join(tables);
    return { x: joined[0], having, columns: joined.slice(1) };
  }

  function lines(name) {
    const { x, having, columns } = aligned(name);
    return { x, series: having.map((r, k) => ({
      label: r.name, values: columns[k], colour: () => colour(r.index), dash: dash(r.index), index: r.index,
      width: x.length > 1500 ? 1 : 1.6,
    })) };
  }

  function readout(spec) {
    return (node, idx, u) => {
      node.replaceChildren();
      if (idx === null || idx === undefined || u.data[0][idx] === undefined) {
        node.append(make("span", {}, spec.rest ? spec.rest() : ""));
        return;
      }
      const x = u.data[0][idx];
      const frame = seconds ? Math.round(x * rate) : x;
      if (spec.frame !== false) {
        node.append(make("span", {}, "frame", make("b", {}, String(frame)),
          rate ? ` \u00a0${clock(frame / rate)}` : ""));
      }
      spec.series.forEach((s, k) => node.append(make("span", {}, several ? page.swatch(s.index) : null,
        several && !phone() && spec.names !== false ? s.label : null, make("b", {}, number(u.data[k + 1][idx])))));
    };
  }

  // Scores over time
  const host = byId("curves");
  if (host) {
    const tools = make("div", { class: "tools" });
    host.append(tools);
    if (data.scores.length > 1) {
      page.select(tools, "Score", data.scores, (i) => { score = i; redraw(); });
    }
    const units = page.choice(tools, ["Frames", "Seconds"], 0, (i) => inUnit(i === 1));
    if (!rate) {
      units.buttons[1].disabled = true;
      units.buttons[1].title = known.length ? "The results have no common frame rate" : "The frame rate is not told";
    }
    charts.zoomButtons(tools, zoomed);
    const spec = { ...lines(data.scores[score]), height: phone() ? 280 : 340, group: zoomed, formatX, incrs: incrs(),
      cuts, lines: lows, rest: () => `${data.scores[score]} · point at the curve to read it` };
    spec.readout = readout(spec);
    var main = charts.chart(host, "Scores over the frames. Arrow keys move along the curve, plus and minus zoom, 0 shows the whole clip.", spec);
    var mainSpec = spec;
    host.append(key());
    host.append(make("p", { class: "hint" },
      "Drag to zoom, double-click for the whole clip. With the keyboard: arrows move, + and − zoom, 0 resets."));
  }

  function key() {
    const list = make("ul", { class: "key" });
    if (several) {
      results.forEach((r) => {
        const item = make("label", {}, make("input", { type: "checkbox", checked: "", on: {
          change: (e) => { shown[r.index] = e.target.checked; redraw(); } } }), " ", swatch(r.index), r.name);
        list.append(make("li", { class: "boxes" }, item));
      });
    }
    if (results.some((r) => Object.values(r.low).some((x) => x !== null))) {
      list.append(make("li", {}, make("span", { class: "dash" }), "p5: one frame in twenty is lower"));
    }
    if (results.some((r) => r.cuts.length)) list.append(make("li", {}, make("span", { class: "cut" }), "scene cut"));
    return list;
  }

  function cuts() {
    const found = new Set();
    results.forEach((r) => { if (shown[r.index]) r.cuts.forEach((frame) => found.add(frame)); });
    return [...found].map(toX);
  }

  function lows() {
    return results.filter((r) => shown[r.index]).map((r) => ({
      value: r.low[data.scores[score]], colour: several ? colour(r.index) : style("--mark"),
    })).filter((l) => l.value !== null && l.value !== undefined);
  }

  // Distribution of the chosen score
  const spread = byId("spread");
  let bars = null, sums = null, barSpec = null, sumSpec = null;

  function histogram(name) {
    const having = results.filter((r) => r.values(name) && shown[r.index]);
    const all = having.map((r) => r.values(name).filter((v) => v !== null));
    // Rice's rule
    const most = Math.max(1, ...all.map((values) => values.length));
    const BINS = Math.min(48, Math.max(6, Math.ceil(2 * Math.cbrt(most))));
    let low = Infinity, high = -Infinity;
    all.forEach((values) => values.forEach((v) => { low = Math.min(low, v); high = Math.max(high, v); }));
    if (!(low <= high)) { low = 0; high = 1; }
    const room = Math.max(high - low, high > 20 ? 1 : 0.01 * Math.max(Math.abs(high), 1e-3));
    const middle = (low + high) / 2;
    const start = middle - room / 2, width = room / BINS;
    const x = Array.from({ length: BINS }, (_, i) => start + (i + 0.5) * width);
    const columns = all.map((values) => {
      const counts = new Array(BINS).fill(0);
      values.forEach((v) => { counts[Math.min(BINS - 1, Math.max(0, Math.floor((v - start) / width)))] += 1; });
      return counts.map((c) => (values.length ? (100 * c) / values.length : null));
    });
    const edges = Array.from({ length: 201 }, (_, i) => start + (room * i) / 200);
    const below = all.map((values) => {
      const sorted = Float64Array.from(values).sort();
      let k = 0;
      return edges.map((edge) => {
        while (k < sorted.length && sorted[k] <= edge + 1e-9) k += 1;
        return sorted.length ? (100 * k) / sorted.length : null;
      });
    });
    const line = (values) => (r, k) => ({
      label: r.name, values: values[k], colour: () => colour(r.index), dash: dash(r.index), index: r.index, points: { show: false },
    });
    return { x, edges, width, shares: having.map(line(columns)), below: having.map(line(below)) };
  }

  function distribution(first) {
    const name = data.scores[score];
    const { x, edges, width, shares, below } = histogram(name);
    if (!several) {
      Object.assign(shares[0] || {}, { paths: uPlot.paths.bars({ size: [0.92] }), fill: () => colour(0) + "66" });
    } else {
      shares.forEach((s) => { s.paths = uPlot.paths.stepped({ align: 0 }); });
    }
    const percent = (v) => `${+v.toPrecision(4)} %`;
    const formatScore = (v) => `${+v.toPrecision(5)}`;
    const tell = (what) => (node, idx, u) => {
      node.replaceChildren();
      if (idx === null || idx === undefined) { node.append(make("span", {}, what(null))); return; }
      node.append(make("span", {}, what(u.data[0][idx])));
      u.data.slice(1).forEach((values, k) => node.append(make("span", {}, several ? swatch(shares[k].index) : null,
        make("b", {}, values[idx] === null ? "–" : `${values[idx].toFixed(1)} %`))));
    };
    const common = { height: phone() ? 240 : 260, formatX: formatScore, formatY: percent, cuts: null, lines: null };
    const own = { ...common, x, series: shares, pad: width / 2, title: "Frames per score", range: (_, high) => [0, Math.max(high * 1.08, 1)],
      readout: tell((v) => (v === null ? "share of the frames" : `near ${number(v)}`)) };
    const sum = { ...common, x: edges, series: below, title: "Frames at or below a score", range: () => [0, 102],
      readout: tell((v) => (v === null ? "share of the frames" : `${number(v)} or less`)) };
    if (first) {
      barSpec = own;
      sumSpec = sum;
      bars = charts.chart(spread, "Histogram of the score", barSpec);
      sums = charts.chart(spread, "Share of frames at or below each score", sumSpec);
    } else {
      bars.update(own);
      sums.update(sum);
    }
  }

  // Features, one chart each, on the cursor of the scores
  const features = [];
  const small = byId("features-charts");
  if (small) {
    data.features.forEach((name) => {
      const spec = { ...lines(name), title: name, height: 150, group: zoomed, formatX, incrs: incrs(), cuts, names: false,
        rest: () => "" };
      spec.readout = readout(spec);
      features.push({ name, spec, member: charts.chart(small, `${name} over the frames`, spec) });
    });
  }

  function redraw() {
    if (main) {
      Object.assign(mainSpec, lines(data.scores[score]), { incrs: incrs() });
      main.update({});
    }
    features.forEach(({ name, spec, member }) => {
      Object.assign(spec, lines(name), { incrs: incrs() });
      member.update({});
    });
    if (spread) distribution(false);
  }

  function inUnit(wanted) {
    if (wanted === seconds) return;
    const range = zoomed.range;
    const factor = wanted ? 1 / rate : rate;
    seconds = wanted;
    redraw();
    if (range) zoomed.zoom(range[0] * factor, range[1] * factor);
  }

  if (spread) distribution(true);

  // Worst moments
  document.querySelectorAll(".swap").forEach((button) => {
    const trio = button.closest(".trio");
    const own = button.dataset.side;
    const other = trio.querySelector(`img[data-side="${own === "ref" ? "dis" : "ref"}"]`);
    const over = make("img", { class: "over", src: other.src, alt: "" });
    button.append(over, make("span", { class: "tag", "aria-hidden": "true" }, own === "ref" ? "distorted" : "reference"));
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    });
  });
  document.querySelectorAll("button[data-frame]").forEach((button) => {
    button.addEventListener("click", () => {
      const frame = Number(button.dataset.frame);
      const around = rate ? 2 * rate : 48;
      const numbers = results[Number(button.dataset.result)].numbers;
      const low = Math.max(numbers[0], frame - around), high = Math.min(numbers[numbers.length - 1], frame + around);
      if (low < high) zoomed.zoom(toX(low), toX(high));
      main.plot.scrollIntoView({ block: "center" });
      main.plot.focus({ preventScroll: true });
      const at = main.u.valToPos(toX(frame), "x");
      main.u.setCursor({ left: at, top: 10 }, true, true);
    });
  });
  const tabs = byId("moment-tabs");
  if (tabs) {
    const panels = [...document.querySelectorAll(".tabpanel")];
    page.select(tabs, "Result", panels.map((p) => p.dataset.name), (i) => {
      panels.forEach((p, k) => { p.hidden = k !== i; });
    });
  }
})();
