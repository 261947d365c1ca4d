// Each verdict's button shows and hides its claims.
for (const button of document.querySelectorAll("#verdicts button"))
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    for (const article of document.querySelectorAll("article"))
      if (article.classList.contains(button.className)) article.hidden = !shown;
  });
document.body.dataset.ready = "yes";
