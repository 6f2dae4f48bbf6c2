"use strict";
// Line charts on uPlot that zoom together, with one cursor, for mouse, touch and keyboard.
const charts = (() => {
  const { make, style, phone } = page;

  // Charts that share their horizontal axis.
  function group(key) {
    const sync = key ? uPlot.sync(key) : null;
    const members = [];
    let range = null;
    const listeners = [];
    return {
      key, sync, members,
      get range() { return range; },
      onZoom: (f) => listeners.push(f),
      zoom(low, high) {
        range = low === null ? null : [low, high];
        members.forEach((m) => m.showRange());
        listeners.forEach((f) => f(range));
      },
    };
  }

  // Never so fine that noise looks like a signal.
  function limits(low, high) {
    if (low === null || high === null || low === undefined) return [0, 1];
    const least = high > 20 ? 2 : 0.02 * Math.max(Math.abs(low), Math.abs(high), 1e-3);
    const room = Math.max(high - low, least);
    const middle = (high + low) / 2;
    return [middle - 0.58 * room, middle + 0.58 * room];
  }

  // Places of labels on a logarithmic axis: 1, 2, 5 of each decade, or more of them where few fit.
  function decades(u, _, low, high) {
    const between = (digits) => {
      const found = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
        digits.forEach((d) => found.push(d * 10 ** power));
      }
      return found.filter((v) => v >= low && v <= high);
    };
    const room = Math.max(2, u.bbox.width / devicePixelRatio / (phone() ? 80 : 70));
    const choices = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9]].map(between);
    return choices.filter((ticks) => ticks.length <= room).pop() || choices[0];
  }

  // spec: x, series [{label, colour, dash, values, fill}], height, group, formatX, formatY, lines, cuts,
  // readout(index) and optional log, range, pad, draw, walk(step)
  function chart(host, label, spec) {
    const plot = make("div", { class: "plot", tabindex: "0", role: "group", "aria-label": label });
    const readout = make("div", { class: "readout" });
    const head = make("div", { class: "head" }, spec.title ? make("h3", {}, spec.title) : null, readout);
    const area = make("div", { class: "host" });
    plot.append(head, area);
    host.append(plot);
    const mine = spec.group || group(null);
    let u = null;
    const member = { plot, readout, get u() { return u; }, showRange, rebuild, update };
    mine.members.push(member);
    page.charts.push({ label, range: () => [u.scales.x.min, u.scales.x.max] });

    function full() {
      const x = spec.x;
      const first = x[0] - (spec.pad || 0), last = x[x.length - 1] + (spec.pad || 0);
      if (spec.log) return [first / 1.12, last * 1.12];
      return first === last ? [first - 1, first + 1] : [first, last];
    }
    function showRange() {
      const [low, high] = mine.range || full();
      if (u) u.setScale("x", { min: low, max: high });
    }
    function options() {
      const font = `${phone() ? 16 : 13}px system-ui, sans-serif`;
      const axis = { stroke: style("--soft"), font, ticks: { stroke: style("--line"), size: 5 }, gap: 6 };
      const grid = { stroke: style("--grid"), width: 1 };
      return {
        width: Math.max(160, area.clientWidth), height: spec.height, legend: { show: false },
        pxAlign: spec.log ? 0 : 1,
        cursor: {
          sync: mine.sync ? { key: mine.key, setSeries: false } : undefined,
          drag: { x: true, y: false, setScale: false }, points: { show: !spec.walk, size: 8, width: 2 },
          x: !spec.walk, y: false,
        },
        scales: {
          x: { time: false, distr: spec.log ? 3 : 1, range: (_, low, high) => [low, high] },
          y: { range: (_, low, high) => (spec.range ? spec.range(low, high) : limits(low, high)) },
        },
        axes: [
          { ...axis, grid: { show: false }, size: phone() ? 40 : 34, space: phone() ? 70 : 80,
            values: (_, ticks) => ticks.map(spec.formatX), incrs: spec.incrs,
            splits: spec.log ? decades : undefined, filter: spec.log ? (_, ticks) => ticks : undefined },
          { ...axis, grid, size: phone() ? 64 : 58, space: spec.height < 200 ? 26 : 40,
            values: (_, ticks) => ticks.map(spec.formatY || ((v) => `${+v.toPrecision(5)}`)) },
        ],
        series: [{}, ...spec.series.map((s) => ({
          label: s.label, stroke: s.colour(), width: s.width || 1.6, dash: s.dash, fill: s.fill && s.fill(),
          paths: s.paths, pxAlign: spec.log ? 0 : 1, points: s.points === undefined ? { size: 5 } : s.points,
        }))],
        hooks: {
          drawAxes: [(self) => drawCuts(self, spec.cuts ? spec.cuts() : [])],
          draw: [(self) => drawLines(self, spec.lines ? spec.lines() : []), ...(spec.draw ? [spec.draw] : [])],
          setCursor: [(self) => { if (spec.readout) spec.readout(readout, self.cursor.idx, self); }],
          setSelect: [(self) => {
            if (self.select.width < 4) return;
            const low = self.posToVal(self.select.left, "x");
            const high = self.posToVal(self.select.left + self.select.width, "x");
            self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            mine.zoom(low, high);
          }],
        },
      };
    }
    function rebuild() {
      if (u) u.destroy();
      u = new uPlot(options(), [spec.x, ...spec.series.map((s) => s.values)], area);
      u.over.addEventListener("dblclick", () => mine.zoom(null));
      wheel(u.over, by);
      touch(u.over, by);
      showRange();
      if (spec.readout) spec.readout(readout, null, u);
    }
    function update(changes) {
      Object.assign(spec, changes);
      rebuild();
    }
    // Zoom by a factor about a place from 0 to 1, or move by a share of the window.
    function by(factor, place = 0.5, move = 0) {
      const scale = (v) => (spec.log ? Math.log(v) : v);
      const back = (v) => (spec.log ? Math.exp(v) : v);
      const [least, most] = full().map(scale);
      const [low, high] = (mine.range || full()).map(scale);
      const width = Math.min((high - low) * factor, most - least);
      if (width >= most - least - 1e-9 && !move) return mine.zoom(null);
      let start = low + (high - low - width) * place + move * (high - low);
      start = Math.min(Math.max(start, least), most - width);
      mine.zoom(back(start), back(start + width));
    }
    plot.addEventListener("keydown", (event) => keys(event, u, spec, mine, by));
    const observer = new ResizeObserver(() => {
      if (u && area.clientWidth && area.clientWidth !== u.width) rebuild();
    });
    rebuild();
    observer.observe(area);
    page.onTheme(rebuild);
    member.by = by;
    return member;
  }

  function keys(event, u, spec, mine, by) {
    const idx = u.cursor.idx;
    const last = spec.x.length - 1;
    const [low, high] = [u.scales.x.min, u.scales.x.max];
    const step = event.shiftKey ? 10 : 1;
    const start = spec.x.findIndex((v) => v >= low);
    const to = (i) => {
      const at = Math.min(Math.max(i, 0), last);
      const value = spec.x[at];
      if (value < low || value > high) by(1, 0.5, value < low ? -0.5 : 0.5);
      const values = spec.series.map((s) => s.values[at]).filter((v) => v !== null && v !== undefined);
      const top = values.length ? u.valToPos(values[0], "y") : 10;
      u.setCursor({ left: u.valToPos(value, "x"), top }, true, true);
    };
    // charts of points are walked from point to point
    const go = (by) => {
      const [x, y] = spec.walk(by);
      u.setCursor({ left: u.valToPos(x, "x"), top: u.valToPos(y, "y") }, true, true);
    };
    if (spec.walk && ["ArrowRight", "ArrowLeft"].includes(event.key)) {
      event.preventDefault();
      return go(event.key === "ArrowRight" ? 1 : -1);
    }
    const actions = {
      ArrowRight: () => to(idx === null || idx === undefined ? start : idx + step),
      ArrowLeft: () => to(idx === null || idx === undefined ? start : idx - step),
      Home: () => to(0), End: () => to(last),
      "+": () => by(0.5), "=": () => by(0.5), "-": () => by(2), "_": () => by(2),
      "0": () => mine.zoom(null), Escape: () => mine.zoom(null),
      PageDown: () => by(1, 0.5, 0.5), PageUp: () => by(1, 0.5, -0.5),
    };
    if (actions[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      actions[event.key]();
    }
  }

  // A plain wheel scrolls the page; with Ctrl, or a pinch on a touchpad, it zooms.
  function wheel(over, by) {
    over.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      by(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX / over.clientWidth);
    }, { passive: false });
  }

  function touch(over, by) {
    let apart = null;
    const spread = (t) => Math.abs(t[0].clientX - t[1].clientX) + 1;
    over.addEventListener("touchstart", (e) => { apart = e.touches.length === 2 ? spread(e.touches) : null; }, { passive: true });
    over.addEventListener("touchmove", (e) => {
      if (apart === null || e.touches.length !== 2) return;
      e.preventDefault();
      const now = spread(e.touches);
      const box = over.getBoundingClientRect();
      by(apart / now, ((e.touches[0].clientX + e.touches[1].clientX) / 2 - box.left) / box.width);
      apart = now;
    }, { passive: false });
  }

  function drawCuts(u, cuts) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = style("--mark");
    ctx.globalAlpha = bbox.height / devicePixelRatio < 160 ? 0.45 : 0.9;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const cut of cuts) {
      const x = u.valToPos(cut, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  function drawLines(u, lines) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.lineWidth = 1.2 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { value, colour } of lines) {
      const y = u.valToPos(value, "y", true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
      ctx.strokeStyle = colour;
      ctx.globalAlpha = 0.75;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  // Buttons for those who have no mouse wheel.
  function zoomButtons(host, mine) {
    const first = () => mine.members[0];
    const button = (text, label, act) =>
      make("button", { type: "button", "aria-label": label, title: label, on: { click: act } }, text);
    const reset = button("Whole clip", "Show the whole clip", () => mine.zoom(null));
    const back = button("‹", "Earlier", () => first().by(1, 0.5, -0.5));
    const on = button("›", "Later", () => first().by(1, 0.5, 0.5));
    const show = (range) => [reset, back, on].forEach((b) => { b.disabled = range === null; });
    mine.onZoom(show);
    show(null);
    host.append(make("span", { class: "group" }, back, button("−", "Zoom out", () => first().by(2)),
      button("+", "Zoom in", () => first().by(0.5)), on), reset);
  }

  return { chart, group, limits, zoomButtons };
})();
