"""Texts are printed as they are."""

import rich.table

from keras_saliency.writing.progress import Progress, make_console

NAME = "runs/o[/x] [red]a[/red] [bold] :smile: [1/2]"


def test_names_of_files_are_printed_as_they_are(capsys):
    for stream, options in (("out", {}), ("err", {"stderr": True})):
        console = make_console(**options)
        console.print(f"{NAME} is complete")
        table = rich.table.Table("", NAME)
        table.add_row("nss", NAME)
        console.print(table, soft_wrap=False)
        with Progress(console) as bars:
            list(bars.track([1], description=NAME))
        printed = getattr(capsys.readouterr(), stream)
        assert printed.count(NAME) == 5, printed


def test_bars_show_names_as_they_are():
    with Progress(make_console(verbose=False)) as bars:
        bars.add_task(NAME, total=1)
        assert bars.columns[0].render(bars.tasks[0]).plain == NAME
