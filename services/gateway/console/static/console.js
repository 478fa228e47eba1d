// What pages do beyond showing themselves; each of them can be read without it.
"use strict";

const ASK_EVERY_MS = 3000;
const REFRESH_EVERY_MS = 1000;

for (const each of document.querySelectorAll("[data-follow]")) follow(each);
for (const each of document.querySelectorAll("[data-refresh]")) refresh(each);
for (const each of document.querySelectorAll("[data-chart]")) draw(each);
for (const each of document.querySelectorAll("[data-keeps-key]")) keepKey(each);

// Requests that are answered now: told by the gateway, asked for where it has no more ears.
function follow(place) {
  const source = new EventSource(place.dataset.follow);
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    document.getElementById("live-count").textContent = told.count;
    update(place, told.live);
    const recent = document.querySelector("#recent-table tbody");
    if (told.recent && document.getElementById("none-yet")) location.reload();
    if (recent && told.recent !== null) updateRows(recent, rowsOf(told.recent));
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setInterval(() => poll(place), ASK_EVERY_MS);
  };
  addEventListener("pagehide", () => source.close());
}

async function poll(place) {
  const response = await fetch(place.dataset.poll).catch(() => null);
  if (response?.ok) update(place, await response.text());
}

// Puts new HTML in place; rows that stay keep their elements, and so the focus.
function update(place, html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  const [old, fresh] = [place.querySelector("tbody"), made.content.querySelector("tbody")];
  if (old && fresh) updateRows(old, [...fresh.rows]);
  else if (!place.contains(document.activeElement)) place.replaceChildren(made.content);
}

function rowsOf(html) {
  const made = document.createElement("template");
  made.innerHTML = `<table><tbody>${html}</tbody></table>`;
  return [...made.content.querySelector("tbody").rows];
}

function updateRows(body, rows) {
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const kept = rows.map((row) => merged(old.get(row.dataset.key), row));
  for (const row of [...body.rows]) if (!kept.includes(row)) row.remove();
  kept.forEach((row, nth) => {
    if (body.rows[nth] !== row) body.insertBefore(row, body.rows[nth] ?? null);
  });
}

function merged(old, row) {
  if (!old) return row;
  [...row.cells].forEach((cell, nth) => {
    const before = old.cells[nth];
    if (before.innerHTML !== cell.innerHTML && !before.contains(document.activeElement))
      before.innerHTML = cell.innerHTML;
  });
  return old;
}

// A request that is still at work: its page is asked for anew until it has ended.
function refresh(place) {
  setTimeout(async () => {
    const response = await fetch(location.href).catch(() => null);
    if (!response?.ok) return refresh(place);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(place.id);
    if (!fresh || place.contains(document.activeElement)) return refresh(place);
    place.replaceWith(fresh);
    if ("refresh" in fresh.dataset) refresh(fresh);
    for (const each of fresh.querySelectorAll("[data-keeps-key]")) keepKey(each);
  }, REFRESH_EVERY_MS);
}

// The key of the feedback form: typed once in a tab, and gone with it.
function keepKey(form) {
  const field = form.elements.key;
  field.value = sessionStorage.getItem("key") ?? "";
  form.addEventListener("submit", () => sessionStorage.setItem("key", field.value));
}

// Something over time: stretches as bars, columns stacked, in the colours of the page.
async function draw(place) {
  const response = await fetch(place.dataset.chart).catch(() => null);
  if (!response?.ok) return;
  const told = await response.json();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chart = null;
  const again = () => {
    chart?.destroy();
    place.replaceChildren();
    chart = new uPlot(looks(place, told), stacked(told), place);
  };
  dark.addEventListener("change", again);
  new ResizeObserver(() => chart?.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
  again();
}

// The first series is the sum of all, and the next ones are drawn over it.
function stacked(told) {
  const sums = told.begins_s.map(() => 0);
  const columns = told.columns.map((one) => one.map((each, nth) => (sums[nth] += each)));
  return [told.begins_s, ...columns.reverse()];
}

// Times of day, and the date where a day begins.
function times(_, ticks) {
  return ticks.map((each, nth) => {
    const stamp = new Date(each * 1e3).toISOString();
    const [date, time] = [stamp.slice(5, 10), stamp.slice(11, 16)];
    return nth === 0 || time === "00:00" ? `${date} ${time === "00:00" ? "" : time}` : time;
  });
}

function looks(place, told) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const bars = uPlot.paths.bars({ size: [0.7, 60], align: 1 });
  const axis = { stroke: color("ink-quiet"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
  const last = told.begins_s.at(-1) + told.every_s;
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1e3), "Etc/UTC"),
    scales: { x: { range: () => [told.begins_s[0], last] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [{ ...axis, values: times }, { ...axis, size: 76, values: (_, ticks) => ticks.map((each) => `${told.unit}${+each.toPrecision(3)}`) }],
    cursor: { y: false, points: { show: false } },
    series: [
      {},
      ...told.names.map((_, nth) => {
        const hue = color(`hue-${told.names.length - nth}`);
        return { label: told.names[told.names.length - 1 - nth], fill: hue, stroke: hue, width: 0, paths: bars, points: { show: false } };
      }),
    ],
  };
}
