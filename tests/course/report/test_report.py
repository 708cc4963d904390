"""The report holds every number as it was measured, needs no other file, and can be read by anybody and anywhere."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from lass_lab.cli import app
from lass_lab.course import ledger
from lass_lab.course.report import numbers as report_numbers
from lass_lab.course.report import report
from lass_lab.course.report.numbers import git_commit, read_curves, read_numbers
from lass_lab.course.report.page import find_excerpt, make_page, show_details, show_training
from lass_lab.course.report.report import compare_reports, write_report
from lass_lab.datasets.duets import Piece
from lass_lab.experiments.evaluation import summarise
from lass_lab.experiments.paper_tables import paper_tables
from lass_lab.signal.files import InputError
from tests.made_runs import made_run
from tests.made_separators import Known

LONGEST, PAIRS = 10, 2
PAPER, SLICES = "The {}: the first 10 seconds", "The {} in three: mean over 2 slices"


class Page:
    """A page taken apart: its elements, and its tables by their captions."""

    def __init__(self, path):
        self.text = path.read_text(encoding="utf-8")
        self.all = BeautifulSoup(self.text, "html.parser").find_all
        rows = {table.caption.text: table.find_all("tr") for table in self.all("table")}
        self.tables = {
            caption: [[cell.text for cell in row(["th", "td"])] for row in each] for caption, each in rows.items()
        }
        self.h1 = self.all("h1")[0].text

    def table(self, caption, group=""):
        """Row's heading -> cells, of the table whose caption begins so; of the rows below a group's heading."""
        (rows,) = (rows for title, rows in self.tables.items() if title.startswith(caption))
        begin = next((place for place, row in enumerate(rows) if row == [group]), 0)
        found = {}
        for name, *cells in rows[begin:]:
            found.setdefault(name, cells)
        return found


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
        return write_report(run, longest=LONGEST, pairs=PAIRS)


@pytest.fixture(scope="module")
def numbers(written):
    return read_numbers(written.with_suffix(".json"))


@pytest.fixture(scope="module")
def page(written):
    return Page(written)


@pytest.fixture(scope="module")
def measured(written, evaluated):
    return evaluated[0]


@pytest.fixture(scope="module")
def asked():
    """What a measurement of ben's run was asked for."""
    return {}


@pytest.fixture(scope="module")
def compared(made, run, numbers, asked):
    """Both runs, of which one has its report and the other has none: it is better by 1 dB in phase 2."""

    def measures(stages, separators, **how):
        asked.update(how, stages=list(stages.values()), opened=[*separators])
        better = (numbers.duets["separator"] == "phase 2") & numbers.duets["metric"].isin(["SDR", "SDRi", "SI-SDR"])
        recipe = numbers.recipe | {"recipe": numbers.recipe["recipe"] | {"seed": 7}}
        duets = numbers.duets.assign(value=numbers.duets["value"] + better)
        return dataclasses.replace(numbers, duets=duets, recipe=recipe)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "measure", measures)
        return Page(compare_reports((run, made / "ben" / "finetune"), made / "comparison.html"))


def fixed(value, metric, sign=""):
    decimals = {"correlation": 4, "MSE": 6}.get(metric, 2)
    return f"{value:{sign}z.{decimals}f}"


def test_every_number_beside_the_paper_is_evaluates(page, measured):
    tables = paper_tables(measured)
    for source in ("violin", "trumpet"):
        rows = page.table(PAPER.format(source))
        for name in ("pretrained", "phase 1", "phase 2", "mixture", "ideal ratio mask", "phase-sensitive mask"):
            values = tables.loc[source, name]
            assert rows[name] == [fixed(values[metric], metric) for metric in values.index]
        change = tables.loc[source, "phase 2"] - tables.loc[source, "pretrained"]
        assert rows["phase 2 minus pretrained"] == [fixed(change[metric], metric, "+") for metric in change.index]
    assert page.table(PAPER.format("trumpet"))["paper before"] == ["-9.91", "-5.59", "0.2872", "0.0272"]
    assert page.table(PAPER.format("violin"))["after minus before"] == ["-0.70", "-1.22", "-0.0035", "+0.0003"]


def test_every_mean_and_interval_is_summarises(page, measured):
    summary = summarise(measured).set_index(["separator", "source", "metric"])
    for source in ("violin", "trumpet"):
        rows = page.table(SLICES.format(source))
        for name in ("pretrained", "phase 2", "mixture"):
            for metric, cell in zip(("SDR", "SDRi", "correlation", "MSE", "SI-SDR"), rows[name], strict=True):
                told = summary.loc[name, source, metric]
                mean, low, high = (fixed(told[end], metric) for end in ("mean", "low", "high"))
                assert cell == f"{mean} [{low},\N{NO-BREAK SPACE}{high}]"


