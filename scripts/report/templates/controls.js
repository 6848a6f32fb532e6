(() => {
  const { controls } = JSON.parse(document.getElementById("charts").textContent);
  const missing = "\u2013";

  // As the rest of the page writes numbers: see formats.py.
  const bare = (scale, value) => {
    if (value === null || !Number.isFinite(value)) {
      return missing;
    }
    const digits = (Math.abs(value) * scale.factor).toLocaleString("en-US", {
      minimumFractionDigits: scale.decimals,
      maximumFractionDigits: scale.decimals,
      roundingMode: "halfEven",
    });
    const sign = !/[1-9]/.test(digits) ? "" : value < 0 ? "\u2212" : scale.signed ? "+" : "";
    return sign + scale.prefix + digits;
  };
  const brief = (scale, value) => {
    const text = bare(scale, value);
    return text === missing ? text : text + scale.suffix;
  };
  const full = (scale, value) => {
    const text = brief(scale, value);
    return text === missing ? text : text + scale.words;
  };
  const percent = (value) => {
    if (value === null) {
      return missing;
    }
    const decimals = value > 0 ? Math.ceil(-Math.log10(100 * value)) : 1;
    return brief({
      factor: 100,
      decimals: Math.min(6, Math.max(1, decimals)),
      prefix: "",
      suffix: "\u00a0%",
    }, value);
  };

  // Share of outcomes below a value, on straight lines between quantiles.
  const below = (model, value) => {
    const known = [...model.grid, [1 - model.chance, model.threshold]]
      .sort((one, other) => one[1] - other[1] || one[0] - other[0]);
    if (value <= known[0][1]) {
      return value < known[0][1] ? 0 : known[0][0];
    }
    for (let i = 1; i < known.length; i += 1) {
      const [share, place] = known[i];
      if (value <= place) {
        const [before, start] = known[i - 1];
        return place === start ? share
          : before + (share - before) * (value - start) / (place - start);
      }
    }
    return 1;
  };

  const outcome = (model, factors) => {
    let factor = 1;
    for (const [name, power] of Object.entries(model.powers)) {
      factor *= power === 1 ? factors[name] : 1 / factors[name];
    }
    const [least, most] = model.bounds ?? [-Infinity, Infinity];
    const move = (value) => Math.min(most, Math.max(least, value * factor));
    let chance = model.chance;
    if (model.threshold !== null && factor !== 1) {
      chance = Number.isFinite(factor)
        ? 1 - below(model, model.threshold / factor) : null;
    }
    return {
      point: move(model.point),
      intervals: model.intervals.map(move),
      chance,
      breakEven: model.breakEven === null ? null : model.breakEven / factor,
    };
  };

  for (const place of document.querySelectorAll("[data-controls]")) {
    const { sliders, outputs } = controls[place.dataset.controls];
    const inputs = [...place.querySelectorAll("input")];
    const values = [...place.querySelectorAll("output")];
    const rows = [...place.querySelectorAll("tbody tr")];
    const reset = place.querySelector("button");
    const show = () => {
      const factors = {};
      sliders.forEach((slider, i) => {
        factors[slider.name] = inputs[i].valueAsNumber / 100;
        values[i].textContent = full(slider.scale, slider.stated * factors[slider.name]);
        inputs[i].setAttribute("aria-valuetext", values[i].textContent);
      });
      outputs.forEach((model, i) => {
        const found = outcome(model, factors);
        const { scale } = model;
        const [low80, high80, low95, high95] = found.intervals;
        const texts = [
          brief(scale, found.point),
          `${bare(scale, low80)} to ${brief(scale, high80)}`,
          `${bare(scale, low95)} to ${brief(scale, high95)}`,
          percent(found.chance),
          full(model.effectScale, found.breakEven),
        ];
        [...rows[i].cells].slice(2).forEach((cell, j) => {
          cell.textContent = texts[j];
        });
      });
      reset.disabled = inputs.every((input) => input.value === "100");
    };
    for (const input of inputs) {
      input.addEventListener("input", show);
    }
    reset.addEventListener("click", () => {
      for (const input of inputs) {
        input.value = "100";
      }
      show();
    });
    show();
  }
})();
