"""Reading video files frame by frame, and pairing the frames of two of them."""

from jaxvqa.video.errors import VideoError as VideoError
from jaxvqa.video.info import VideoInfo as VideoInfo
from jaxvqa.video.pairing import Pair as Pair
from jaxvqa.video.pairing import batches as batches
from jaxvqa.video.pairing import open_pair as open_pair
from jaxvqa.video.prefetch import prefetch as prefetch
from jaxvqa.video.reader import Video as Video
from jaxvqa.video.reader import open_video as open_video
from jaxvqa.video.y4m_writer import write_y4m as write_y4m
