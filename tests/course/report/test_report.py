"""The report holds every number as it was measured, needs no other file, and can be read by anybody and anywhere."""

import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import typer
from typer.testing import CliRunner

from lass_lab.commands import reporting
from lass_lab.course import ledger
from lass_lab.course.report import numbers as report_numbers
from lass_lab.course.report import report
from lass_lab.course.report.numbers import git_commit, read_curves, read_numbers
from lass_lab.course.report.page import comparison_page, find_excerpt
from lass_lab.course.report.plots import show_details, show_training
from lass_lab.course.report.report import compare_reports, write_report
from lass_lab.datasets.duets import Piece
from lass_lab.experiments.evaluation import summarise
from lass_lab.experiments.paper_tables import paper_tables
from lass_lab.signal.files import InputError
from tests.made_runs import made_run
from tests.made_separators import Known

LONGEST, PAIRS = 10, 2
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart: tags with their attributes, tables, headings; raises where a tag is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.headings, self.tables, self._open = text, [], [], {}, []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in ("caption", "th", "td", "h1", "h2", "h3", "h4", "style", "title"):
            self._words = []
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])

    def handle_data(self, data):
        if self._open and self._open[-1] in ("caption", "th", "td", "h1", "h2", "h3", "h4", "style", "title"):
            self._words.append(data)

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing at {self.getpos()}"
        if tag in ("th", "td"):
            self._rows[-1].append("".join(self._words).strip())
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append((int(tag[1]), "".join(self._words).strip()))
        if tag == "caption":
            self._caption = "".join(self._words)
        if tag == "style":
            self.style = "".join(self._words)
        if tag == "table":
            assert self._caption and self._caption not in self.tables
            self.tables[self._caption], self._caption = self._rows, None

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def table(self, caption):
        """Row's heading -> cells, of the table whose caption begins so."""
        (rows,) = (rows for title, rows in self.tables.items() if title.startswith(caption))
        return {row[0]: row[1:] for row in rows}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two finished runs on made duets, "anna" and "ben": the second answers in phase 2 as it did in phase 1."""
    folder = tmp_path_factory.mktemp("made")
    plt.switch_backend("agg")
    with made_run(folder, "anna/finetune") as run:
        other = folder / "ben" / "finetune"
        shutil.copytree(run, other)
        shutil.rmtree(other / "phase2")
        shutil.copytree(run / "phase1", other / "phase2")
        (other / "recipe.json").write_text((run / "recipe.json").read_text().replace('"seed": 0', '"seed": 7'))
        ledger.record("03_baseline", "SDRi <of> the violin", 7.25678, "dB")
        yield folder


@pytest.fixture(scope="module")
def run(made):
    return made / "anna" / "finetune"


@pytest.fixture(scope="module")
def evaluated():
    """What `evaluate` gave as the report was measured."""
    tables = []
    with pytest.MonkeyPatch.context() as patch:
        kept = report_numbers.evaluate
        patch.setattr(report_numbers, "evaluate", lambda *each, **how: tables.append(kept(*each, **how)) or tables[-1])
        yield tables


@pytest.fixture(scope="module")
def written(run, evaluated):
    shares = {"start": 0.9, "phase1": 0.6, "phase2": 0.3}  # of the mixture, which is all that these separators give

    def opened(where):
        share = shares[Path(where).name]
        return Known(lambda mixture, query: share * mixture)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load_separator", opened)
        return write_report(run, longest=LONGEST, pairs=PAIRS, progress=False)


@pytest.fixture(scope="module")
def page(written):
    return Page(written.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def measured(written, evaluated):
    return evaluated[0]


@pytest.fixture(scope="module")
def asked():
    """What a measurement of ben's run was asked for."""
    return {}


@pytest.fixture(scope="module")
def compared(made, written, asked):
    """Both runs, of which one has its report and the other has none: it is better by 1 dB in phase 2."""

    def measures(stages, separators, **how):
        asked.update(how, stages=list(stages.values()), opened=[*separators])
        numbers = read_numbers(written.with_suffix(".json"))
        duets = numbers.duets.copy()
        duets.loc[(duets["separator"] == "phase 2") & duets["metric"].isin(["SDR", "SDRi", "SI-SDR"]), "value"] += 1
        recipe = numbers.recipe | {"recipe": numbers.recipe["recipe"] | {"seed": 7}}
        return dataclasses.replace(numbers, duets=duets, recipe=recipe)

    out = made / "comparison.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "measure", measures)
        assert compare_reports([made / "anna" / "finetune", made / "ben" / "finetune"], out, progress=False) == out
    return Page(out.read_text(encoding="utf-8"))


