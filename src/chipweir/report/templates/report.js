(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var root = document.documentElement, button = document.getElementById("theme");
  var stored = null;
  try { stored = localStorage.getItem("chipweir-theme"); } catch (e) { /* storage is off for this file */ }
  var asked = new URLSearchParams(location.search).get("theme");
  var dark = (asked || stored || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  var drawn = {};

  function recolour(text) {
    if (!dark) { return text; }
    Object.keys(data.recolour).forEach(function (light) { text = text.split(light).join(data.recolour[light]); });
    return text;
  }
  function draw(node) {
    var name = node.dataset.figure, text = data.figures[name];
    if (!text) { return; }
    var spec = JSON.parse(recolour(text));
    spec.layout.template = data.templates[dark ? "dark" : "light"];
    spec.layout.autosize = true;
    spec.data.forEach(function (trace) {
      if (typeof trace.x === "string" && trace.x.charAt(0) === "@") { trace.x = data.shared[+trace.x.slice(1)]; }
    });
    var image = Object.assign({}, data.config.toImageButtonOptions, { filename: "chipweir-" + name });
    Plotly.react(node, spec.data, spec.layout, Object.assign({}, data.config, { locale: "en", toImageButtonOptions: image }));
    drawn[node.id] = true;
  }
  function apply() {
    root.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
    document.querySelectorAll(".plot").forEach(function (node) { if (drawn[node.id]) { draw(node); } });
  }
  var plots = document.querySelectorAll(".plot");
  apply();
  if ("IntersectionObserver" in window && asked !== "all" && !new URLSearchParams(location.search).has("draw")) {
    var watch = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) { if (entry.isIntersecting) { watch.unobserve(entry.target); draw(entry.target); } });
    }, { rootMargin: "600px" });
    plots.forEach(function (node) { watch.observe(node); });
  } else { plots.forEach(draw); }
  /* On paper charts are as wide as half an A4 page or all of it, light, and nothing is folded away. */
  var folded = [], wasDark = dark, printing = false;
  addEventListener("beforeprint", function () {
    if (printing) { return; }
    printing = true; wasDark = dark; dark = false;
    apply();
    folded = Array.prototype.filter.call(document.querySelectorAll("details"), function (each) { return !each.open; });
    folded.forEach(function (each) { each.open = true; });
    plots.forEach(function (node) {
      draw(node);
      var wide = node.parentElement.classList.contains("wide");
      Plotly.relayout(node, wide ? { autosize: false, width: 690 } : { autosize: false, width: 336, "xaxis.nticks": 4 });
    });
  });
  addEventListener("afterprint", function () {
    printing = false; dark = wasDark;
    folded.forEach(function (each) { each.open = false; });
    apply();
  });
  button.addEventListener("click", function () {
    dark = !dark;
    try { localStorage.setItem("chipweir-theme", dark ? "dark" : "light"); } catch (e) { /* storage is off for this file */ }
    apply();
  });
  document.querySelectorAll("[data-chooser]").forEach(function (box) {
    var scenario = box.querySelector("[data-part=scenario]"), year = box.querySelector("[data-part=year]"), shown = box.querySelector("output");
    function choose() {
      shown.textContent = year.value;
      var plot = box.parentElement.querySelector(".plot");
      plot.dataset.figure = "flows-" + scenario.value + "-" + year.value;
      draw(plot);
    }
    scenario.addEventListener("change", choose);
    year.addEventListener("input", choose);
  });
}());
