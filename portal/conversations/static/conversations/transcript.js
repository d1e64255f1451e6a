// Marks the turn that is being heard.

document.addEventListener("player-time", ({ detail }) => {
  for (const turn of document.querySelectorAll("[data-turn-start]")) {
    const heard =
      detail.playing &&
      turn.dataset.turnAudio === detail.audio &&
      detail.time >= Number(turn.dataset.turnStart) &&
      detail.time < Number(turn.dataset.turnEnd);
    turn.classList.toggle("is-heard", heard);
  }
});
