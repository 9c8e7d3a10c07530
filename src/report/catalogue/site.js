const search = document.getElementById("search");
if (search) {
  const rows = [...document.querySelectorAll("tr[data-search]")];
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const matches = words.every((word) => row.dataset.search.toLowerCase().includes(word));
      row.hidden = !matches;
      shown += matches ? 1 : 0;
    }
    document.getElementById("none").hidden = shown > 0;
  });
}
for (const button of document.querySelectorAll(".command button")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
