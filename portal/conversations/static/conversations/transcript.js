// Marks the turn that is being heard.

const turns = [...document.querySelectorAll("[data-turn-start]")];

document.addEventListener("player-time", ({ detail }) => {
  for (const turn of turns) {
    const heard =
      detail.playing &&
      turn.dataset.turnAudio === detail.audio &&
      detail.time >= Number(turn.dataset.turnStart) &&
      detail.time < Number(turn.dataset.turnEnd);
    turn.classList.toggle("is-heard", heard);
  }
});
