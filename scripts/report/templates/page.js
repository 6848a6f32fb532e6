const page = JSON.parse(document.getElementById("charts").textContent);
let hasMoved = false;
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  addEventListener(kind, () => { hasMoved = true; }, { passive: true });
}
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
  // Whoever followed a link to a section sees it, whatever was drawn above.
  const place = document.getElementById(location.hash.slice(1));
  if (place && !hasMoved) {
    place.scrollIntoView({ behavior: "instant" });
  }
})();