def fixed(value, metric, sign=""):
    decimals = {"correlation": 4, "MSE": 6}.get(metric, 2)
    return f"{value:{sign}z.{decimals}f}"


def test_the_report_lies_in_the_runs_folder_unless_told(run, written):
    assert written == run / "report.html" and (run / "report.json").is_file()


def test_every_number_beside_the_paper_is_evaluates(page, measured):
    tables = paper_tables(measured)
    for source in ("violin", "trumpet"):
        rows = page.table(f"The {source}: the first {LONGEST:g} seconds")
        for name in ("pretrained", "phase 1", "phase 2", "mixture", "ideal ratio mask", "phase-sensitive mask"):
            values = tables.loc[source, name]
            assert rows[name] == [fixed(values[metric], metric) for metric in values.index]
        change = tables.loc[source, "phase 2"] - tables.loc[source, "pretrained"]
        assert rows["phase 2 minus pretrained"] == [fixed(change[metric], metric, "+") for metric in change.index]
    assert page.table(f"The trumpet: the first {LONGEST:g} seconds")["paper before"] == [
        "-9.91",
        "-5.59",
        "0.2872",
        "0.0272",
    ]
    assert page.table(f"The violin: the first {LONGEST:g} seconds")["after minus before"] == [
        "-0.70",
        "-1.22",
        "-0.0035",
        "+0.0003",
    ]


def test_every_mean_and_interval_is_summarises(page, measured):
    summary = summarise(measured).set_index(["separator", "source", "metric"])
    metrics = ("SDR", "SDRi", "correlation", "MSE", "SI-SDR")
    for source in ("violin", "trumpet"):
        rows = page.table(f"The {source} in three: mean over 2 slices")
        for name in ("pretrained", "phase 2", "mixture"):
            for metric, cell in zip(metrics, rows[name], strict=True):
                told = summary.loc[name, source, metric]
                mean, low, high = (fixed(told[end], metric) for end in ("mean", "low", "high"))
                assert cell == f"{mean} [{low},\N{NO-BREAK SPACE}{high}]"


def test_the_change_is_taken_slice_by_slice(page, measured):
    slices = measured.query("extent == 'slice' and source == 'trumpet' and metric == 'SDRi'")
    values = slices.pivot(index="start_s", columns="separator", values="value")
    change = values["phase 2"] - values["pretrained"]
    rows = page.table("The trumpet in three: mean over")
    cell = rows["phase 2 minus pretrained"][1]
    assert cell.startswith(f"{change.mean():+.2f} [")
    low, high = map(float, re.findall(r"[+-][\d.]+", cell)[1:])
    assert change.min() - 0.01 <= low <= round(change.mean(), 2) <= high <= change.max() + 0.01
    assert f"{change.mean():+.1f} dB, 95% interval" in page.text.replace("\n", " ")


def test_probes_stand_in_tables_as_they_were_measured(page, written):
    probes = read_numbers(written.with_suffix(".json")).probes
    assert set(probes["probe"]) == {"paraphrases", "forgetting"} and set(probes["separator"]) == set(stages_of(page))
    for caption, probe in (("SDRi (dB) by phrasing", "paraphrases"), ("SDRi (dB) by instrument", "forgetting")):
        rows = page.table(caption)
        for row in probes[probes["probe"] == probe].itertuples():
            cell = rows[row.detail][stages_of(page).index(row.separator)]
            assert cell.split()[0] == f"{row.value:.2f}"


def stages_of(page):
    return list(page.table("The stages, and how long"))[1:]


def test_nothing_outside_the_file_is_needed(page):
    addresses = [tag[name] for _, tag in page.tags for name in ("src", "href", "srcset", "poster") if name in tag]
    assert addresses and all(address.startswith(("data:", "#")) for address in addresses)
    assert not page.all("script") and not page.all("link") and not page.all("iframe")
    assert "url(" not in page.style and "@import" not in page.style


def test_it_is_small_enough_to_send(written):
    assert written.stat().st_size < 8_000_000


@pytest.mark.parametrize("which", ["page", "compared"])
def test_pictures_tables_and_headings_can_be_heard(request, which):
    page = request.getfixturevalue(which)
    words = [image["alt"] for image in page.all("img")]
    assert len(words) == {"page": 5, "compared": 3}[which] == len(set(words)) and all(len(each) > 40 for each in words)
    assert len(page.all("caption")) == len(page.all("table")) == len(page.tables) > 4
    assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in page.all("th"))
    assert all(rows[0][0] and all(row[0] for row in rows) for rows in page.tables.values())
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    names = [tag["id"] for _, tag in page.tags if "id" in tag]
    assert len(names) == len(set(names))
    links = [link["href"].removeprefix("#") for link in page.all("a")]
    assert links[0] == "main" and set(links) <= set(names)
    labels = [tag["aria-labelledby"] for tag in page.all("section")]
    assert labels == links[1:]


