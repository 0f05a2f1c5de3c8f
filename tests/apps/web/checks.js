// What every view of the page must keep to; each function returns what does not.
({
  // Whatever is seen or used has a name; an empty alt text says that a picture is an ornament.
  nameless() {
    const kinds = "img, canvas, video, iframe, input, select, button";
    const named = (e) => e.ariaLabel || e.title || e.textContent.trim() || e.labels?.length ||
      (e.localName === "img" && e.hasAttribute("alt"));
    return [...document.querySelectorAll(kinds)].filter((e) => e.offsetParent && !named(e)).map((e) => e.outerHTML);
  },

  // Text stands out from what is behind it as WCAG 2.1 AA asks: 4.5 to 1.
  pale() {
    const parts = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const behind = (e) => {
      const colour = e ? parts(getComputedStyle(e).backgroundColor) : [255, 255, 255];
      return colour.length === 3 ? colour : behind(e.parentElement);
    };
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const [e, text] = [walk.currentNode.parentElement, walk.currentNode.data.trim()];
      if (!text || !e.checkVisibility()) continue;
      const pair = [light(parts(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
      if ((pair[0] + 0.05) / (pair[1] + 0.05) < 4.5) found.push(text);
    }
    return found;
  },

  // Nothing makes the page scroll sideways.
  wide() {
    return Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth);
  },
})
