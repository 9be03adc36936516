"use strict";
// Slides are gone through with keys, or by a click on the left or the right of one; without scripts, they are scrolled.

const slides = [...document.querySelectorAll(".slide")];
const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1 };
const ENDS = { Home: 0, End: slides.length - 1 };

/** The slide that has most of the window. */
function current() {
  const away = (slide) => Math.abs(slide.getBoundingClientRect().top);
  return slides.reduce((best, slide, place) => (away(slide) < away(slides[best]) ? place : best), 0);
}

function go(place) {
  const slide = slides[Math.max(0, Math.min(place, slides.length - 1))];
  slide.scrollIntoView({ behavior: "instant" });
  history.replaceState(null, "", `#${slide.id}`);
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "f" && document.fullscreenEnabled) {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  }
  const place = event.key in STEPS ? current() + (event.shiftKey ? -1 : 1) * STEPS[event.key] : ENDS[event.key];
  if (place === undefined) return;
  event.preventDefault();
  go(place);
});

addEventListener("click", (event) => {
  if (getSelection().toString() || event.target.closest("a")) return;
  go(current() + (event.clientX < innerWidth / 4 ? -1 : 1));
});