@pytest.mark.parametrize("which", ["page", "compared"])
def test_it_suits_light_dark_paper_and_keyboard(request, which):
    page = request.getfixturevalue(which)
    assert page.text.startswith("<!doctype html>") and page.all("html") == [{"lang": "en"}]
    for needed in ("(prefers-color-scheme: dark)", "@media print", ":focus-visible", ".skip:focus"):
        assert needed in page.style
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in page.style.split("prefers-color-scheme: dark")]
    dark, paper = schemes[1], dict(re.findall(r"--(\w+): (#\w{6})", page.style.split("@media print")[1]))
    dark |= dict(re.findall(r"--(\w+): (#\w{6})", page.style.split("prefers-color-scheme: dark")[1].split("}")[0]))
    for colours in (schemes[0], dark, paper):
        for ink in ("ink", "soft", "link"):
            assert all(contrast(colours[ink], colours[ground]) >= 4.5 for ground in ("paper", "raised"))
        assert contrast(colours.get("focus", "#000000"), colours["paper"]) >= 3


def contrast(one, other):
    """Of two colours, as WCAG 2 defines it."""
    levels = []
    for colour in (one, other):
        parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        levels.append(linear @ [0.2126, 0.7152, 0.0722])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


def test_mixture_target_and_every_stage_can_be_heard(page):
    labels = [audio["aria-label"] for audio in page.all("audio")]
    asked = [f"{stage}, asked for “{{}}”" for stage in ("pretrained", "phase 1", "phase 2")]
    wanted = ["mixture", "true {}", *asked]
    assert labels == [each.format(source) for source in ("violin", "trumpet") for each in wanted]
    assert all(audio["src"].startswith("data:audio/mpeg;base64,") for audio in page.all("audio"))


def test_how_it_was_made_is_told_and_where_on_this_computer_is_not(page, made):
    recipe = page.table("The recipe")
    assert recipe["seed"] == ["0"] and recipe["phase2.query_rate"] == ["0.001"] and recipe["head"] == ["preserving"]
    setup = page.table("Where and by what")
    assert setup["torch"] == [torch.__version__.split("+")[0]] or setup["torch"][0] in torch.__version__
    assert {"Python", "lightning", "hardware", "git commit of the code", "seed of the mixtures"} <= set(setup)
    times = page.table("The stages, and how long")
    steps, hours = times["phase 1"][1:]
    assert int(steps) > 0 and float(hours) >= 0 and times["pretrained"][1:] == ["–", "–"]
    assert str(made) not in page.text


def test_the_ledger_is_told_and_what_is_typed_is_escaped(page):
    assert page.table("What the notebooks recorded")["SDRi <of> the violin"][:2] == ["7.257", "dB"]
    assert "<of>" not in page.text


def test_it_says_what_is_synthetic(page, compared, written):
    assert "a data folder named\n<em>data</em>" in page.text and "pretraining are synthetic" in page.text
    numbers = read_numbers(written.with_suffix(".json"))
    shipped = dataclasses.replace(numbers, setup=numbers.setup | {"data": None})
    assert "<strong>The music is synthetic.</strong>" in comparison_page({"one": shipped, "two": shipped})


def test_numbers_come_back_as_they_were(written, measured):
    numbers = read_numbers(written.with_suffix(".json"))
    pd.testing.assert_frame_equal(numbers.duets, measured)
    assert numbers.ends == ("pretrained", "phase 2") and list(numbers.curves) == ["phase 1", "phase 2"]
    assert numbers.probes["low"].notna().any() and numbers.probes["low"].isna().any()


