// The little that the pages do in the browser. Without it they work as well, in UTC and by the browser's own colours.
"use strict";

// Airflow keeps its switch for light and dark in this place; a change in its window is heard here as an event.
function followTheme() {
  let theme = null;
  try { theme = window.localStorage.getItem("theme"); } catch { /* storage is refused: the browser's colours stay */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const frame of document.querySelectorAll("iframe.document")) {
    try { frame.contentDocument.documentElement.dataset.theme = document.documentElement.dataset.theme ?? ""; } catch { /* not loaded yet */ }
  }
}

followTheme();
window.addEventListener("storage", (event) => { if (event.key === "theme" || event.key === null) followTheme(); });

// Times in the zone of whoever reads; the moment in UTC stays in the title.
function showLocalTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const element of document.querySelectorAll("time[datetime]")) {
    const when = new Date(element.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    element.title = element.textContent;
    element.textContent = format.format(when);
  }
}

// A link to the host leaves its frame, and one to another site opens beside the host: that site would refuse to be in a
// frame. The frame may not steer the window around it, but that window's own links may.
function followHostLinks(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const isFramed = window.parent !== window || link.ownerDocument !== document;
  const isElsewhere = link.origin !== window.location.origin;
  if (!isFramed || !(isElsewhere || "host" in link.dataset)) return;
  event.preventDefault();
  const outer = window.parent.document.createElement("a");
  outer.href = link.href;
  if (isElsewhere) Object.assign(outer, { target: "_blank", rel: "noreferrer" });
  window.parent.document.body.append(outer);
  outer.click();
  outer.remove();
}

// Empty fields stay out of the address, so that a link that is sent says only what was chosen.
function dropEmptyFields(event) {
  for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
  window.setTimeout(() => { for (const field of event.target.elements) field.disabled = false; });
}

// A table that is wider than its place is scrolled with the arrow keys, too, once it can have the focus.
function letWideTablesFocus() {
  for (const table of document.querySelectorAll(".table")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
  }
}

// A stored page has no script of its own: its colours and its links to other sites are seen to from here.
function showDocument(frame) {
  followTheme();
  try { frame.contentDocument.addEventListener("click", followHostLinks); } catch { /* it is of another site */ }
}

// What takes seconds is a link to a page of its own; its answer takes the place of the link once it is there.
async function loadAnswers() {
  for (const link of document.querySelectorAll("a[data-load]")) {
    const place = link.parentElement;
    place.setAttribute("aria-busy", "true");
    try {
      const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
      const answer = page.querySelector("[data-answer]");
      if (answer) place.replaceChildren(...answer.childNodes);
    } catch { /* the link stays */ }
    place.removeAttribute("aria-busy");
  }
}

// On a narrow screen the list comes first, and its facets are unfolded by whoever wants them.
function foldOnNarrowScreens() {
  if (!window.matchMedia("(max-width: 860px)").matches) return;
  for (const facets of document.querySelectorAll("details.facets")) facets.open = false;
}

document.addEventListener("DOMContentLoaded", () => {
  loadAnswers();
  showLocalTimes();
  letWideTablesFocus();
  window.addEventListener("resize", letWideTablesFocus);
  foldOnNarrowScreens();
  document.addEventListener("click", followHostLinks);
  for (const form of document.querySelectorAll("form.filters")) {
    form.addEventListener("submit", dropEmptyFields);
    for (const choice of form.querySelectorAll("select")) choice.addEventListener("change", () => form.requestSubmit());
  }
  for (const frame of document.querySelectorAll("iframe.document")) frame.addEventListener("load", () => showDocument(frame));
});
