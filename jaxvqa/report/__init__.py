"""Result files and plots.

`write`: a `Result` into a file, JSON, CSV, XML, subtitles or Parquet by its suffix.
`write_json`, `write_csv`, `write_xml`, `write_sub`, `write_parquet`: the same in one format.
`render`, `render_json`, `render_csv`, `render_xml`, `render_sub`, `render_parquet`: the content of
such a file.
`parse_precision`: how many digits numbers have, from text.
`load`: a JSON result file, of jaxvqa or libvmaf, as a `SavedResult`.
`plot`: scores over the frames, as a picture.
`FORMATS`, `format_of`: the formats, and the one that a file name asks for.
`ResultFileError`: a result file that can't be read.
`write_atomically`: a file that appears whole or not at all.
"""

from jaxvqa.report._atomic import write_atomically as write_atomically
from jaxvqa.report._csv_file import render_csv as render_csv
from jaxvqa.report._csv_file import write_csv as write_csv
from jaxvqa.report._formats import FORMATS as FORMATS
from jaxvqa.report._formats import format_of as format_of
from jaxvqa.report._formats import render as render
from jaxvqa.report._formats import write as write
from jaxvqa.report._json_file import render_json as render_json
from jaxvqa.report._json_file import write_json as write_json
from jaxvqa.report._load import ResultFileError as ResultFileError
from jaxvqa.report._load import SavedResult as SavedResult
from jaxvqa.report._load import load as load
from jaxvqa.report._numbers import parse_precision as parse_precision
from jaxvqa.report._parquet_file import render_parquet as render_parquet
from jaxvqa.report._parquet_file import write_parquet as write_parquet
from jaxvqa.report._plot import plot as plot
from jaxvqa.report._sub_file import render_sub as render_sub
from jaxvqa.report._sub_file import write_sub as write_sub
from jaxvqa.report._xml_file import render_xml as render_xml
from jaxvqa.report._xml_file import write_xml as write_xml
