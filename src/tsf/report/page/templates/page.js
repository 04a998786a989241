"use strict";
document.documentElement.classList.add("script");

// The switch of the language, kept for the next page where the browser lets a file keep it.
const chinese = document.getElementById("zh");
const follow = () => { document.documentElement.lang = chinese.checked ? "zh" : "en"; };
try { chinese.checked = localStorage.getItem("tsf-language") === "zh"; } catch { /* not kept */ }
follow();
chinese.addEventListener("change", () => {
  follow();
  try { localStorage.setItem("tsf-language", chinese.checked ? "zh" : "en"); } catch { /* not kept */ }
});

// A click on a column's head, or Enter, sorts the rows by it, as numbers where they are numbers.
const value = (row, column) => {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return /^[-+]?[\d.,]/.test(text) && !Number.isNaN(number) ? number : text;
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(value(a, column), value(b, column)) * (down ? -1 : 1));
      table.tBodies[0].append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}

// A search shows the rows that hold the text.
for (const input of document.querySelectorAll("input[type=search]")) {
  const table = document.querySelector(`table[data-name="${input.dataset.table}"]`);
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
}

// What is folded is printed all the same.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((folded) => { folded.open = true; });
});
