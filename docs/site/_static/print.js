// On paper the light colours hold, whatever those of the screen are.
const paper = matchMedia("print");
paper.addEventListener("change", () => {
  const page = document.documentElement;
  if (paper.matches) {
    page.dataset.onScreen = page.dataset.theme;
    page.dataset.theme = "light";
  } else {
    page.dataset.theme = page.dataset.onScreen;
  }
});
