"""How people might ask for each instrument: a bank of phrasings, some for training, some held out.

Every instrument has the same plain ways of naming it and nine of its own; of these the last three are held
out, so that a separator can be asked in words that it was not trained with. What the tiny model learns, and the
trumpet, have more for training in `phrasings`. The trumpet is here for the duets: no pretraining source is one, and no
other instrument's phrasing mentions it.
"""

from lass_lab.datasets.phrasings import MORE
from lass_lab.signal.files import InputError

HELD_OUT = 3
_PLAIN = (
    "{name}",
    "{a} {name}",
    "the {name}",
    "the sound of {a} {name}",
    "{a} {name} playing a melody",
    "someone playing the {name}",
    "only the {name}",
    "{name} solo",
)
_OWN = {
    "violin": (
        "a fiddle", "a fiddle tune", "bowed strings, high", "a violinist",
        "the highest bowed string instrument", "a bow drawn across violin strings",
        "the violin part", "a singing, high bowed string melody", "the fiddler",
    ),
    "viola": (
        "bowed strings, middle register", "a violist", "the alto of the string quartet",
        "a dark, mellow fiddle-like tone", "the bowed string below the violins",
        "an alto string instrument played with a bow",
        "the viola part", "a warm middle voice on bowed strings", "the violist's line",
    ),
    "cello": (
        "a violoncello", "a cellist", "bowed strings, low and warm", "a deep singing string melody",
        "the tenor of the string quartet", "a bow on low, rich strings",
        "the cello part", "a low, lyrical bowed string", "the cellist's line",
    ),
    "double bass": (
        "a contrabass", "an upright bass played with a bow", "the lowest bowed string instrument",
        "a bassist with a bow", "very low bowed strings", "a bull fiddle",
        "the double bass part", "the deep bowed bass of the orchestra", "the contrabassist's line",
    ),
    "harp": (
        "a harpist", "plucked harp strings", "a concert harp", "angelic plucked strings",
        "rolling arpeggios on a harp", "soft plucked strings ringing freely",
        "the harp part", "gentle harp plucking", "the harpist's line",
    ),
    "acoustic guitar": (
        "a nylon-string guitar", "a classical guitar", "a guitarist picking an unplugged guitar",
        "a Spanish guitar", "fingerpicked guitar", "soft plucked nylon strings",
        "the acoustic guitar part", "a mellow wooden guitar", "the classical guitarist's line",
    ),
    "electric guitar": (
        "a clean electric guitar", "a guitar through an amplifier", "a jazz guitarist's amplified guitar",
        "an amplified six-string", "a bright clean-toned guitar with pickups", "a plugged-in guitar",
        "the electric guitar part", "steel strings through a guitar amp", "the electric guitarist's line",
    ),
    "electric bass": (
        "a bass guitar", "a plucked bass line", "a bassist playing a groove", "fingered bass guitar",
        "low plucked electric strings", "a four-string bass guitar",
        "the electric bass part", "the bass guitarist", "a deep fingerstyle bass",
    ),
    "banjo": (
        "a banjo player", "bluegrass picking", "a five-string banjo",
        "twangy plucked strings over a drum skin", "bright, plunky country picking",
        "a twangy folk string instrument",
        "the banjo part", "a fast twangy banjo roll", "the banjoist",
    ),
    "piano": (
        "a grand piano", "a pianist", "piano keys", "hammered strings of a piano", "an acoustic piano",
        "someone at a concert grand",
        "the piano part", "a pianist's melody and chords", "notes on a pianoforte",
    ),
    "electric piano": (
        "a Rhodes piano", "a Fender Rhodes", "an electromechanical keyboard", "a mellow electric keyboard",
        "soft bell-like electric keys", "a seventies keyboard with tines",
        "the electric piano part", "a Rhodes keyboard player", "warm electric keys",
    ),
    "harpsichord": (
        "a cembalo", "a harpsichordist", "a baroque keyboard with plucked strings", "jangling plucked keys",
        "a baroque continuo keyboard", "a bright plucked keyboard",
        "the harpsichord part", "a clavecin", "quills plucking the strings of a keyboard",
    ),
    "church organ": (
        "a pipe organ", "an organist in a church", "a cathedral organ", "the pipes of a great organ",
        "hymn-like organ pipes", "a big organ with pipes",
        "the church organ part", "an organ in a cathedral", "organ pipes sounding",
    ),
    "electric organ": (
        "a Hammond organ", "a drawbar organ", "a tonewheel organ", "an organ with drawbars", "a rock organ",
        "electronic organ tones",
        "the electric organ part", "a Hammond player", "steady tones of an electronic organ",
    ),
    "accordion": (
        "a squeezebox", "an accordionist", "a piano accordion with bellows", "French cafe musette",
        "reeds driven by bellows", "a wheezy folk squeezebox",
        "the accordion part", "bellows and buttons", "a musette player",
    ),
    "harmonica": (
        "a mouth organ", "a blues harp", "a harmonica player", "someone blowing a mouth harp",
        "a small reed instrument played at the lips", "a pocket mouth organ",
        "the harmonica part", "bluesy mouth organ", "a campfire harmonica",
    ),
    "celesta": (
        "a celeste", "a music-box-like keyboard", "tiny bells played from a keyboard",
        "sugar plum fairy bells", "soft, glassy keyboard bells", "a delicate bell piano",
        "the celesta part", "a keyboard of soft chimes", "a fairy-tale bell keyboard",
    ),
    "glockenspiel": (
        "orchestra bells", "bright little metal bars", "high, tinkling bells struck with mallets",
        "a bell lyre", "piercing steel bars", "sparkling high bells",
        "the glockenspiel part", "very high ringing metal bars", "tinkling steel bars",
    ),
    "vibraphone": (
        "vibes", "a vibraphonist", "mellow metal bars with a shimmer", "a jazz vibes player",
        "ringing aluminium bars with motor tremolo", "soft mallets on a metal keyboard",
        "the vibraphone part", "cool jazz vibes", "shimmering metal bars",
    ),
    "marimba": (
        "a marimbist", "warm wooden bars", "soft mallets on rosewood", "mellow wooden mallet percussion",
        "low wooden bars with resonators", "rounded, woody mallet notes",
        "the marimba part", "deep wooden bars struck softly", "a rosewood mallet instrument",
    ),
    "xylophone": (
        "a xylophonist", "hard mallets on wooden bars", "dry, bright wooden bars", "rattling bones of wood",
        "high, short wooden mallet notes", "skeleton-dance wooden bars",
        "the xylophone part", "brittle wooden bars struck hard", "crisp high wood percussion",
    ),
    "flute": (
        "a flautist", "a concert flute", "a transverse flute", "a flutist", "an airy silver flute",
        "breathy high woodwind held sideways",
        "the flute part", "a silvery woodwind melody", "the flutist's line",
    ),
    "piccolo": (
        "a piccolo flute", "a tiny, very high flute", "the highest woodwind", "a shrill little flute",
        "a marching-band fife-like flute", "a piccolo player",
        "the piccolo part", "a piercing small flute", "the smallest flute of the orchestra",
    ),
    "recorder": (
        "a block flute", "a blockflute", "a recorder player", "a wooden recorder from the baroque",
        "a school recorder", "a sweet, plain whistle-like flute",
        "the recorder part", "an end-blown wooden flute with finger holes", "an early-music flute",
    ),
    "pan flute": (
        "panpipes", "a panpipe player", "an Andean pan flute", "zampona pipes", "breathy bamboo pipes",
        "a row of pipes blown across the top",
        "the pan flute part", "airy Andean pipes", "the syrinx of the shepherds",
    ),
    "oboe": (
        "an oboist", "a double reed, high and nasal", "the reedy note an orchestra tunes to",
        "a plaintive double reed", "a hautbois", "a piercing, reedy woodwind",
        "the oboe part", "a nasal soprano double reed", "the oboist's line",
    ),
    "english horn": (
        "a cor anglais", "an alto oboe", "a melancholy, low oboe", "a cor anglais player",
        "a mournful double reed in the alto register", "a pastoral alto double reed",
        "the english horn part", "the oboe's deeper cousin", "a dark, plaintive cor anglais tune",
    ),
    "clarinet": (
        "a clarinetist", "a single-reed woodwind with a round, hollow tone", "a B-flat clarinet",
        "a klezmer clarinet", "a smooth black woodwind", "a liquorice stick",
        "the clarinet part", "a hollow, mellow single reed", "the clarinettist's line",
    ),
    "bassoon": (
        "a bassoonist", "a low double reed", "a fagotto", "the bass of the woodwinds",
        "a grumbling, reedy low woodwind", "the grandfather among the woodwinds",
        "the bassoon part", "a comical low double reed", "the bassoonist's line",
    ),
    "soprano saxophone": (
        "a soprano sax", "a straight, high saxophone", "a soprano sax player", "the highest common saxophone",
        "a high smooth-jazz sax", "a curvy soprano sax melody",
        "the soprano saxophone part", "a high, bright sax line", "soprano sax soloing",
    ),
    "alto saxophone": (
        "an alto sax", "an alto sax player", "a saxophone in the alto register", "a jazz alto sax",
        "a bebop alto", "an E-flat alto sax",
        "the alto saxophone part", "a mid-high sax line", "alto sax soloing",
    ),
    "tenor saxophone": (
        "a tenor sax", "a tenor sax player", "a saxophone in the tenor register", "a smoky jazz tenor",
        "a husky ballad sax", "a B-flat tenor sax",
        "the tenor saxophone part", "a breathy mid-low sax line", "tenor sax soloing",
    ),
    "baritone saxophone": (
        "a baritone sax", "a bari sax", "a bari sax player", "the big, low saxophone", "a growling low sax",
        "a honking bass-register sax",
        "the baritone saxophone part", "a gruff, deep sax line", "bari sax soloing",
    ),
    "french horn": (
        "a hornist", "an orchestral horn in F", "a mellow, round brass tone", "a noble hunting-horn call",
        "a valved horn with a hand in the bell", "a distant, velvety horn",
        "the french horn part", "a warm, heroic horn melody", "the hornist's line",
    ),
    "trombone": (
        "a trombonist", "a slide trombone", "brass with a slide", "a tenor trombone",
        "bold, low-middle slide brass", "a sliding brass melody",
        "the trombone part", "the sackbut's descendant", "the trombonist's line",
    ),
    "tuba": (
        "a tubist", "the lowest brass", "an oom-pah bass", "a sousaphone-like brass bass",
        "a huge, deep brass instrument", "a bass tuba",
        "the tuba part", "the big brass at the bottom of the band", "the tubist's line",
    ),
    "trumpet": (
        "a trumpeter", "a bright brass melody", "brass, high and bright", "a trumpet tune",
        "a brilliant fanfare", "a trumpet player",
        "the trumpet part", "high, ringing brass", "the trumpeter",
    ),
}  # fmt: skip


def _phrasings(name: str) -> tuple[str, ...]:
    article = "an" if name[0] in "aeiou" else "a"
    return tuple(frame.format(name=name, a=article) for frame in _PLAIN) + MORE.get(name, ()) + _OWN[name]


CAPTIONS: dict[str, tuple[str, ...]] = {name: _phrasings(name) for name in _OWN}


def training_captions(name: str) -> tuple[str, ...]:
    """The phrasings of an instrument to train with. Raises InputError for an unknown name."""
    return _captions(name)[:-HELD_OUT]


def heldout_captions(name: str) -> tuple[str, ...]:
    """The phrasings of an instrument that training never sees. Raises InputError for an unknown name."""
    return _captions(name)[-HELD_OUT:]


def _captions(name: str) -> tuple[str, ...]:
    if name not in CAPTIONS:
        raise InputError(f"{name}: no captions for it; one of {', '.join(CAPTIONS)}")
    return CAPTIONS[name]
