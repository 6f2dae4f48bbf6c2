"""Reading video files frame by frame, and pairing the frames of two of them.

`open_video`: a file as a `Video`, an iterator over planes; `VideoInfo` describes it.
`open_pair`: two files as a `VideoPair`, an iterator over numbered pairs of frames.
`InputOptions`: how a pair is read, made alike and paired.
`describe_file`: what scoring would see of a file, as a `FileReport`.
`prefetch`: decodes ahead in a thread.
`write_y4m`: frames into a y4m file.
`VideoError`: a file that can't be read.
"""

from jaxvqa.video._describe.inspect import describe_file as describe_file
from jaxvqa.video._describe.report import FileReport as FileReport
from jaxvqa.video._errors import VideoError as VideoError
from jaxvqa.video._info import VideoInfo as VideoInfo
from jaxvqa.video._inputs import InputOptions as InputOptions
from jaxvqa.video._pair.pairing import VideoPair as VideoPair
from jaxvqa.video._pair.pairing import open_pair as open_pair
from jaxvqa.video._prefetch import prefetch as prefetch
from jaxvqa.video._reader import Video as Video
from jaxvqa.video._reader import open_video as open_video
from jaxvqa.video._y4m_writer import write_y4m as write_y4m
