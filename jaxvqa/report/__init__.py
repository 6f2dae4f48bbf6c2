"""Result files and plots.

`write`: a `Result` into a file, JSON, CSV, XML, subtitles or Parquet by its suffix.
`write_json`, `write_csv`, `write_xml`, `write_sub`, `write_parquet`: the same in one format.
`render`, `render_json`, `render_csv`, `render_xml`, `render_sub`, `render_parquet`: the content of
such a file.
`parse_precision`: how many digits numbers have, from text.
`load`: a JSON or CSV result file, of jaxvqa or libvmaf, as a `SavedResult`.
`load_table`: a table with one row per scored video.
`write_html`, `render_html`: results as one page to look at.
`write_table_html`, `render_table_html`: a table as one page.
`compare`: two results frame by frame, as a `Comparison` of a `MetricDifference` each.
`plot`: scores over the frames, as a picture.
`plot_ladders`: rate-quality curves, as a picture.
`FORMATS`: the formats of result files.
`format_of`: the format that a file name asks for.
`ResultFileError`: a result file that can't be read.
`write_atomically`: a file that appears whole or not at all.
"""

from typing import TYPE_CHECKING

from jaxvqa._lazy import loader

if TYPE_CHECKING:
    from jaxvqa.report._atomic import write_atomically as write_atomically
    from jaxvqa.report._compare import Comparison as Comparison
    from jaxvqa.report._compare import MetricDifference as MetricDifference
    from jaxvqa.report._compare import compare as compare
    from jaxvqa.report._csv_file import render_csv as render_csv
    from jaxvqa.report._csv_file import write_csv as write_csv
    from jaxvqa.report._formats import FORMATS as FORMATS
    from jaxvqa.report._formats import format_of as format_of
    from jaxvqa.report._formats import render as render
    from jaxvqa.report._formats import write as write
    from jaxvqa.report._html._results import render_html as render_html
    from jaxvqa.report._html._results import write_html as write_html
    from jaxvqa.report._html._table import render_table_html as render_table_html
    from jaxvqa.report._html._table import write_table_html as write_table_html
    from jaxvqa.report._json_file import render_json as render_json
    from jaxvqa.report._json_file import write_json as write_json
    from jaxvqa.report._ladder_files import plot_ladders as plot_ladders
    from jaxvqa.report._load import ResultFileError as ResultFileError
    from jaxvqa.report._load import SavedResult as SavedResult
    from jaxvqa.report._load import load as load
    from jaxvqa.report._numbers import parse_precision as parse_precision
    from jaxvqa.report._parquet_file import render_parquet as render_parquet
    from jaxvqa.report._parquet_file import write_parquet as write_parquet
    from jaxvqa.report._plot import plot as plot
    from jaxvqa.report._sub_file import render_sub as render_sub
    from jaxvqa.report._sub_file import write_sub as write_sub
    from jaxvqa.report._table import load_table as load_table
    from jaxvqa.report._xml_file import render_xml as render_xml
    from jaxvqa.report._xml_file import write_xml as write_xml

_HOMES = {
    "write_atomically": "_atomic",
    "Comparison": "_compare",
    "MetricDifference": "_compare",
    "compare": "_compare",
    "render_csv": "_csv_file",
    "write_csv": "_csv_file",
    "FORMATS": "_formats",
    "format_of": "_formats",
    "render": "_formats",
    "write": "_formats",
    "render_html": "_html._results",
    "write_html": "_html._results",
    "render_table_html": "_html._table",
    "write_table_html": "_html._table",
    "render_json": "_json_file",
    "write_json": "_json_file",
    "plot_ladders": "_ladder_files",
    "ResultFileError": "_load",
    "SavedResult": "_load",
    "load": "_load",
    "parse_precision": "_numbers",
    "render_parquet": "_parquet_file",
    "write_parquet": "_parquet_file",
    "plot": "_plot",
    "render_sub": "_sub_file",
    "write_sub": "_sub_file",
    "load_table": "_table",
    "render_xml": "_xml_file",
    "write_xml": "_xml_file",
}
__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(_HOMES)
