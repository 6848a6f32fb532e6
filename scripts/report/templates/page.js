const page = JSON.parse(document.getElementById("charts").textContent);
// One after the other, so that the top of a long page is there at once.
(async () => {
  for (const [id, spec] of Object.entries(page.specs)) {
    await vegaEmbed(document.getElementById(id), spec, {
      actions: false,
      // Expressions are interpreted, so that the page may forbid eval.
      ast: true,
      config: page.config,
      formatLocale: page.locale,
      renderer: "svg",
    });
    await new Promise((resume) => setTimeout(resume));
  }
  document.documentElement.setAttribute("data-drawn", "yes");
})();
