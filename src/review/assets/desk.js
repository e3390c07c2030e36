// Keys for those who want them; every page works without: j and k walk the list, Enter opens, r and b go to a decision, / to the search.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, button")) return;
  const rows = [...document.querySelectorAll("a.row")];
  const at = rows.indexOf(document.activeElement);
  const go = (element) => { if (element) { event.preventDefault(); element.focus(); } };
  switch (event.key) {
    case "j": return go(rows[Math.min(at + 1, rows.length - 1)]);
    case "k": return go(rows[Math.max(at - 1, 0)]);
    case "/": return go(document.querySelector("input[type=search]"));
    case "r": return go(document.querySelector("input[name=decision][value^='release:']"));
    case "b": return go(document.querySelector("input[name=decision][value^='return:']"));
  }
});