def test_two_runs_stand_side_by_side(made, measured, compared):
    names = ["anna/finetune", "ben/finetune"]
    assert all(name in compared.headings[0][1] for name in names)
    (rows,) = (
        rows for title, rows in compared.tables.items() if title.startswith(f"The trumpet: the first {LONGEST:g}")
    )
    assert rows[0] == ["metric", "the paper", *names, "ben/finetune minus anna/finetune, by slices [95%]"]
    before, *_, after = (row for row in rows if row[0] == "SDRi (dB)")
    ours = paper_tables(measured).loc["trumpet"].loc["SDRi"]
    assert before[1:4] == ["-5.59", *[f"{ours['pretrained']:.2f}"] * 2] and before[4].startswith("+0.00 [")
    assert after[1:4] == ["9.01", f"{ours['phase 2']:.2f}", f"{ours['phase 2'] + 1:.2f}"]
    assert after[4] == "+1.00 [+1.00,\N{NO-BREAK SPACE}+1.00]"
    curves = compared.all("img")[0]["alt"]
    assert all(f"{name} from" in curves for name in names)
    assert compared.table("Where the recipes differ") == {"setting": names, "seed": ["0", "7"]}
    assert list(compared.table("SDRi (dB) by instrument and run").values())[0] == names


def test_what_has_no_report_is_measured_as_the_other_was(made, compared, asked):
    weights = [str(made / "ben" / "finetune" / phase) for phase in ("phase1", "phase2")]
    assert asked == {
        "stages": [str(made / "start"), *weights],
        "opened": ["pretrained", "phase 1", "phase 2"],
        "longest": LONGEST,
        "pairs": PAIRS,
        "progress": False,
    }


def test_comparing_reads_what_was_measured(made, run, written, monkeypatch):
    def fails(*_, **__):
        raise AssertionError("opened a separator")

    kept = made / "sent" / "report.json"  # what one student gives to another
    kept.parent.mkdir()
    shutil.copy(written.with_suffix(".json"), kept)
    with monkeypatch.context() as patch:
        patch.setattr(report, "load_separator", fails)
        text = compare_reports([run, kept], made / "c.html").read_text(encoding="utf-8")
        assert compare_reports([run, kept.parent], made / "c.html", force=True).read_text(encoding="utf-8") == text
    assert "followed the same recipe" in text and "sent" in text


def test_a_report_of_other_weights_is_measured_again(made, run, written, tmp_path):
    stale = tmp_path / "stale"
    shutil.copytree(made / "ben" / "finetune", stale)
    shutil.copy(written.with_suffix(".json"), stale / "report.json")
    assert report._stored(run) is not None and report._stored(stale) is None


def test_a_name_that_looks_like_markup_is_a_name(made, written, tmp_path):
    odd = tmp_path / "<b>&co"
    odd.mkdir()
    shutil.copy(written.with_suffix(".json"), odd)
    page = Page(compare_reports([odd, written.parent], tmp_path / "c.html").read_text(encoding="utf-8"))
    assert "<b>" not in page.text and page.headings[0][1].startswith("LASS Lab: <b>&co beside")


def test_without_logs_recipe_and_ledger_the_rest_is_told(made, run, written, tmp_path, monkeypatch):
    """As for what ships, whose folder holds weights alone."""

    def measures(stages, separators, **_):
        numbers = read_numbers(written.with_suffix(".json"))
        bare = {"name": "what ships", "weights": {}, "curves": {}, "recipe": None}
        return dataclasses.replace(numbers, times=dict.fromkeys(numbers.times), **bare)

    for phase in ("phase1", "phase2"):
        (tmp_path / phase).mkdir()
        shutil.copy(run / phase / "model.safetensors", tmp_path / phase)
    where = {"pretrained": "tiny", "phase 1": str(tmp_path / "phase1"), "phase 2": str(tmp_path / "phase2")}
    monkeypatch.setattr(report, "find_stages", lambda: where)
    monkeypatch.setattr(report, "load_separator", lambda _: Known(lambda mixture, query: mixture))
    monkeypatch.setattr(report, "measure", measures)
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path / "runs"))
    out = write_report(progress=False)
    assert out == tmp_path / "runs" / "report.html"
    page = Page(out.read_text(encoding="utf-8"))
    assert "came without the logs" in page.text and "ledger is empty" in page.text
    assert not [caption for caption in page.tables if caption.startswith("The recipe")]
    assert page.table("The stages, and how long")["phase 2"][1:] == ["–", "–"]
    assert report_numbers.run_folder(where) is None and read_curves(tmp_path / "phase2") == {}


def test_a_resumed_runs_later_log_counts(tmp_path):
    for version, rows in ((0, "10,0.5,\n20,0.4,\n20,,3.0\n"), (2, "20,0.3,\n30,0.2,\n30,,4.0\n"), (11, "40,0.1,\n")):
        (tmp_path / f"log/version_{version}").mkdir(parents=True)
        (tmp_path / f"log/version_{version}/metrics.csv").write_text("step,loss,validation_sdri\n" + rows)
    (tmp_path / "log/version_12").mkdir()
    (tmp_path / "log/version_12/metrics.csv").touch()
    curves = read_curves(tmp_path)
    assert curves["loss"] == [(11, 0.5), (21, 0.3), (31, 0.2), (41, 0.1)] and curves["gain"] == [(21, 3.0), (31, 4.0)]
    assert read_curves(tmp_path / "nowhere") == {}


