"use strict";
// What all parts of the page share: elements, numbers, colours, the theme.
const page = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  // Text is only ever set as text: names and tags come from files and are not to be trusted.
  function make(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
      if (key === "on") for (const [name, f] of Object.entries(value)) node.addEventListener(name, f);
      else if (key === "class") node.className = value;
      else if (value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((c) => c !== null && c !== undefined));
    return node;
  }

  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const PLACES = new Map([...DIGITS].map((c, i) => [c, i]));

  // A series as an array with null where there is no value.
  function series(packed) {
    if (packed.f !== undefined) {
      const bytes = Uint8Array.from(atob(packed.f), (c) => c.charCodeAt(0));
      const view = new DataView(bytes.buffer);
      return Array.from({ length: bytes.length / 4 }, (_, i) => {
        const value = view.getFloat32(4 * i, true);
        return Number.isFinite(value) ? value : null;
      });
    }
    const found = new Array(packed.q.length / 2);
    for (let i = 0; i < found.length; i++) {
      const code = 64 * PLACES.get(packed.q[2 * i]) + PLACES.get(packed.q[2 * i + 1]);
      found[i] = code === 4095 ? null : packed.low + packed.step * code;
    }
    return found;
  }

  function frames(packed) {
    if (Array.isArray(packed)) return packed;
    return Array.from({ length: packed.count }, (_, i) => packed.first + packed.step * i);
  }

  function number(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toPrecision(4);
    return value.toFixed(size >= 10 ? 2 : 4);
  }

  // All rates of a page have units, or none has.
  const rates = data.ladders ? data.ladders.titles.flatMap((t) => t.curves.flatMap((c) => c.points.map((p) => p.rate))) : [];
  const plain = rates.every((r) => r < 1e5);

  function rate(value) {
    if (plain) return `${+value.toPrecision(5)}`;
    for (const [least, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (value >= least) return `${+(value / least).toPrecision(4)}${unit}`;
    }
    return `${+value.toPrecision(4)}`;
  }

  function clock(seconds, decimals = 2) {
    const sign = seconds < 0 ? "-" : "";
    const all = Number(Math.abs(seconds).toFixed(decimals));
    const hours = Math.floor(all / 3600);
    const minutes = Math.floor((all % 3600) / 60);
    const rest = (all % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
    return hours ? `${sign}${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${sign}${minutes}:${rest}`;
  }

  const root = document.documentElement;
  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = (i) => style(`--c${i % 8}`);
  const dash = (i) => [[], [8, 4], [2, 3]][Math.floor(i / 8) % 3];
  const swatch = (i) => make("span", { class: `swatch c${i % 8}`, "aria-hidden": "true" });
  const phone = () => window.matchMedia("(max-width: 640px)").matches;

  // The theme follows the system until the button is pressed; paper is always light.
  const listeners = [];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  function paint(theme) {
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    const button = byId("theme");
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${theme === "dark" ? "light" : "dark"} colours`);
    listeners.forEach((f) => f());
  }
  const current = () => chosen || (dark.matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    paint(current());
  });
  dark.addEventListener("change", () => paint(current()));
  window.addEventListener("beforeprint", () => paint("light"));
  window.addEventListener("afterprint", () => paint(current()));
  paint(current());

  // Buttons of which one is pressed.
  function choice(host, labels, chosenIndex, onChoice) {
    const buttons = labels.map((label, i) =>
      make("button", { type: "button", "aria-pressed": String(i === chosenIndex), on: { click: () => pick(i) } }, label));
    function pick(i) {
      buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(k === i)));
      onChoice(i);
    }
    host.append(make("span", { class: "group", role: "group" }, ...buttons));
    return { pick, buttons };
  }

  function select(host, label, options, onChange) {
    const node = make("select", { on: { change: () => onChange(node.selectedIndex) } },
      ...options.map((o) => make("option", {}, o)));
    host.append(make("label", {}, label, node));
    return node;
  }

  return { data, byId, make, series, frames, number, rate, clock, style, colour, dash, swatch, phone,
    choice, select, charts: [], onTheme: (f) => listeners.push(f) };
})();
