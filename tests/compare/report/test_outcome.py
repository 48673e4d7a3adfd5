"""What is said of a comparison is found once, and the same wherever it is said."""

import html
import json

from conftest import drive_for, longer_steps_network

import bridge
from bridge.compare.report import outcome as outcome_file
from bridge.stages import compare_to


def test_page_terminal_and_json_say_the_same_found_once(monkeypatch, tmp_path, capsys):
    network, calls = longer_steps_network(12), []

    def counted(name):
        said = getattr(outcome_file, name)

        def call(*given):
            calls.append(name)
            return said(*given)

        monkeypatch.setattr(outcome_file, name, call)

    for name in ("level_rows", "verdict", "evidence", "of_conversion"):
        counted(name)
    statistics = bridge.Agreement.statistics

    def described(agreement):
        calls.append("statistics")
        return statistics(agreement)

    monkeypatch.setattr(bridge.Agreement, "statistics", described)
    page = tmp_path / "page.html"
    drive = drive_for(network, 20)
    compare_to(network, page, backends=["reference", "snntorch"], drive=drive)
    assert sorted(calls) == ["evidence", "level_rows", "of_conversion", "statistics", "verdict"]
    plain = json.loads(page.with_suffix(".json").read_text())
    terminal, written = " ".join(capsys.readouterr().out.split()), html.unescape(page.read_text())
    for sentence in (plain["verdict"], *plain["evidence"]):
        assert sentence in terminal
        assert sentence in written
