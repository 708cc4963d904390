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

  const between = (value, low, high) => Math.min(Math.max(value, low), high);

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
        if (event.button) return;
        this.slider.setPointerCapture(event.pointerId);
        this.drag(event);
      };
      this.slider.onpointermove = event => this.dragged !== undefined && this.drag(event);
      this.slider.onpointerup = this.slider.onpointercancel = () => {
        const chosen = this.dragged;
        this.dragged = undefined;
        if (chosen !== undefined) this.seek(chosen);
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
      return this.sources ? between(this.at + context.currentTime - this.started, this.at, this.seconds) : this.at;
    }

    toggle() {
      this.sources || this.turn ? this.pause() : this.play();
    }

    async play() {
      context = context || new AudioContext();
      context.resume();
      if (sounding && sounding !== this) {
        sounding.pause();
        sounding.buffers = undefined; // a page may hold many sets
      }
      sounding = this;
      const turn = (this.turn = {});
      this.label();
      try {
        this.buffers = this.buffers || (await Promise.all(this.audios.map(decode)));
      } catch {
        return this.giveUp();
      }
      if (this.turn !== turn) return; // paused meanwhile
      this.turn = undefined;
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
      this.turn = undefined;
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
      this.at = between(seconds, 0, this.seconds);
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

    start(place) {
      this.pause();
      this.at = 0;
      this.choose(place);
      this.play();
    }

    drag(event) {
      const area = this.slider.getBoundingClientRect();
      this.dragged = between((event.clientX - area.left) / area.width, 0, 1) * this.seconds;
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
      const words = this.sources || this.turn ? "Pause" : "Play";
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

  Object.assign(lab, { between, make });
  lab.enhance = () => {
    for (const box of document.querySelectorAll(".lass-player:not([role])")) box.lassPlayer = new Player(box);
  };
  lab.enhance();
})();

// What comes to the page only with figures to draw or click on, and with places for a file (hands.py).
(() => {
  const lab = window.lassLab;
  if (!lab || !lab.make || lab.hands) return;
  lab.hands = true;
  const { between, make } = lab;

  // What a person draws, drops or records goes to the kernel through a field that nobody sees (hands.py).
  const send = (place, value) => {
    const field = place.closest(".lass-sends").querySelector(".lass-bridge textarea");
    field.value = JSON.stringify({ ...value, sent: Date.now() });
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const MOST_BYTES = 7e6; // Jupyter takes messages of 10 MB
  const sendFile = (place, file, name) => {
    if (file.size > MOST_BYTES) return send(place, { name, size: file.size });
    const reader = new FileReader();
    reader.onload = () => send(place, { name, data: reader.result.split(",")[1] });
    reader.readAsDataURL(file);
  };

  // On whatever an output shows later, too.
  const on = (kind, selector, act) =>
    document.addEventListener(kind, event => {
      const place = event.target.closest && event.target.closest(selector);
      if (place) act(place, event);
    });

  // Where in a figure's axes the pointer is: 0 to 1 from left and from below.
  const within = (area, { clientX, clientY }) => {
    const [left, right, bottom, top] = area.dataset.axes.split(" ");
    const box = area.querySelector("img").getBoundingClientRect();
    const x = ((clientX - box.left) / box.width - left) / (right - left);
    const y = ((box.bottom - clientY) / box.height - bottom) / (top - bottom);
    return [between(x, 0, 1), between(y, 0, 1)];
  };

  const ends = (one, other) => [Math.min(one, other), Math.max(one, other)];

  on("dragstart", ".lass-area", (area, event) => event.preventDefault());
  on("pointerdown", ".lass-sends .lass-draw", (area, event) => {
    if (event.target.tagName !== "IMG" || event.button) return;
    const box = make("i", { class: "lass-box" });
    const sides = last => [ends(event.clientX, last.clientX), ends(event.clientY, last.clientY)];
    const move = last => {
      const around = area.getBoundingClientRect();
      const [[left, right], [top, bottom]] = sides(last);
      box.style.cssText = `left: ${left - around.left}px; top: ${top - around.top}px;
        width: ${right - left}px; height: ${bottom - top}px`;
    };
    const end = last => {
      removeEventListener("pointermove", move);
      box.remove();
      const [[left, right], [top, bottom]] = sides(last);
      if (right - left < 3 || bottom - top < 3) return; // a click
      const [from, to] = [within(area, event), within(area, last)];
      send(area, { x: ends(from[0], to[0]), y: ends(from[1], to[1]) });
    };
    area.append(box);
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
  });

  on("click", ".lass-map", (map, event) => {
    if (event.target.tagName !== "IMG") return;
    const [x, y] = within(map, event);
    const away = JSON.parse(map.dataset.points).map(([left, up]) => Math.hypot(left - x, up - y));
    map.querySelector(".lass-player").lassPlayer.start(away.indexOf(Math.min(...away)));
  });

  on("dragover", ".lass-drop", (zone, event) => event.preventDefault());
  on("drop", ".lass-drop", (zone, event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) sendFile(zone, file, file.name);
  });
  on("click", ".lass-record", async button => {
    const words = button.textContent;
    try {
      const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
      const recorder = new MediaRecorder(stream);
      recorder.ondataavailable = ({ data }) => sendFile(button, data, "the recording");
      recorder.onstop = () => stream.getTracks().forEach(each => each.stop());
      recorder.start();
      button.textContent = "recording …";
      setTimeout(() => {
        recorder.stop();
        button.textContent = words;
      }, 1000 * button.dataset.seconds);
    } catch {
      button.textContent = "no microphone here";
    }
  });

  // In JupyterLab, the still picture below the one that is drawn on would be the same once more.
  const style = `
    .jp-OutputArea-child:has(.lass-sends .lass-draw) ~ .jp-OutputArea-child .lass-draw { display: none; }
    .lass-area { position: relative; }
    :is(.lass-sends .lass-draw, .lass-map) > figure > img { cursor: crosshair; }
    .lass-sends .lass-draw > figure > img { touch-action: none; }
    .lass-box { position: absolute; border: 2px solid #d55e00; background: #fff6; pointer-events: none; }`;
  document.head.append(make("style", {}, style));
})();
