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
from lass_lab.course.report import report
from lass_lab.course.report.numbers import as_json, git_commit, read_curves, read_numbers
from lass_lab.course.report.page import find_excerpt, make_page
from lass_lab.datasets.duets import Piece
from lass_lab.experiments.evaluation import summarise
from lass_lab.experiments.paper_tables import paper_tables
from lass_lab.signal.files import InputError
from tests.made_runs import made_run
from tests.made_separators import Known

STAGES = ("pretrained", "phase 1", "phase 2")
PAPER, SLICES = "The {}: the first 10 seconds", "The {} in three: mean over 2 slices"
DECIMALS = {"SDR": 2, "SDRi": 2, "correlation": 4, "MSE": 6, "SI-SDR": 2}


class Page:
    """A page taken apart: `all` finds its elements."""

    def __init__(self, path):
        self.path, self.text, self.json = path, path.read_text(encoding="utf-8"), path.with_suffix(".json")
        self.all = BeautifulSoup(self.text, "html.parser").find_all
        self.captions = [caption.text for caption in self.all("caption")]
        self.numbers = read_numbers(self.json) if self.json.exists() else None

    def table(self, caption, group=None):
        """Row's heading -> cells, of the table whose caption begins so, or of its rows from a group's heading on."""
        (table,) = (table for table in self.all("table") if table.caption.text.startswith(caption))
        rows = [[cell.text for cell in row(["th", "td"])] for row in table("tr")]
        return {row[0]: row[1:] for row in reversed(rows[rows.index([group]) if group else 0 :])}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run on made duets, "anna/finetune"."""
    folder = tmp_path_factory.mktemp("made")
    plt.switch_backend("agg")
    with made_run(folder, "anna/finetune"):
        ledger.record("03_baseline", "SDRi <of> the violin", 7.25678, "dB")
        yield folder


@pytest.fixture(scope="module")
def page(made):
    def opened(where):
        share = {"start": 0.9, "phase1": 0.6, "phase2": 0.3}[Path(where).name]
        return Known(lambda mixture, query: share * mixture)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load_separator", opened)
        return Page(report.write_report(made / "anna" / "finetune", longest=10, pairs=2))


@pytest.fixture(scope="module")
def compared(made, page):
    """Two reports, of which the second is better by 1 dB in phase 2."""
    better = (page.numbers.duets["separator"] == "phase 2") & page.numbers.duets["metric"].isin(
        ["SDR", "SDRi", "SI-SDR"]
    )
    recipe = page.numbers.recipe | {"recipe": page.numbers.recipe["recipe"] | {"seed": 7}}
    duets = page.numbers.duets.assign(value=page.numbers.duets["value"] + better)
    other = made / "ben" / "finetune"
    other.mkdir(parents=True)
    (other / "report.json").write_text(as_json(dataclasses.replace(page.numbers, duets=duets, recipe=recipe)))
    return Page(report.compare_reports((page.path.parent, other), made / "comparison.html"))


def test_every_number_beside_the_paper_is_evaluates(page):
    tables = paper_tables(page.numbers.duets)
    for source in ("violin", "trumpet"):
        rows = page.table(PAPER.format(source))
        floors = [*(f"{stage}, by subtraction" for stage in STAGES), "mixture"]
        for name in (*STAGES, *floors, "ideal ratio mask", "phase-sensitive mask"):
            assert rows[name] == [f"{value:z.{DECIMALS[key]}f}" for key, value in tables.loc[source, name].items()]
        change = tables.loc[source, "phase 2"] - tables.loc[source, "pretrained"]
        assert rows["phase 2 minus pretrained"] == [f"{value:+z.{DECIMALS[key]}f}" for key, value in change.items()]
    assert page.table(PAPER.format("trumpet"))["paper before"] == ["-9.91", "-5.59", "0.2872", "0.0272"]
    assert page.table(PAPER.format("violin"))["after minus before"] == ["-0.70", "-1.22", "-0.0035", "+0.0003"]


def test_every_mean_and_interval_is_summarises_and_changes_are_taken_slice_by_slice(page):
    for row in summarise(page.numbers.duets).itertuples():
        cell = page.table(SLICES.format(row.source))[row.separator][list(DECIMALS).index(row.metric)]
        mean, low, high = (f"{value:z.{DECIMALS[row.metric]}f}" for value in (row.mean, row.low, row.high))
        assert cell == f"{mean} [{low},\N{NO-BREAK SPACE}{high}]"
    slices = page.numbers.duets.query("extent == 'slice' and source == 'trumpet' and metric == 'SDRi'")
    values = slices.pivot(index="start_s", columns="separator", values="value")
    change = values["phase 2"] - values["pretrained"]
    cells = page.table(SLICES.format("trumpet"))["phase 2 minus pretrained"]
    assert cells[1].startswith(f"{change.mean():+.2f} [") and f"{change.mean():+.1f} dB, 95% interval" in page.text
    left = values["phase 2, by subtraction"].mean()
    more = f"{left:.1f} dB after\nphase 2: being asked for the trumpet adds {values['phase 2'].mean() - left:+.1f} dB"
    assert more in page.text


def test_numbers_come_back_as_they_were_and_probes_stand_in_tables(page):
    assert as_json(page.numbers) == page.json.read_text(encoding="utf-8")
    for row in page.numbers.probes.itertuples():
        caption = {"paraphrases": "SDRi (dB) by phrasing", "forgetting": "SDRi (dB) by instrument"}[row.probe]
        cell = page.table(caption)[row.detail][STAGES.index(row.separator)]
        assert cell.split()[0] == f"{row.value:.2f}" and ("[" in cell) == pd.notna(row.low)


def test_all_players_are_there_and_nothing_outside_the_file_is_needed(page):
    labels = [audio["aria-label"] for audio in page.all("audio")]
    wanted = ["mixture", "true {}", *(f"{stage}: “{{}}”" for stage in STAGES)]
    assert labels == [each.format(source) for source in ("violin", "trumpet") for each in wanted]
    addresses = [tag.get("src") or tag["href"] for tag in page.all(["img", "audio", "a"])]
    assert all(address.startswith(("data:", "#")) for address in addresses) and "srcset" not in page.text
    (script,) = page.all("script")
    assert not script.attrs and "AudioContext" in script.text
    (policy,) = page.all("meta", {"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == "default-src data: 'unsafe-inline'"
    assert not page.all(["link", "iframe"]) and not re.search("url|@import", page.all("style")[0].text)
    assert page.path.stat().st_size < 8_000_000 and page.json.stat().st_size < 1_000_000


@pytest.mark.parametrize(("which", "pictures", "again"), [("page", 13, 1), ("compared", 1, 0)])
def test_pictures_tables_and_headings_can_be_heard(request, which, pictures, again):
    page = request.getfixturevalue(which)
    words = {image["alt"] for image in page.all("img")}
    assert len(page.all("img")) == pictures == len(words) + again, "the mixture is in the player of each source"
    assert all(len(each) > 40 for each in words)
    assert len(page.all("table")) == len(set(page.captions)) > 4
    assert all(cell.get("scope") in ("col", "row", "rowgroup") and cell.text for cell in page.all("th"))
    levels = [int(heading.name[1]) for heading in page.all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1 and levels.count(1) == 1 and max(np.diff(levels)) == 1
    links = [link["href"].removeprefix("#") for link in page.all("a")]
    assert [tag["id"] for tag in page.all(id=True)] == links and links[0] == "main"
    assert [tag["aria-labelledby"] for tag in page.all("section")] == links[1:]
    assert page.text.startswith("<!doctype html>") and page.all("html")[0]["lang"] == "en"


def test_how_it_was_made_is_told_and_where_on_this_computer_is_not(page, made):
    assert page.path == made / "anna/finetune/report.html" and str(made) not in page.text
    recipe, setup, times = (page.table(caption) for caption in ("The recipe", "The report", "The stages"))
    assert (recipe["seed"], recipe["phase2.query_rate"], recipe["head"]) == (["0"], ["0.001"], ["preserving"])
    assert {"Python", "torch", "lightning", "hardware", "commit", "seeds.mixtures"} <= set(setup)
    assert int(times["phase 1"][1]) > 0 <= float(times["phase 1"][2]) and times["pretrained"][1:] == ["–", "–"]
    assert git_commit() is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", git_commit())
    assert page.table("What the notebooks recorded")["SDRi <of> the violin"][:2] == ["7.257", "dB"]
    assert "<of>" not in page.text, "what is typed is escaped"


def test_it_says_what_is_synthetic(page):
    assert "a data folder named\n<em>data</em>" in page.text and "pretraining are synthetic" in page.text
    shipped = dataclasses.replace(page.numbers, setup=page.numbers.setup | {"data": None})
    assert "<strong>The music is synthetic.</strong>" in make_page({"one": shipped, "two": shipped})


def test_two_runs_stand_side_by_side(page, compared):
    one, other = runs = ["anna/finetune", "ben/finetune"]
    assert compared.all("h1")[0].text == f"LASS Lab: {one} beside {other}"
    gain = paper_tables(page.numbers.duets).loc["trumpet"].loc["SDRi"]["phase 2"]
    beside = [compared.table(PAPER.format("trumpet"), title) for title in (*runs, f"{other} minus {one}")]
    assert [rows["phase 2"][1] for rows in beside] == [f"{gain:.2f}", f"{gain + 1:.2f}", "+1.00"]
    difference = compared.table(SLICES.format("trumpet"), f"{other} minus {one}")
    assert difference["phase 2"][1] == "+1.00 [+1.00,\N{NO-BREAK SPACE}+1.00]"
    assert difference["pretrained"][1].startswith("+0.00 [")
    assert all(f"{name} from" in compared.all("img")[0]["alt"] for name in runs)
    assert compared.table("The recipe") == {"setting": runs, "seed": ["0", "7"]}
    assert compared.table("SDRi (dB) by instrument")["query"] == runs


def test_a_report_that_somebody_sent_is_compared(made, page):
    run, sent = page.path.parent, made / "<b>&co"  # a folder that looks like markup
    sent.mkdir()
    shutil.copy(page.json, sent)
    both = Page(report.compare_reports((sent / "report.json", run), made / "c.html"))
    assert Page(report.compare_reports((sent, run), made / "c.html", force=True)).text == both.text
    assert both.all("h1")[0].text == "LASS Lab: <b>&co beside finetune" and "<b>" not in both.text
    assert "The recipe" not in both.captions, "they do not differ"


def test_without_logs_recipe_and_ledger_the_rest_is_told_and_nothing_is_half_written(page, tmp_path, monkeypatch):
    bare = {"curves": {}, "recipe": None, "times": dict.fromkeys(page.numbers.times)}
    bare = dataclasses.replace(page.numbers, **bare)
    monkeypatch.setattr(report, "find_stages", lambda: dict(zip(STAGES, "abc", strict=True)))
    monkeypatch.setattr(report, "load_separator", lambda _: Known(lambda mixture, query: mixture))
    monkeypatch.setattr(report, "measure", lambda *_, **__: bare)
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path))
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(report, "report_page", None)
        report.write_report(None)
    assert not list(tmp_path.iterdir())
    told = Page(report.write_report(None))
    assert told.path == tmp_path / "report.html" and "The recipe" not in told.captions
    assert "no logs of the training" in told.text and "No notebook has recorded" in told.text
    assert told.table("The stages")["phase 2"][1:] == ["–", "–"]


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
    sources = {"violin": np.float32(seconds < 18), "trumpet": np.float32(seconds >= 8)}
    piece = Piece("p", "A title", "test", sum(sources.values()), sources, {}, 32_000)
    excerpt, told = find_excerpt(piece)
    assert told == "A title, 10 seconds from 0:08 on"
    assert excerpt.seconds == 10 and all(each.all() for each in excerpt.sources.values())


def test_bad_input_ends_in_one_line_and_the_command_compares(page, tmp_path):
    run, kept, out = page.path.parent, page.json, tmp_path / "page.html"
    told = json.loads(kept.read_text())
    pieces = [row for row in told["duets"]["data"] if row[5] == "piece"]
    (tmp_path / "cut.json").write_text(kept.read_text()[:1000])
    (tmp_path / "music.json").write_text(json.dumps(told | {"duets": told["duets"] | {"data": pieces}}))
    for arguments, fault in (
        (("--run", tmp_path, "--out", out), "no finished phase"),
        (("--run", run), "report.html: exists already"),
        (("--run", run, "--out", tmp_path / "report.json"), "ends in .html"),
        (("--run", run, "--compare", run, run), "not both"),
        (("--compare", run, tmp_path / "gone", "--out", out), "gone: has no report yet; run first: lass-lab report"),
        (("--compare", run, tmp_path / "cut.json", "--out", out), "cut.json: holds no numbers"),
        (("--compare", run, tmp_path / "music.json", "--out", out), "other music or mixtures"),
    ):
        error = CliRunner().invoke(app, ["report", *map(str, arguments)]).exception
        assert isinstance(error, InputError) and fault in str(error) and "\n" not in str(error)
    assert page.path.read_text(encoding="utf-8") == page.text and not out.exists()
    both = CliRunner().invoke(app, ["report", "--compare", str(run), str(kept), "--out", str(out)])
    assert both.output.strip() == str(out) and Page(out).all("h1")[0].text.count("finetune") == 2
