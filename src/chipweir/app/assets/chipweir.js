/* What every page does without asking the server: the address, language and theme. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  chipweir: (function () {
    "use strict";
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
      keep: keep,
      set: set,
      same: function (value) { return value; },
      /* Another preset: a new address, which loads the page's content anew. */
      preset: function (preset) {
        var context = window.dash_clientside.callback_context, query = params();
        if (!context.triggered.length) { return window.dash_clientside.no_update; }
        var current = query.get("p") || "baseline";
        if (preset === current) { return window.dash_clientside.no_update; }
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

/* The page's title follows what it shows. */
(function () {
  "use strict";
  new MutationObserver(function () {
    var main = document.getElementById("main"), title = main && main.dataset.title;
    if (title && document.title !== title) { document.title = title; }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-title"] });
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
