// The course's one player. A set of sounds stands in the page as <audio> elements, which work without this script. With
// it, all sounds of a set start together on one clock, and choosing another only moves gains: no gap, no jump.
(() => {
  const lab = (window.lassLab = window.lassLab || {});
  if (lab.enhance) return lab.enhance();
  if (!window.AudioContext) return;

  const FADE_S = 0.01;
  const LEAD_S = 0.03; // all sources are told when to start before that moment comes
  const STEP_S = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -5, ArrowUp: 5, Home: -Infinity, End: Infinity };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let context, sounding; // of the page: one set sounds at a time

  const make = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  class Player {
    constructor(box) {
      this.box = box;
      this.figures = [...box.querySelectorAll("figure")];
      this.audios = this.figures.map(figure => figure.querySelector("audio"));
      this.pictures = this.figures.map(figure => figure.querySelector("img")).filter(Boolean);
      this.names = this.audios.map(audio => audio.getAttribute("aria-label"));
      this.seconds = Number(box.dataset.seconds);
      this.at = 0; // where the playhead stands, or stood when it started
      this.build();
      this.choose(0);
      this.draw();
    }

    build() {
      this.button = make("button", { type: "button", class: "lass-play" }, "Play");
      this.button.onclick = () => this.toggle();
      this.choices = this.names.map((name, place) => {
        const choice = make("button", { type: "button" }, name);
        choice.onclick = () => this.choose(place);
        return choice;
      });
      this.time = make("span", { class: "lass-time", "aria-hidden": true });
      this.head = make("i", { class: "lass-head" });
      const range = { "aria-label": "position", "aria-valuemin": 0, "aria-valuemax": this.seconds };
      this.slider = make("div", { role: "slider", tabindex: 0, class: "lass-slider", ...range }, this.head);
      this.slider.onpointerdown = event => {
        this.slider.setPointerCapture(event.pointerId);
        this.drag(event);
      };
      this.slider.onpointermove = event => this.dragged !== undefined && this.drag(event);
      this.slider.onpointerup = this.slider.onpointercancel = () => {
        const chosen = this.dragged;
        this.dragged = undefined;
        this.seek(chosen);
      };
      this.slider.onfocus = () => this.tell();
      const tracks = make("span", { role: "group", "aria-label": "tracks", class: "lass-tracks" }, ...this.choices);
      const bar = make("div", { class: "lass-bar" }, this.button, tracks, this.time);
      const top = this.pictures.length ? `${this.box.dataset.khz} kHz` : "";
      const stage = make("div", { class: "lass-stage", "data-top": top }, ...this.pictures, this.slider);
      // JupyterLab has shortcuts of its own for these keys.
      this.face = make("div", { class: "lass-face", "data-lm-suppress-shortcuts": true }, bar, stage);
      this.face.onkeydown = event => this.press(event);
      this.figures.forEach(figure => (figure.hidden = true));
      this.box.setAttribute("role", "group");
      this.box.setAttribute("aria-label", `player: ${this.names.join(", ")}`);
      this.box.append(this.face);
    }

    press(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const place = this.choices.indexOf(event.target);
      if (event.key === " ") {
        // A button that has something to do does it by itself.
        if (event.target === this.button || (place >= 0 && place !== this.chosen)) return;
        this.toggle();
      } else if (this.choices[event.key - 1]) this.choose(event.key - 1);
      else if (event.key in STEP_S) this.seek(this.position() + STEP_S[event.key]);
      else return;
      event.preventDefault();
    }

    position() {
      return this.sources ? Math.min(this.at + Math.max(context.currentTime - this.started, 0), this.seconds) : this.at;
    }

    toggle() {
      this.sources || this.waiting ? this.pause() : this.play();
    }

    async play() {
      context = context || new AudioContext();
      context.resume();
      if (sounding && sounding !== this) {
        sounding.pause();
        sounding.buffers = undefined; // a page may hold many sets
      }
      sounding = this;
      this.waiting = true;
      this.label();
      try {
        this.buffers = this.buffers || (await Promise.all(this.audios.map(decode)));
      } catch {
        return this.giveUp();
      }
      if (!this.waiting) return; // paused meanwhile
      this.waiting = false;
      this.started = context.currentTime + LEAD_S;
      this.sources = this.buffers.map((buffer, place) => {
        const source = new AudioBufferSourceNode(context, { buffer });
        const gain = new GainNode(context, { gain: 0 });
        source.connect(gain).connect(context.destination);
        source.start(this.started, Math.min(this.at, buffer.duration));
        fade(gain, place === this.chosen, this.started);
        return { source, gain };
      });
      this.tick();
    }

    pause() {
      this.at = this.position();
      this.waiting = false;
      for (const { source, gain } of this.sources || []) {
        fade(gain, false, context.currentTime);
        source.stop(context.currentTime + FADE_S);
      }
      this.sources = undefined;
      this.label();
      this.draw();
    }

    seek(seconds) {
      const playing = this.sources;
      if (playing) this.pause();
      this.at = Math.min(Math.max(seconds, 0), this.seconds);
      this.draw();
      this.tell();
      if (playing) this.play();
    }

    choose(place) {
      this.chosen = place;
      this.choices.forEach((choice, other) => choice.setAttribute("aria-pressed", other === place));
      this.pictures.forEach((picture, other) => (picture.hidden = other !== place));
      (this.sources || []).forEach(({ gain }, other) => fade(gain, other === place, context.currentTime));
      this.tell();
    }

    drag(event) {
      const area = this.slider.getBoundingClientRect();
      this.dragged = Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1) * this.seconds;
      this.draw();
    }

    tick() {
      if (!this.sources) return;
      if (!this.box.isConnected) return this.pause(); // its output was replaced
      if (this.position() >= this.seconds) {
        this.pause();
        this.at = 0;
      }
      this.label();
      this.draw();
      if (document.activeElement !== this.slider) this.tell(); // a screen reader would read over the sound
      const again = () => this.tick();
      calm.matches ? setTimeout(again, 500) : requestAnimationFrame(again);
    }

    label() {
      const words = this.sources || this.waiting ? "Pause" : "Play";
      if (this.button.textContent !== words) this.button.textContent = words;
    }

    draw() {
      const at = this.dragged === undefined ? this.position() : this.dragged;
      this.head.style.left = `${(100 * at) / this.seconds}%`;
      this.time.textContent = `${at.toFixed(1)} / ${this.seconds.toFixed(1)} s`;
    }

    tell() {
      const at = this.position().toFixed(1);
      const words = `${at} of ${this.seconds.toFixed(1)} seconds, ${this.names[this.chosen]}`;
      this.slider.setAttribute("aria-valuenow", at);
      this.slider.setAttribute("aria-valuetext", words);
    }

    giveUp() {
      this.figures.forEach((figure, place) => {
        figure.hidden = false;
        if (!this.pictures.length) return;
        this.pictures[place].hidden = false;
        figure.append(this.pictures[place]);
      });
      this.face.remove();
    }
  }

  const decode = audio => {
    const bytes = Uint8Array.from(atob(audio.src.split(",")[1]), letter => letter.charCodeAt(0));
    return context.decodeAudioData(bytes.buffer);
  };

  const fade = ({ gain }, on, when) => {
    gain.cancelScheduledValues(when);
    gain.setTargetAtTime(on ? 1 : 0, when, FADE_S / 4);
  };

  const style = `
    .lass-player [hidden] { display: none !important; }
    .lass-face { flex: 1 1 100%; max-width: 44rem; min-width: 0; margin: 0.5rem 0; }
    .lass-bar, .lass-tracks { display: flex; flex-wrap: wrap; gap: 0.25rem; align-items: center; }
    .lass-bar { gap: 0.25rem 0.75rem; margin-bottom: 0.25rem; }
    .lass-face button { font: inherit; color: inherit; background: transparent; border: 1px solid; border-radius: 4px;
      padding: 0.15rem 0.6rem; cursor: pointer; max-width: 100%; overflow-wrap: anywhere; }
    .lass-face .lass-play { min-width: 5.2rem; font-weight: 600; }
    .lass-face button[aria-pressed="true"] { background: #0a4f96; border-color: #0a4f96; color: #fff; }
    .lass-face :focus-visible { outline: 3px solid #d55e00; outline-offset: 1px; }
    .lass-time { margin-left: auto; font-variant-numeric: tabular-nums; }
    .lass-stage { position: relative; min-height: 1.75rem; border: 1px solid; }
    .lass-stage img { display: block; filter: none !important; width: 100% !important; max-width: none !important; height: 9rem !important;
      margin: 0 !important; padding: 0 !important; }
    .lass-stage:not([data-top=""])::before { content: attr(data-top); position: absolute; padding: 0 0.25rem;
      font-size: 0.75rem; background: #000a; color: #fff; }
    .lass-slider { position: absolute; inset: 0; cursor: pointer; touch-action: pan-y; }
    .lass-head { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: #fff;
      box-shadow: 0 0 0 1px #000; pointer-events: none; }
    @media print { .lass-face { display: none; }
      .lass-player::after { content: attr(aria-label) "; in the page that this was printed from"; } }`;
  document.head.append(make("style", {}, style));

  lab.enhance = () => {
    for (const box of document.querySelectorAll(".lass-player:not([role])")) box.lassPlayer = new Player(box);
  };
  lab.enhance();
})();
