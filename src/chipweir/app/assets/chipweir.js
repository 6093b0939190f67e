/* What the page does without asking the server: the address follows the levers, and a lever can be set back. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  chipweir: (function () {
    "use strict";
    var known = null;

    function same(a, b) {
      return typeof a === "number" && typeof b === "number" ? Math.abs(a - b) < 1e-9 : a === b;
    }
    function valueOf(record, raw, byLaw) {
      if (byLaw) { return "law"; }
      if (record.kind === "choice" || raw === "law") { return raw; }
      var number = Number(raw);
      return record.stops.length ? record.stops[Math.round(number)] : number;
    }
    function changed(record, raw, byLaw) {
      if (byLaw || record.value === "law") { return valueOf(record, raw, byLaw) !== record.value; }
      if (record.stops.length) { return !same(Number(raw), record.position); }
      return !same(valueOf(record, raw, byLaw), record.value);
    }
    function written(value) { return typeof value === "number" ? String(Number(value.toPrecision(10))) : value; }
    function shown(record, value, lang) {
      if (typeof value !== "number") { return ""; }
      var options = record.format === "share"
        ? { style: "percent", maximumFractionDigits: 0 }
        : { notation: "compact", maximumSignificantDigits: 3 };
      return new Intl.NumberFormat(lang, options).format(value);
    }
    function params() { return new URLSearchParams(window.location.search); }
    function keep(query) {
      var address = window.location.pathname + (query ? "?" + query : "");
      if (address === window.location.pathname + window.location.search) { return; }
      window.history.pushState({}, "", address);
      document.querySelectorAll("nav a.nav-link").forEach(function (link) {
        link.href = link.pathname + (query ? "?" + query : "");
      });
    }
    function set(query, name, value, usual) {
      if (value === usual || value === null || value === undefined || value === "") { query.delete(name); } else { query.set(name, value); }
    }

    return {
      /* The controls as an address; the address bar follows, without loading anything. */
      view: function (values, laws, against, start, year, tab, ids, lawIds, reference) {
        if (!reference || !ids || !ids.length) { return window.dash_clientside.no_update; }
        var byLaw = {}, query = params();
        known = reference;
        lawIds.forEach(function (id, i) { byLaw[id.name] = Boolean(laws[i]); });
        Array.from(query.keys()).forEach(function (key) { if (key.indexOf("s.") === 0) { query.delete(key); } });
        ids.map(function (id, i) { return [id.name, values[i]]; }).sort().forEach(function (pair) {
          var record = reference.levers[pair[0]], raw = pair[1];
          if (!record || raw === null || raw === undefined) { return; }
          var moved = changed(record, raw, byLaw[pair[0]]);
          if (moved) { query.set("s." + pair[0], written(valueOf(record, raw, byLaw[pair[0]]))); }
          var row = document.querySelector('[data-lever="' + pair[0] + '"]');
          if (!row) { return; }
          row.classList.toggle("changed", moved);
          var number = row.querySelector(".lever-value");
          if (number) { number.textContent = byLaw[pair[0]] ? "" : shown(record, valueOf(record, raw, false), reference.lang); }
        });
        set(query, "a", against, "baseline");
        set(query, "from", start, "2026-12");
        set(query, "y", String(year), "2030");
        set(query, "tab", tab, "compute");
        var text = query.toString();
        keep(text);
        return text;
      },
      disabled: function (byLaw) { return Boolean(byLaw); },
      /* A lever back to its preset. */
      reset: function (name) {
        if (!known || !known.levers[name]) { return; }
        var record = known.levers[name];
        var byLaw = record.value === "law";
        if (record.law) { window.dash_clientside.set_props({ type: "law", name: name }, { checked: byLaw }); }
        if (record.kind !== "number") {
          window.dash_clientside.set_props({ type: "lever", name: name }, { value: record.kind === "bool" && !byLaw ? String(record.value) : record.value });
        } else if (!byLaw) {
          window.dash_clientside.set_props({ type: "lever", name: name }, { value: record.stops.length ? record.position : record.value });
        }
      },
      /* Another preset, or none of the changes: a new address, which loads the page's content anew. */
      preset: function (preset, resetAll) {
        var context = window.dash_clientside.callback_context, query = params();
        if (!context.triggered.length) { return window.dash_clientside.no_update; }
        var current = query.get("p") || "baseline";
        if (context.triggered_id === "preset" && preset === current) { return window.dash_clientside.no_update; }
        if (context.triggered_id === "reset-all" && !resetAll) { return window.dash_clientside.no_update; }
        Array.from(query.keys()).forEach(function (key) { if (key.indexOf("s.") === 0) { query.delete(key); } });
        set(query, "p", preset, "baseline");
        var text = query.toString();
        return text ? "?" + text : "?";
      },
      /* A question put on another page goes into the address. */
      question: function (query) {
        if (query !== null && query !== undefined) { keep(query); }
      },
      language: function (clicks, lang) {
        if (!clicks) { return window.dash_clientside.no_update; }
        var query = params();
        set(query, "lang", lang, "en");
        window.location.search = query.toString();
        return window.dash_clientside.no_update;
      },
      theme: function (clicks, theme) {
        if (!clicks) { return window.dash_clientside.no_update; }
        var query = params();
        query.set("theme", theme);
        try { window.localStorage.setItem("chipweir-theme", theme); } catch (e) { /* storage is off */ }
        window.location.search = query.toString();
        return window.dash_clientside.no_update;
      }
    };
  }())
});

/* The first visit takes the theme of the last one, or of the system. */
(function () {
  "use strict";
  var query = new URLSearchParams(window.location.search), theme = null;
  if (query.get("theme")) { return; }
  try { theme = window.localStorage.getItem("chipweir-theme"); } catch (e) { /* storage is off */ }
  theme = theme || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (theme === "dark") { query.set("theme", "dark"); window.history.replaceState({}, "", window.location.pathname + "?" + query.toString()); }
}());

/* The heads of the levers: title, what it is, back to the preset. Written here and not as Dash components, since every
   component on the page makes every move of a lever slower. */
(function () {
  "use strict";
  function made(tag, className, text) {
    var node = document.createElement(tag);
    node.className = className;
    if (text) { node.textContent = text; }
    return node;
  }
  function fill(head) {
    var words = JSON.parse(head.dataset.words);
    var title = words[0], help = made("details", "lever-help"), summary = made("summary", "", "?");
    summary.title = words[4];
    summary.setAttribute("aria-label", words[4] + " " + title);
    var body = made("div", "");
    body.append(made("p", "", words[1]), made("p", "", words[2]), made("code", "", words[3]));
    help.append(summary, body);
    var reset = made("button", "lever-reset", "↺");
    reset.type = "button";
    reset.title = words[5];
    reset.setAttribute("aria-label", words[5] + ": " + title);
    reset.addEventListener("click", function () { window.dash_clientside.chipweir.reset(words[3]); });
    head.append(made("span", "lever-title", title), help, reset);
  }
  new MutationObserver(function () { document.querySelectorAll(".lever-head:empty").forEach(fill); })
    .observe(document.documentElement, { childList: true, subtree: true });
}());

/* A file field is named by the text around it; Dash gives it no label of its own. */
(function () {
  "use strict";
  function name() {
    document.querySelectorAll("input[type=file]:not([aria-label])").forEach(function (field) {
      field.setAttribute("aria-label", (field.parentElement.textContent || "").trim() || "file");
    });
  }
  new MutationObserver(name).observe(document.documentElement, { childList: true, subtree: true });
}());