def test_the_change_is_taken_slice_by_slice(page, measured):
    slices = measured.query("extent == 'slice' and source == 'trumpet' and metric == 'SDRi'")
    values = slices.pivot(index="start_s", columns="separator", values="value")
    change = values["phase 2"] - values["pretrained"]
    cell = page.table(SLICES.format("trumpet"))["phase 2 minus pretrained"][1]
    mean, low, high = map(float, re.findall(r"[+-][\d.]+", cell))
    assert mean == round(change.mean(), 2) and change.min() - 0.01 <= low <= mean <= high <= change.max() + 0.01
    assert f"{change.mean():+.1f} dB, 95% interval" in page.text.replace("\n", " ")


def test_probes_stand_in_tables_as_they_were_measured(page, numbers):
    assert set(numbers.probes["probe"]) == {"paraphrases", "forgetting"}
    for row in numbers.probes.itertuples():
        caption = {"paraphrases": "SDRi (dB) by phrasing", "forgetting": "SDRi (dB) by instrument"}[row.probe]
        cell = page.table(caption)[row.detail][list(numbers.stages).index(row.separator)]
        assert cell.split()[0] == f"{row.value:.2f}" and ("[" in cell) == pd.notna(row.low)


def test_nothing_outside_the_file_is_needed_and_it_can_be_sent(page, written):
    addresses = [
        tag[name] for tag in page.all(True) for name in ("src", "href", "srcset", "poster") if name in tag.attrs
    ]
    assert addresses and all(address.startswith(("data:", "#")) for address in addresses)
    assert not page.all(["script", "link", "iframe"])
    assert "url(" not in page.all("style")[0].text and "@import" not in page.all("style")[0].text
    assert written.stat().st_size < 8_000_000 and written.with_suffix(".json").stat().st_size < 1_000_000


