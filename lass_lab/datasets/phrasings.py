"""More phrasings, all for training, of each instrument that the tiny model learns, and of the trumpet."""

MORE: dict[str, tuple[str, ...]] = {
    "violin": (
        "violin music", "a solo fiddle melody", "high strings played with a bow", "the first violin",
        "a string player with a small instrument under the chin", "soaring strings",
        "a sweet, high string sound", "folk fiddling", "a Stradivarius", "the soprano of the string family",
    ),
    "cello": (
        "cello music", "a low string instrument held between the knees", "a mournful low string melody",
        "warm bowed strings in the tenor range", "violoncello playing", "the cello section",
        "a sonorous string voice", "a baritone among the strings",
    ),
    "double bass": (
        "a string bass, bowed", "an acoustic bass", "deep orchestral strings", "the contrabass section",
        "the bottom of the string section", "a standing bass", "bowed bass notes", "rumbling low strings",
    ),
    "harp": (
        "harp music", "a pedal harp", "harp glissandos", "a Celtic harp",
        "strings plucked with the fingertips, ringing on", "an orchestral harp",
        "delicate cascading plucked strings", "someone plucking a harp",
    ),
    "acoustic guitar": (
        "an unamplified guitar", "gentle guitar plucking", "a folk guitar", "a guitar with gut strings",
        "flamenco-style guitar", "strummed or picked wooden guitar", "a quiet guitar by the fire",
        "six nylon strings",
    ),
    "electric guitar": (
        "an e-guitar", "an amplified guitar with a clean sound", "electric guitar picking",
        "a Stratocaster, clean", "a guitar plugged into an amp", "a rock band's guitar without distortion",
        "a solid-body guitar", "a twangy electric",
    ),
    "electric bass": (
        "the bass line", "bass guitar in a band", "an e-bass", "a plucked electric bass", "a Fender bass",
        "low notes on a bass guitar", "the rhythm section's bass", "an amplified bass",
    ),
    "banjo": (
        "banjo music", "a picked banjo", "country banjo", "a string instrument with a drum-like body",
        "Appalachian picking", "Dixieland banjo", "a bright metallic plucked folk instrument", "old-time banjo",
    ),
    "piano": (
        "piano music", "a concert piano", "keyboard with hammers and strings", "an upright piano",
        "someone plays the piano", "a piano sonata", "ivory keys", "a parlour piano",
    ),
    "electric piano": (
        "an e-piano", "a Rhodes", "a Wurlitzer-like keyboard", "mellow electric piano chords",
        "a soul ballad's keyboard", "an electric keyboard with a bell tone", "tine piano",
        "a jazz-fusion keyboard",
    ),
    "harpsichord": (
        "harpsichord music", "a plucked-string keyboard", "a baroque keyboard", "a harpsichord player",
        "a spinet", "a virginal", "tinny baroque keys", "keyboard music from Bach's time, plucked",
    ),
    "church organ": (
        "organ music", "an organ in a big church", "a pipe organ playing a hymn", "wind-blown organ pipes",
        "an organist at the great organ", "majestic organ chords", "a baroque pipe organ",
        "the king of instruments",
    ),
    "accordion": (
        "accordion music", "a button accordion", "polka accordion", "a concertina-like instrument",
        "a bellows-driven instrument", "tango bandoneon-like sounds", "an accordion player",
        "a squeezed reed instrument",
    ),
    "glockenspiel": (
        "a set of small steel bars", "glockenspiel notes", "bright bells played with hard mallets",
        "orchestral bells", "high metallic mallet percussion", "tiny chiming metal bars",
        "a metallophone, very high", "bell-like tinkles",
    ),
    "vibraphone": (
        "vibraphone music", "a vibraharp", "mallets on metal bars with vibrato", "a jazz mallet instrument",
        "metal bars with resonator tubes", "a mellow metallophone", "vibes playing",
        "lingering metal bar tones",
    ),
    "marimba": (
        "marimba music", "a wooden mallet keyboard", "mallets on low wooden bars", "a marimba player",
        "Latin American wooden bars", "a big wooden mallet instrument", "warm wooden percussion melody",
        "soft woody tones",
    ),
    "flute": (
        "flute music", "a silver flute", "a flute melody", "an orchestral flute", "a sideways-blown woodwind",
        "someone blowing a flute", "a pure, breathy wind sound", "a gentle woodwind without a reed",
    ),
    "pan flute": (
        "a set of pan pipes", "pan flute music", "Peruvian pipes", "pipes of Pan",
        "a breathy, hollow pipe sound", "South American panpipes", "bamboo pipes of different lengths",
        "a Romanian nai",
    ),
    "oboe": (
        "oboe music", "an orchestral oboe", "an oboe melody", "a woodwind with a thin double reed",
        "a nasal woodwind", "an oboe player", "a reedy, penetrating high woodwind",
        "the instrument that tunes the orchestra",
    ),
    "clarinet": (
        "clarinet music", "a clarinet melody", "an orchestral clarinet", "a clarinet player",
        "an A clarinet", "a dark, round woodwind", "swing-era clarinet",
        "the licorice-black woodwind",
    ),
    "bassoon": (
        "bassoon music", "a bassoon melody", "an orchestral bassoon", "a bassoon player",
        "a deep woodwind with a double reed", "a low, buzzing woodwind", "the lowest common woodwind",
        "the clown of the orchestra",
    ),
    "alto saxophone": (
        "saxophone music", "a saxophone", "a sax", "a sax player", "jazz saxophone", "a saxophonist",
        "a reedy brass-bodied jazz instrument", "a smooth saxophone melody",
    ),
    "french horn": (
        "horn music", "a horn", "a horn player", "an orchestral horn", "the horn section",
        "a coiled brass instrument", "a mellow brass call from the forest", "a soft, rounded brass melody",
    ),
    "trombone": (
        "trombone music", "a trombone melody", "a trombone player", "a brass instrument with a long slide",
        "a jazz trombone", "orchestral trombones", "glissando brass", "a broad, powerful low brass tone",
    ),
    "tuba": (
        "tuba music", "a tuba melody", "a tuba player", "bass brass", "a marching band's lowest horn",
        "polka-band bass", "the deepest horn in the orchestra", "a euphonium's bigger brother",
    ),
    "trumpet": (
        "trumpet music", "a trumpet melody", "an orchestral trumpet",
        "a horn with three valves, high and bright", "a bugle-like call", "a jazz trumpet",
        "a piercing brass tone", "brass soprano",
    ),
}  # fmt: skip