def test_the_commit_is_that_of_the_course_or_none(tmp_path):
    assert git_commit(tmp_path) is None
    commit = git_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)


def test_the_excerpt_is_where_both_play():
    seconds = np.arange(30 * 32_000) / 32_000
    violin, trumpet = (np.where(seconds < 18, 0.1, 0.0), np.where(seconds >= 8, 0.1, 0.0))
    sources = {"violin": violin.astype(np.float32), "trumpet": trumpet.astype(np.float32)}
    piece = Piece("p", "A title", "test", sum(sources.values()), sources, {}, 32_000)
    excerpt, told = find_excerpt(piece)
    assert told == "A title, 10 seconds from 0:08 on"
    assert excerpt.seconds == 10 and all((each > 0.05).all() for each in excerpt.sources.values())
    short, _ = find_excerpt(piece.slice(0, 4))
    assert short.seconds == 4


def test_curves_of_several_runs_share_their_axes():
    run = {"phase 1": {"loss": [(10, 0.4), (20, 0.2)], "gain": [(20, 3.0)]}}
    figure = show_training({"a": run, "b": run | {"phase 2": {"loss": [(5, 0.1)]}}})
    above, beside, below, _ = figure.axes
    assert above.get_ylim() == beside.get_ylim() and above.get_xlim() == below.get_xlim()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    with pytest.raises(InputError, match="no run left a log"):
        show_training({"a": {}})
    plt.close(figure)


def test_details_are_drawn_with_their_intervals():
    row = {"separator": "a", "detail": "mean", "value": 2.0, "low": 1.0, "high": 3.0}
    ax = show_details(pd.DataFrame([row, row | {"detail": "cello", "low": np.nan, "high": np.nan}]))
    (segments,) = (each.get_segments() for each in ax.collections)
    assert [tuple(segment[:, 0]) for segment in segments] == [(1.0, 3.0)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["mean", "cello"]
    with pytest.raises(InputError, match="lacks the column high"):
        show_details(pd.DataFrame([row]).drop(columns="high"))
    plt.close("all")


def lab(*arguments):
    """Run the command; its exception, where it ends in one."""
    app = typer.Typer()
    app.command()(reporting.report)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_bad_input_ends_in_one_line(made, run, written, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("{}")
    told = json.loads(written.with_suffix(".json").read_text())
    (tmp_path / "pairs.json").write_text(json.dumps(told | {"pairs": 5}))
    rows = [row for row in told["duets"]["data"] if row[5] == "piece"]
    (tmp_path / "music.json").write_text(json.dumps(told | {"duets": told["duets"] | {"data": rows}}))
    before = written.read_bytes()
    out = tmp_path / "page.html"
    for arguments, fault in (
        (("--run", tmp_path / "empty", "--out", out), "holds no finished phase"),
        (("--run", run), "report.html: exists already; pass --force to overwrite"),
        (("--run", run, "--out", tmp_path / "report.json"), "give it a name that ends in .html"),
        (("--run", run, "--compare", run, run), "give --run or --compare, not both"),
        (("--compare", run, tmp_path / "gone", "--out", out), "gone: holds no finished phase"),
        (("--compare", run, tmp_path / "other.json", "--out", out), "other.json: holds no numbers of a report"),
        (("--compare", run, tmp_path / "pairs.json", "--out", out), f"measured with 5 mixtures, .* with {PAIRS}"),
        (("--compare", run, tmp_path / "music.json", "--out", out), "was measured on other music than"),
    ):
        error = lab(*arguments).exception
        assert isinstance(error, InputError) and "\n" not in str(error)
        assert re.search(fault, str(error)), error
    with pytest.raises(InputError, match="needs two runs, and was given 1"):
        compare_reports([run], out)
    assert written.read_bytes() == before and not out.exists()


def test_the_command_compares(made, run, written, tmp_path):
    result = lab("--compare", run, written.with_suffix(".json"), "--out", tmp_path / "both.html")
    assert result.exit_code == 0 and result.output.strip() == str(tmp_path / "both.html")
    assert Page((tmp_path / "both.html").read_text(encoding="utf-8")).headings[0][1].count("finetune") == 2


def test_the_numbers_of_a_report_stay_small(written):
    assert written.with_suffix(".json").stat().st_size < 1_000_000
    assert report_numbers.NUMBERS == "report.json"