@pytest.mark.parametrize("which", ["page", "compared"])
def test_pictures_tables_and_headings_can_be_heard(request, which):
    page = request.getfixturevalue(which)
    words = [image["alt"] for image in page.all("img")]
    assert len(words) == {"page": 5, "compared": 3}[which] == len(set(words)) and all(len(each) > 40 for each in words)
    assert len(page.all("table")) == len(page.tables) > 4, "captions differ"
    assert all(cell.get("scope") in ("col", "row", "rowgroup") and cell.text for cell in page.all("th"))
    levels = [int(heading.name[1]) for heading in page.all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    names = [tag["id"] for tag in page.all(id=True)]
    links = [link["href"].removeprefix("#") for link in page.all("a")]
    assert len(names) == len(set(names)) and links[0] == "main"
    assert [tag["aria-labelledby"] for tag in page.all("section")] == links[1:] == names[1:]
    assert page.all("html")[0]["lang"] == "en"


def test_mixture_target_and_every_stage_can_be_heard(page):
    labels = [audio["aria-label"] for audio in page.all("audio")]
    wanted = ["mixture", "true {}", *(f"{stage}: “{{}}”" for stage in ("pretrained", "phase 1", "phase 2"))]
    assert labels == [each.format(source) for source in ("violin", "trumpet") for each in wanted]
    assert all(audio["src"].startswith("data:audio/mpeg;base64,") for audio in page.all("audio"))


def test_how_it_was_made_is_told_and_where_on_this_computer_is_not(page, made, run, written):
    assert written == run / "report.html" and str(made) not in page.text
    recipe, setup, times = (page.table(caption) for caption in ("The recipe", "The report", "The stages"))
    assert (recipe["seed"], recipe["phase2.query_rate"], recipe["head"]) == (["0"], ["0.001"], ["preserving"])
    assert {"Python", "torch", "lightning", "hardware", "commit", "seeds.mixtures"} <= set(setup)
    assert times["pretrained"] == ["made0/start", "–", "–"] or times["pretrained"][1:] == ["–", "–"]
    assert int(times["phase 1"][1]) > 0 and float(times["phase 1"][2]) >= 0
    assert git_commit() is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", git_commit())


def test_the_ledger_is_told_and_what_is_typed_is_escaped(page):
    assert page.table("What the notebooks recorded")["SDRi <of> the violin"][:2] == ["7.257", "dB"]
    assert "<of>" not in page.text


def test_it_says_what_is_synthetic(page, numbers):
    assert "a data folder named\n<em>data</em>" in page.text and "pretraining are synthetic" in page.text
    shipped = dataclasses.replace(numbers, setup=numbers.setup | {"data": None})
    assert "<strong>The music is synthetic.</strong>" in make_page({"one": shipped, "two": shipped})


def test_numbers_come_back_as_they_were(numbers, measured):
    pd.testing.assert_frame_equal(numbers.duets, measured)
    assert numbers.ends == ("pretrained", "phase 2") and list(numbers.curves) == ["phase 1", "phase 2"]
    assert numbers.probes["low"].notna().any() and numbers.probes["low"].isna().any()


def test_two_runs_stand_side_by_side(made, measured, compared, asked):
    one, other = "anna/finetune", "ben/finetune"
    assert compared.h1 == f"LASS Lab: {one} beside {other}"
    gain = paper_tables(measured).loc["trumpet"].loc["SDRi"]["phase 2"]
    cells = [
        compared.table(PAPER.format("trumpet"), each)["phase 2"][1] for each in (one, other, f"{other} minus {one}")
    ]
    assert cells == [f"{gain:.2f}", f"{gain + 1:.2f}", "+1.00"]
    difference = compared.table(SLICES.format("trumpet"), f"{other} minus {one}")
    assert difference["phase 2"][1] == "+1.00 [+1.00,\N{NO-BREAK SPACE}+1.00]"
    assert difference["pretrained"][1].startswith("+0.00 [")
    assert all(f"{name} from" in compared.all("img")[0]["alt"] for name in (one, other))
    assert compared.table("The recipe") == {"setting": [one, other], "seed": ["0", "7"]}
    assert compared.table("SDRi (dB) by instrument")["query"] == [one, other]
    weights = [str(made / "start"), *(str(made / other / phase) for phase in ("phase1", "phase2"))]
    opened = ["pretrained", "phase 1", "phase 2"]
    assert asked == {"stages": weights, "opened": opened, "longest": LONGEST, "pairs": PAIRS}, "as the other was"


def test_comparing_reads_what_was_measured(made, run, written, monkeypatch):
    def fails(*_, **__):
        raise AssertionError("opened a separator")

    kept = made / "<b>&co" / "report.json"  # what one student gives to another, in a folder that looks like markup
    kept.parent.mkdir()
    shutil.copy(written.with_suffix(".json"), kept)
    monkeypatch.setattr(report, "load_separator", fails)
    page = Page(compare_reports((kept, run), made / "c.html"))
    assert Page(compare_reports((kept.parent, run), made / "c.html", force=True)).text == page.text
    assert page.h1 == "LASS Lab: <b>&co beside finetune" and "<b>" not in page.text
    assert "The recipe" not in page.tables, "they do not differ"


def test_a_report_of_other_weights_is_measured_again(made, run, written, tmp_path):
    stale = tmp_path / "stale"
    shutil.copytree(made / "ben" / "finetune", stale)
    shutil.copy(written.with_suffix(".json"), stale / "report.json")
    assert report._stored(run) is not None and report._stored(stale) is None


def test_without_logs_recipe_and_ledger_the_rest_is_told(run, numbers, tmp_path, monkeypatch):
    """As for what ships, whose folder holds weights alone."""
    bare = {"name": "what ships", "weights": {}, "curves": {}, "recipe": None, "times": dict.fromkeys(numbers.times)}
    for phase in ("phase1", "phase2"):
        (tmp_path / phase).mkdir()
        shutil.copy(run / phase / "model.safetensors", tmp_path / phase)
    where = {"pretrained": "tiny", "phase 1": str(tmp_path / "phase1"), "phase 2": str(tmp_path / "phase2")}
    monkeypatch.setattr(report, "find_stages", lambda: where)
    monkeypatch.setattr(report, "load_separator", lambda _: Known(lambda mixture, query: mixture))
    monkeypatch.setattr(report, "measure", lambda *_, **__: dataclasses.replace(numbers, **bare))
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path / "runs"))
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(report, "report_page", lambda *_: 1 / 0 if False else (_ for _ in ()).throw(RuntimeError))
        write_report(None)
    assert not list(tmp_path.glob("runs/*")), "nothing is half written"
    page = Page(write_report(None))
    assert (tmp_path / "runs" / "report.html").is_file() and "The recipe" not in page.tables
    assert "no logs of the training" in page.text and "No notebook has recorded" in page.text
    assert page.table("The stages")["phase 2"][1:] == ["–", "–"]
    assert report_numbers.run_folder(where) is None and read_curves(tmp_path / "phase2") == {}


