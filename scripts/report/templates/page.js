const page = JSON.parse(document.getElementById("charts").textContent);
Promise.all(
  Object.entries(page.specs).map(([id, spec]) =>
    vegaEmbed(document.getElementById(id), spec, {
      actions: false,
      // Expressions are interpreted, so that the page may forbid eval.
      ast: true,
      config: page.config,
      formatLocale: page.locale,
      renderer: "svg",
    }),
  ),
).then(() => document.documentElement.setAttribute("data-drawn", "yes"));
