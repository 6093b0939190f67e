/* What the page does without asking the server: the address follows the levers, and a lever can be set back. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  chipweir: (function () {
    "use strict";
    var timer = null;

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
        lawIds.forEach(function (id, i) { byLaw[id.name] = Boolean(laws[i]); });
        Array.from(query.keys()).forEach(function (key) { if (key.indexOf("s.") === 0) { query.delete(key); } });
        ids.map(function (id, i) { return [id.name, values[i]]; }).sort().forEach(function (pair) {
          var record = reference.levers[pair[0]], raw = pair[1];
          if (!record || raw === null || raw === undefined) { return; }
          var moved = changed(record, raw, byLaw[pair[0]]);
          if (moved) { query.set("s." + pair[0], written(valueOf(record, raw, byLaw[pair[0]]))); }
          var row = document.querySelector('[data-lever="' + pair[0] + '"]');
          if (row) { row.classList.toggle("changed", moved); }
        });
        set(query, "a", against, "baseline");
        set(query, "from", start, "2026-12");
        set(query, "y", String(year), "2030");
        set(query, "tab", tab, "compute");
        var text = query.toString();
        keep(text);
        return text;
      },
      /* The numbers beside the sliders. */
      numbers: function (values, laws, ids, lawIds, shownIds, reference) {
        if (!reference) { return window.dash_clientside.no_update; }
        var byLaw = {}, raw = {};
        lawIds.forEach(function (id, i) { byLaw[id.name] = Boolean(laws[i]); });
        ids.forEach(function (id, i) { raw[id.name] = values[i]; });
        return shownIds.map(function (id) {
          var record = reference.levers[id.name];
          return !record || byLaw[id.name] ? "" : shown(record, valueOf(record, raw[id.name], false), reference.lang);
        });
      },
      disabled: function (byLaw) { return Boolean(byLaw); },
      /* A lever back to its preset. */
      reset: function (clicks, reference) {
        var trigger = window.dash_clientside.callback_context.triggered_id;
        if (!trigger || !reference || !clicks.some(Boolean)) { return; }
        var record = reference.levers[trigger.name];
        var byLaw = record.value === "law";
        if (record.law) { window.dash_clientside.set_props({ type: "law", name: trigger.name }, { checked: byLaw }); }
        if (record.kind !== "number") {
          window.dash_clientside.set_props({ type: "lever", name: trigger.name }, { value: record.kind === "bool" && !byLaw ? String(record.value) : record.value });
        } else if (!byLaw) {
          window.dash_clientside.set_props({ type: "lever", name: trigger.name }, { value: record.stops.length ? record.position : record.value });
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