def test_a_resumed_runs_later_log_counts(tmp_path):
    for version, rows in ((0, "10,0.5,\n20,0.4,\n20,,3.0\n"), (2, "20,0.3,\n30,0.2,\n30,,4.0\n"), (11, "40,0.1,\n")):
        (tmp_path / f"log/version_{version}").mkdir(parents=True)
        (tmp_path / f"log/version_{version}/metrics.csv").write_text("step,loss,validation_sdri\n" + rows)
    (tmp_path / "log/version_12").mkdir()
    (tmp_path / "log/version_12/metrics.csv").touch()
    curves = read_curves(tmp_path)
    assert curves["loss"] == [(11, 0.5), (21, 0.3), (31, 0.2), (41, 0.1)] and curves["gain"] == [(21, 3.0), (31, 4.0)]


def test_the_excerpt_is_where_both_play():
    seconds = np.arange(30 * 32_000) / 32_000
    violin, trumpet = (np.where(seconds < 18, 0.1, 0.0), np.where(seconds >= 8, 0.1, 0.0))
    sources = {"violin": violin.astype(np.float32), "trumpet": trumpet.astype(np.float32)}
    piece = Piece("p", "A title", "test", sum(sources.values()), sources, {}, 32_000)
    excerpt, told = find_excerpt(piece)
    assert told == "A title, 10 seconds from 0:08 on"
    assert excerpt.seconds == 10 and all((each > 0.05).all() for each in excerpt.sources.values())
    assert find_excerpt(piece.slice(0, 4))[0].seconds == 4


def test_curves_of_several_runs_share_their_axes_and_details_have_intervals():
    run = {"phase 1": {"loss": [(10, 0.4), (20, 0.2)], "gain": [(20, 3.0)]}}
    above, beside, below, _ = show_training({"a": run, "b": run | {"phase 2": {"loss": [(5, 0.1)]}}}).axes
    assert above.get_ylim() == beside.get_ylim() and above.get_xlim() == below.get_xlim()
    row = {"separator": "a", "detail": "mean", "value": 2.0, "low": 1.0, "high": 3.0}
    ax = show_details(pd.DataFrame([row, row | {"detail": "cello", "low": np.nan, "high": np.nan}]))
    segments = [segment[:, 0] for each in ax.collections for segment in each.get_segments()]
    assert [tuple(ends) for ends in segments if np.isfinite(ends).all()] == [(1.0, 3.0)]
    plt.close("all")


def test_bad_input_ends_in_one_line_and_the_command_compares(run, written, tmp_path):
    (tmp_path / "empty").mkdir()
    told = json.loads(written.with_suffix(".json").read_text())
    rows = [row for row in told["duets"]["data"] if row[5] == "piece"]
    for name, text in {
        "other": "{}",
        "pairs": json.dumps(told | {"pairs": 5}),
        "music": json.dumps(told | {"duets": told["duets"] | {"data": rows}}),
        "cut": written.with_suffix(".json").read_text()[:1000],
    }.items():
        (tmp_path / f"{name}.json").write_text(text)
    before, out = written.read_bytes(), tmp_path / "page.html"
    for arguments, fault in (
        (("--run", tmp_path / "empty", "--out", out), "no finished phase"),
        (("--run", run), "report.html: exists already"),
        (("--run", run, "--out", tmp_path / "report.json"), "ends in .html"),
        (("--run", run, "--compare", run, run), "not both"),
        (("--compare", run, tmp_path / "gone", "--out", out), "gone: holds no finished phase"),
        (("--compare", run, tmp_path / "other.json", "--out", out), "other.json: holds no numbers"),
        (("--compare", run, tmp_path / "cut.json", "--out", out), "cut.json: holds no numbers"),
        (("--compare", run, tmp_path / "pairs.json", "--out", out), "other music or mixtures"),
        (("--compare", run, tmp_path / "music.json", "--out", out), "other music or mixtures"),
    ):
        error = CliRunner().invoke(app, ["report", *map(str, arguments)]).exception
        assert isinstance(error, InputError) and fault in str(error) and "\n" not in str(error)
    assert written.read_bytes() == before and not out.exists()
    both = ["report", "--compare", str(run), str(written.with_suffix(".json")), "--out", str(out)]
    assert CliRunner().invoke(app, both).output.strip() == str(out) and Page(out).h1.count("finetune") == 2
